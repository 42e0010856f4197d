"""Who else could change a file, or put another one in its place.

Takes a path, gives a sentence for each way; follows every link on it, as sshd does for the files
that it trusts: whoever may write a directory that the way leads through decides what is read.
"""

import os
import stat as modes
from collections.abc import Iterator
from typing import Final

from ._disk import Disk

__all__ = ["exposure", "ownership"]

_MOST_LINKS: Final = 40


def exposure(path: str, disk: Disk) -> list[str]:
    """Say how everybody could change the file; `OSError` for what cannot be looked at.

    In a sticky directory nobody can replace what is another's, nor on a read-only file system.
    """
    found: list[str] = []
    for place, status in _way(path, disk):
        if not status.st_mode & modes.S_IWOTH or modes.S_ISLNK(status.st_mode):
            continue
        if not modes.S_ISDIR(status.st_mode):
            found.append("can be written by everybody")
        elif not status.st_mode & modes.S_ISVTX and not disk.read_only(place):
            beside = os.path.dirname(os.path.realpath(path)) == place
            shown = "its directory" if beside else place
            found.append(f"can be replaced by everybody: {shown} is writable by others")
    return found


def ownership(path: str, disk: Disk, user: int, group: int) -> list[str]:
    """Say who else owns the file or something on the way to it, or which group may write it.

    Else than root, the `user` and the `group` given.
    """
    found: list[str] = []
    for place, status in _way(path, disk):
        if status.st_uid not in (0, user):
            found.append(f"can be changed by uid {status.st_uid}, who owns {place}")
        elif status.st_gid not in (0, group) and _is_groups(place, status, disk):
            found.append(f"can be changed by group {status.st_gid}, which may write {place}")
    return found


def _is_groups(place: str, status: os.stat_result, disk: Disk) -> bool:
    """Return whether the group may write the file, or put another in its place in a directory."""
    if not status.st_mode & modes.S_IWGRP or modes.S_ISLNK(status.st_mode):
        return False
    if not modes.S_ISDIR(status.st_mode):
        return True
    return not status.st_mode & modes.S_ISVTX and not disk.read_only(place)


def _way(path: str, disk: Disk) -> Iterator[tuple[str, os.stat_result]]:
    """Go the way that the system goes: each directory and link on it once, and what it leads to."""
    seen: set[str] = set()
    links = 0
    here, rest = os.sep, _parts(path)
    while True:
        status = disk.lstat(here)
        if here not in seen:
            seen.add(here)
            yield here, status
        if modes.S_ISLNK(status.st_mode) and links < _MOST_LINKS:
            links += 1
            target = disk.readlink(here)
            rest += _parts(target)
            here = os.sep if os.path.isabs(target) else os.path.dirname(here)
        elif rest:
            part = rest.pop()
            here = os.path.dirname(here) if part == os.pardir else os.path.join(here, part)
        else:
            return


def _parts(path: str) -> list[str]:
    """Take a path apart, its end first."""
    return [part for part in path.split(os.sep) if part not in ("", os.curdir)][::-1]
