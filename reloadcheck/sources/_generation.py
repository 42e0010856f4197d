"""Resolve the link by which Kubernetes swaps a whole volume at once.

A volume's files are links such as `app.yaml -> ..data/app.yaml`, and `..data` is itself a link to
the present generation's directory, which is renamed over when the volume changes. Who follows
`..data` anew for each file may mix two generations; so it is resolved once.
"""

import os
from typing import Final

from ._disk import Disk

__all__ = ["generation_in", "generation_of", "resolved"]

DATA: Final = "..data"


def resolved(path: str, disk: Disk) -> str:
    """Give `path` with the `..data` that it leads through replaced by the present generation."""
    head, tail = path, ""
    while True:
        parent, name = os.path.split(head)
        if not name or head == parent:
            return path
        target = disk.link(head)
        if target is not None and name == DATA:
            return os.path.join(parent, target, tail) if tail else os.path.join(parent, target)
        if target is not None and target.split(os.sep, 1)[0] == DATA:
            # The link now names `..data` as a component of its own, which the walk will meet.
            tail = os.path.join(target, tail) if tail else target
            path = os.path.join(parent, tail)
            head, tail = path, ""
            continue
        head, tail = parent, os.path.join(name, tail) if tail else name


def generation_of(path: str) -> str | None:
    """Give the name of the generation that a resolved path leads through; None without one."""
    parts = [part for part in path.split(os.sep) if part.startswith("..") and part != ".."]
    return parts[-1] if parts else None


def generation_in(directory: str, disk: Disk) -> str:
    """Give the present generation's directory in `directory`, or `directory` itself."""
    target = disk.link(os.path.join(directory, DATA))
    return directory if target is None else os.path.join(directory, target)
