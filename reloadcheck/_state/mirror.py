"""What was wanted and served last, in a file of this host: for a start while the store is away.

Takes a state and one kept content, gives them back. Written beside and renamed, 0600, only when
something has changed; a file that is damaged, another's, or open to others is told of and not used.
No fault of it stops anything.
"""

import json
import os
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Final
from urllib.parse import unquote

from .._config.containers import is_dict, is_list
from .._runtime.log import WARNING, log
from .._runtime.regular_file import opened
from ..types import Code, Store
from .board import State, state_from

__all__ = ["Mirror", "Mirrored", "mirror_of"]

ERROR: Final = 40
_VERSION: Final = 1
_MOST: Final = 128 * 2**20


@dataclass(frozen=True, slots=True)
class Mirrored:
    """What a mirror holds: the state, and what was kept of the content that it wants served."""

    state: State
    contents: Mapping[str, bytes]


class Mirror:
    """One file for one group of one application, which all workers of a host may share."""

    def __init__(self, path: str, prefix: str) -> None:
        self.path = path
        self._whose = [unquote(part) for part in prefix.rstrip("/").split("/")]
        self._written: tuple[State, str | None] | None = None
        self._warned = False

    # ------------------------------------------------------------------ reading

    def load(self) -> Mirrored | None:
        """Return what it holds; None where there is none to be trusted, which is told."""
        try:
            data = self._read()
        except FileNotFoundError:
            return None
        except OSError as error:
            self._refuse(error.strerror or type(error).__name__)
            return None
        if data is None:
            self._refuse("belongs to another user, or others may write it")
            return None
        found = _checked(data)
        if found is None:
            self._refuse("is damaged")
            return None
        if [found.get("app"), found.get("release")] != self._whose:
            self._refuse("is the mirror of another application or release")
            return None
        contents: dict[str, bytes] = {}
        content, documents = found.get("content"), found.get("documents")
        if isinstance(content, str) and is_list(documents):
            kept = {"v": 1, "documents": documents}
            contents[content] = json.dumps(kept, separators=(",", ":")).encode()
        wanted: Any = found["state"]
        return Mirrored(state_from(wanted), contents)

    def _read(self) -> bytes | None:
        with opened(self.path, os.O_NOFOLLOW) as file:
            status = os.fstat(file.fileno())
            private = status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o022
            return file.read(_MOST) if private else None

    def _refuse(self, why: str) -> None:
        words = "the mirror %s %s: it is not used"
        log(ERROR, words, self.path, why, code=str(Code.STORE))

    # ------------------------------------------------------------------ writing

    def wants(self, state: State, content: str | None) -> bool:
        """Return whether it lacks something of this."""
        return self._written != (_lasting(state), content)

    def save(self, state: State, content: str | None, data: bytes | None) -> None:
        """Write it down, unless it is there; where that fails it is told once."""
        lasting = _lasting(state)
        try:
            self._save(lasting, None if data is None else content, data)
        except OSError as error:
            if not self._warned:
                words = "the mirror %s cannot be written: %s"
                why = os.strerror(error.errno or 0)
                log(WARNING, words, self.path, why, code=str(Code.STORE))
            self._warned = True
        else:
            self._warned = False
            self._written = (lasting, content)

    def _save(self, state: State, content: str | None, data: bytes | None) -> None:
        documents = None if data is None else json.loads(data)["documents"]
        app, release = self._whose
        body: dict[str, Any] = {
            "v": _VERSION,
            "app": app,
            "release": release,
            "state": json.loads(state.to_text()),
            "content": content,
            "documents": documents,
        }
        text = json.dumps({**body, "sum": _sum(body)}, separators=(",", ":")).encode()
        with suppress(OSError):
            if self._read() == text:
                return  # another worker of this host was faster
        directory = os.path.dirname(self.path)
        os.makedirs(directory, mode=0o700, exist_ok=True)
        # mkstemp makes it 0600, and nobody else's link is followed.
        descriptor, beside = tempfile.mkstemp(dir=directory, prefix=".reloadcheck-")
        try:
            with os.fdopen(descriptor, "wb") as file:
                file.write(text)
                file.flush()
                os.fsync(file.fileno())
            os.replace(beside, self.path)
        except BaseException:
            with suppress(OSError):
                os.unlink(beside)
            raise
        _sync(directory)


def mirror_of(store: Store, prefix: str) -> Mirror | None:
    """Return the mirror that a store names, for a group's records."""
    path: str | None = getattr(store, "mirror", None)
    return None if path is None else Mirror(path, prefix)


def _lasting(state: State) -> State:
    """Return what of a state outlives the store's absence: no round goes on without it."""
    return replace(state, round=None, refused=None)


def _checked(data: bytes) -> dict[str, Any] | None:
    try:
        found: Any = json.loads(data)
    except ValueError:
        return None
    if not is_dict(found) or found.get("v") != _VERSION or not is_dict(found.get("state")):
        return None
    told = found.pop("sum", None)
    return found if told == _sum(found) else None


def _sum(body: Mapping[str, Any]) -> str:
    from blake3 import blake3

    text = json.dumps(body, separators=(",", ":"), sort_keys=True)
    return blake3(text.encode()).hexdigest()


def _sync(directory: str) -> None:
    with suppress(OSError):
        descriptor = os.open(directory, os.O_RDONLY | os.O_CLOEXEC)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
