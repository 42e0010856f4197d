"""Reads the small files of change control, contracts and statements, whatever stands there.

A pipe would keep a reader waiting for ever, and a device has no end: neither is a file.
"""

import os
import stat as modes
from pathlib import Path
from typing import Final

__all__ = ["bytes_of"]

_FLAGS: Final = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)


def bytes_of(path: Path, most: int) -> bytes:
    """Return what a file holds, one byte more than `most` at the most; raise `OSError`."""
    descriptor = os.open(path, _FLAGS | getattr(os, "O_BINARY", 0))
    with os.fdopen(descriptor, "rb") as file:
        if not modes.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError(0, "it is no file")
        return file.read(most + 1)
