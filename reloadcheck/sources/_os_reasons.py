"""Turn what the operating system refused into a reason that an operator can act on.

Takes a path and an `OSError` or a mode, gives a sentence without the path's own name. It may stat
and read links to find the culprit, and must never open anything.
"""

import errno
import os
import stat
from typing import Final

from ._disk import Disk

__all__ = ["kind", "refusal"]

_PLAIN: Final = {
    errno.ELOOP: "symbolic links form a loop",
    errno.ENAMETOOLONG: "the name is too long for the file system",
    errno.EIO: "the disk reports an input/output error",
    errno.ESTALE: "the file server no longer knows this file (stale handle)",
    errno.ENOTCONN: "the file system is not connected",
    errno.EMFILE: "this process has too many open files",
    errno.ENFILE: "this machine has too many open files",
    errno.ENXIO: "is a socket or a device, not a file",
    errno.ENOMEM: "there is not enough memory",
    errno.ETIMEDOUT: "the file server does not answer",
}

_KINDS: Final = (
    (stat.S_ISDIR, "is a directory, not a file"),
    (stat.S_ISFIFO, "is a FIFO, not a file"),
    (stat.S_ISSOCK, "is a socket, not a file"),
    (stat.S_ISCHR, "is a character device, not a file"),
    (stat.S_ISBLK, "is a block device, not a file"),
)


def kind(mode: int) -> str | None:
    """Say what stands in a regular file's place; None when it is a regular file."""
    if stat.S_ISREG(mode):
        return None
    return next((words for test, words in _KINDS if test(mode)), "is not a regular file")


def refusal(path: str, error: OSError, disk: Disk) -> str:
    """Say why `path` could not be used."""
    if isinstance(error, FileNotFoundError):
        return _missing(path, disk)
    if isinstance(error, NotADirectoryError):
        return _not_a_directory(path, disk)
    if isinstance(error, PermissionError):
        return _denied(path, disk)
    number = error.errno or 0
    return _PLAIN.get(number) or f"cannot be read: {os.strerror(number)}"


def _missing(path: str, disk: Disk) -> str:
    target = disk.link(path)
    if target is not None:
        return f"is a dangling symbolic link to {target}"
    for parent in _parents(path):
        target = disk.link(parent)
        if not _exists(parent, disk):
            found = f"is a dangling symbolic link to {target}" if target else "does not exist"
            return f"does not exist: its directory {parent} {found}"
    return "does not exist"


def _not_a_directory(path: str, disk: Disk) -> str:
    for parent in _parents(path):
        if _exists(parent, disk) and not _exists(os.path.join(parent, "."), disk):
            return f"does not exist: {parent} is a file, not a directory"
    return "does not exist: a parent of it is a file, not a directory"


def _denied(path: str, disk: Disk) -> str:
    # A link may lead through a directory that the path as written does not name.
    for parent in (*_parents(path), *_parents(os.path.realpath(path))):
        try:
            disk.stat(os.path.join(parent, "."))
        except PermissionError:
            return f"permission denied for its directory {parent}"
        except OSError:
            continue
    return f"permission denied{_who(path, disk)}"


def _who(path: str, disk: Disk) -> str:
    """Say whose it is and who this process is, where the system lets it be known."""
    try:
        status = disk.stat(path)
    except OSError:
        return " for the file"
    owner = f"mode {stat.S_IMODE(status.st_mode):04o}, owned by {status.st_uid}:{status.st_gid}"
    if not hasattr(os, "geteuid"):
        return f": {owner}"
    groups = ", ".join(str(group) for group in sorted({os.getegid(), *os.getgroups()}))
    return f": {owner}; this process is uid {os.geteuid()}, groups {groups}"


def _parents(path: str) -> list[str]:
    """Return the directories above `path`, the topmost first."""
    found: list[str] = []
    while (parent := os.path.dirname(path)) != path:
        found.append(parent)
        path = parent
    return found[::-1]


def _exists(path: str, disk: Disk) -> bool:
    try:
        disk.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError:
        return True
    return True
