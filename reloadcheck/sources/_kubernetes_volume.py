"""Resolve the link by which Kubernetes swaps a whole volume at once.

A volume's files are links such as `app.yaml -> ..data/app.yaml`, and `..data` is itself a link to
the present generation's directory, which is renamed over when the volume changes. Who follows
`..data` anew for each file may mix two generations; so it is resolved once.
"""

import os
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from ._disk import Disk

__all__ = ["generation_in", "generation_of", "one_look", "resolved"]

DATA: Final = "..data"


class _Looking(threading.local):
    """The directories that are no links, as far as the present look at a set has found out."""

    plain: set[tuple[Callable[[str], str], str]] | None = None


_looking = _Looking()


@contextmanager
def one_look() -> Generator[None]:
    """Ask only once, within the block, whether a directory is a link.

    Links are followed anew each time, so a volume that is swapped meanwhile is seen; a directory
    that becomes one is seen by the next look.
    """
    _looking.plain = set()
    try:
        yield
    finally:
        _looking.plain = None


def resolved(path: str, disk: Disk) -> str:
    """Return `path` with the `..data` that it leads through replaced by the present generation."""
    link, readlink, plain = disk.link, disk.readlink, _looking.plain
    while True:
        for head, parent, name, tail in _heads(path):
            if tail and plain is not None and (readlink, head) in plain:
                continue
            target = link(head)
            if target is None:
                if tail and plain is not None:
                    plain.add((readlink, head))
                continue
            if name == DATA:
                return os.path.join(parent, target, tail) if tail else os.path.join(parent, target)
            if target.split(os.sep, 1)[0] == DATA:
                # The link now names `..data` as a component of its own, which the walk will meet.
                path = os.path.join(parent, target, tail) if tail else os.path.join(parent, target)
                break
        else:
            return path


@lru_cache(maxsize=4096)
def _heads(path: str) -> tuple[tuple[str, str, str, str], ...]:
    """Return each part of a path, the whole first: itself, its parent, its name, what follows it.

    Kept, because every file is looked at once a window, and taking its path apart costs more.
    """
    found: list[tuple[str, str, str, str]] = []
    head, tail = path, ""
    while True:
        parent, name = os.path.split(head)
        if not name or head == parent:
            return tuple(found)
        found.append((head, parent, name, tail))
        head, tail = parent, os.path.join(name, tail) if tail else name


def generation_of(path: str) -> str | None:
    """Return the name of the generation that a resolved path leads through; None without one."""
    parts = [part for part in path.split(os.sep) if part.startswith("..") and part != ".."]
    return parts[-1] if parts else None


def generation_in(directory: str, disk: Disk) -> str:
    """Return the present generation's directory in `directory`, or `directory` itself."""
    target = disk.link(os.path.join(directory, DATA))
    return directory if target is None else os.path.join(directory, target)
