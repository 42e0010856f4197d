"""Stamps of files, and the rules that say when a stamp may be read and when it may be trusted.

Takes what `os.stat` gave and two clock readings, gives verdicts; it must never ask a clock or the
disk itself. Stamps are compared with `!=`: an older time is as much of a change as a newer one.
"""

import os
from typing import TypeAlias

__all__ = ["FileStamp", "file_stamp", "newest_ns"]

FileStamp: TypeAlias = tuple[int, int, int, int, int]


def file_stamp(status: os.stat_result) -> FileStamp:
    """Return what tells without reading that a file did not change."""
    return (
        status.st_dev,
        status.st_ino,
        status.st_size,
        status.st_mtime_ns,
        status.st_ctime_ns,
    )


def newest_ns(*statuses: os.stat_result) -> int | None:
    """Return the newest change time among them, in nanoseconds; None where there is none."""
    if len(statuses) == 1:  # a file, as nearly always, and there may be a thousand
        return max(statuses[0].st_mtime_ns, statuses[0].st_ctime_ns)
    return max((max(each.st_mtime_ns, each.st_ctime_ns) for each in statuses), default=None)
