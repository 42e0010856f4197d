"""Opens a file that somebody names, whatever stands there: nothing waits, and nothing is left open.

A pipe would keep a reader waiting for ever, and a device has no end: neither is a file.
"""

import errno
import os
import stat as modes
from typing import BinaryIO, Final

__all__ = ["opened"]

_FLAGS: Final = sum(
    getattr(os, flag, 0) for flag in ("O_RDONLY", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY")
)


def opened(path: str | os.PathLike[str], flags: int = 0) -> BinaryIO:
    """Return a file that is open for reading, which the caller closes; raise `OSError`."""
    descriptor = os.open(path, _FLAGS | flags)
    try:
        mode = os.fstat(descriptor).st_mode
        if modes.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
        if not modes.S_ISREG(mode):
            raise OSError(0, "it is no file")
        return os.fdopen(descriptor, "rb")
    except BaseException:
        os.close(descriptor)
        raise
