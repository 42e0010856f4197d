"""The few calls by which sources touch the disk, as one value that tests can replace in part."""

import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

__all__ = ["Disk"]


def _names(path: str, most: int) -> Sequence[str]:
    """List at most `most` names, so that a directory of millions costs no memory."""
    with os.scandir(path) as entries:
        names: Iterator[str] = (entry.name for entry in entries)
        return list(islice(names, most))


def _read_only(path: str) -> bool:
    return bool(os.statvfs(path).f_flag & os.ST_RDONLY)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Disk:
    """The system calls that sources make; the defaults are the real ones.

    `stat` follows links and takes a path or an open file descriptor, as `os.stat` does.
    """

    stat: Callable[[str | int], os.stat_result] = os.stat
    lstat: Callable[[str], os.stat_result] = os.lstat
    open: Callable[[str, int], int] = os.open
    read: Callable[[int, int], bytes] = os.read
    close: Callable[[int], None] = os.close
    readlink: Callable[[str], str] = os.readlink
    names: Callable[[str, int], Sequence[str]] = _names
    read_only: Callable[[str], bool] = _read_only

    def link(self, path: str) -> str | None:
        """Return where the link at `path` leads; None when there is no link, or no telling."""
        try:
            return self.readlink(path)
        except OSError:
            return None
