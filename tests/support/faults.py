"""Every way in which a configuration file can be wrong.

Each fault is a context manager that breaks the file at a path and, where it must, undoes that; the
words of an error follow from the table, not from what the package happens to say.
"""

import os
import stat
from collections.abc import Callable, Generator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

from . import config
from .plain_user import plain_user

__all__ = ["FALSE", "FAULTS", "HANGS", "RAISES", "Fault"]

RAISES, FALSE, HANGS = 1301, 1302, 1303
"""Numbers of pools whose factory raises, whose probe returns False, whose factory hangs."""


Breaking = Callable[[Path], AbstractContextManager[None]]


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault: how to make it, the outcome, what the sentence says, and at which line:column.

    `place` is what follows the file's name in the error; empty where a file as a whole is wrong.
    """

    make: Breaking
    outcome: str
    words: str
    place: str = ""


def _written(content: str | bytes) -> Breaking:
    def breaking(path: Path) -> AbstractContextManager[None]:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
        return nullcontext()

    return breaking


def _missing(path: Path) -> AbstractContextManager[None]:
    path.unlink()
    return nullcontext()


@contextmanager
def _directory(path: Path) -> Generator[None]:
    path.unlink()
    path.mkdir()
    yield
    path.rmdir()


@contextmanager
def _fifo(path: Path) -> Generator[None]:
    path.unlink()
    os.mkfifo(path)
    yield
    path.unlink()


@contextmanager
def _socket(path: Path) -> Generator[None]:
    path.unlink()
    os.mknod(path, stat.S_IFSOCK | 0o600)  # to bind one, its path would have to be short
    yield
    path.unlink()


@contextmanager
def _dangling(path: Path) -> Generator[None]:
    path.unlink()
    path.symlink_to("nowhere.yaml")
    yield
    path.unlink()


@contextmanager
def _loop(path: Path) -> Generator[None]:
    path.unlink()
    path.symlink_to(path.name)
    yield
    path.unlink()


@contextmanager
def _denied(path: Path) -> Generator[None]:
    """Take the permission to read away, and root's power to read all the same."""
    config.write(path, config.text(9))
    path.chmod(0)
    with plain_user():
        yield
    path.chmod(0o644)


def _pool(number: int) -> Breaking:
    return _written(config.text(9, pool=number))


_GOOD = config.text(9)
_TORN = _GOOD[: _GOOD.index(config.CANARY)] + f'"{config.CANARY}'

FAULTS = {
    "emptied": Fault(_written(""), "deferred", "is empty"),
    "nothing but a comment": Fault(_written("# soon\n"), "deferred", "is empty"),
    "missing": Fault(_missing, "deferred", "does not exist"),
    "a directory in its place": Fault(_directory, "deferred", "is a directory"),
    "a FIFO in its place": Fault(_fifo, "deferred", "is a FIFO"),
    "a socket in its place": Fault(_socket, "deferred", "is a socket"),
    "a dangling link": Fault(_dangling, "deferred", "dangling symbolic link"),
    "a link to itself": Fault(_loop, "deferred", "form a loop"),
    "unreadable": Fault(_denied, "deferred", "permission denied"),
    "too large": Fault(_written(_GOOD + "#" * 70_000), "deferred", "larger than max_bytes"),
    "cut in a quoted string": Fault(_written(_TORN), "rejected", "", ":5:13"),
    "a tab for an indent": Fault(
        _written(f"number: 9\nnote: ''\npool:\n\tpassword: {config.CANARY}\n"),
        "rejected",
        "",
        ":4:1",
    ),
    "a colon too many": Fault(
        _written(_GOOD.replace("note: ''", f"note: {config.CANARY}: b")), "rejected", "", ":2:"
    ),
    "a duplicate key": Fault(
        _written(_GOOD + f"number: {config.CANARY}\n"), "rejected", "number", ":7:1"
    ),
    "not UTF-8": Fault(_written(_GOOD.encode() + b"other: '\xff'\n"), "rejected", "UTF-8", ":7:9"),
    "two documents": Fault(_written(_GOOD + "---\n" + _GOOD), "rejected", "", ":7:"),
    "a tag": Fault(
        _written(_GOOD.replace("note: ''", f"note: !!python/name:os.{config.CANARY} ''")),
        "rejected",
        "tag",
        ":2:7",
    ),
    "a value that is read as a tag": Fault(
        _written(_GOOD.replace("note: ''", f"note: !{config.CANARY}")), "rejected", "tag", ":2:7"
    ),
    "a value that is read as an alias": Fault(
        _written(_GOOD.replace("note: ''", f"note: *{config.CANARY}")), "rejected", "alias", ":2:7"
    ),
    "a list at the root": Fault(_written(f"- {config.CANARY}\n"), "rejected", "", ":1:1"),
    "a value of the wrong type": Fault(
        _written(_GOOD.replace("number: 9\nnote", f"number: {config.CANARY}\nnote")),
        "rejected",
        "number",
        ":1:9",
    ),
    "a key that is missing": Fault(
        _written(_GOOD.replace("  number: 9\n", "")), "rejected", "pool.number", ":4:3"
    ),
    "a key that no field has": Fault(
        _written(_GOOD + f"surplus: {config.CANARY}\n"), "rejected", "surplus", ":7:1"
    ),
    "a part that is missing": Fault(
        _written(f"number: 9\nnote: {config.CANARY}\nend: 9\n"), "rejected", "pool", ":1:1"
    ),
    "a factory that raises": Fault(
        _pool(RAISES), "rejected", "resource 'pool' cannot be built: its factory raised", ":4:3"
    ),
    "a probe that says no": Fault(
        _pool(FALSE),
        "rejected",
        "resource 'pool' cannot be built: its probe returned False",
        ":4:3",
    ),
    "a factory that hangs": Fault(
        _pool(HANGS),
        "rejected",
        "resource 'pool' cannot be built: its factory did not return within",
        ":4:3",
    ),
}
"""What was broken, by a name for people."""
