"""Read one file so that the bytes are those its stamp stands for.

Takes a path and the stamp taken before, gives the bytes, or raises `TornError` when anything moved
meanwhile. It must never block on what is not a regular file, hold more than `max_bytes` and one
byte, or map the file: a mapping dies by SIGBUS when another process truncates it.
"""

import os
from typing import Final

from ..exceptions import SourceError, TornError
from ..types import Problem
from ._disk import Disk
from ._os_reasons import refusal
from ._stamp import FileStamp, file_stamp

__all__ = ["read_bytes", "too_large", "torn"]

_FLAGS: Final[int] = sum(
    getattr(os, flag, 0)
    for flag in ("O_RDONLY", "O_NONBLOCK", "O_CLOEXEC", "O_NOCTTY", "O_BINARY", "O_NOINHERIT")
)


def read_bytes(where: str, name: str, expected: FileStamp, max_bytes: int, disk: Disk) -> bytes:
    """Read the file at `where`, which errors call `name` and whose stamp was `expected`.

    The caller takes its stamp once more afterwards, which is the last step. Nothing is tried again
    here: what changed has to settle anew first.
    """
    try:
        return _read_open(where, name, expected, max_bytes, disk)
    except FileNotFoundError:
        raise torn(name) from None
    except OSError as error:
        raise SourceError(Problem(refusal(where, error, disk), path=name)) from None


def torn(name: str) -> TornError:
    """Make the error for a file or set that changed under the reader."""
    return TornError(Problem("changed while it was being read", path=name))


def too_large(name: str, max_bytes: int) -> SourceError:
    """Make the error for more bytes than a configuration may have."""
    return SourceError(Problem(f"is larger than max_bytes ({max_bytes} bytes)", path=name))


def _read_open(where: str, name: str, expected: FileStamp, max_bytes: int, disk: Disk) -> bytes:
    descriptor = disk.open(where, _FLAGS)
    try:
        before = disk.stat(descriptor)
        if file_stamp(before) != expected:  # nor is it a regular file, if it is another one
            raise torn(name)
        if before.st_size > max_bytes:
            raise too_large(name, max_bytes)
        data = _exactly(descriptor, before.st_size, disk)
        if len(data) != before.st_size or file_stamp(disk.stat(descriptor)) != expected:
            raise torn(name)
        return data
    finally:
        disk.close(descriptor)


def _exactly(descriptor: int, size: int, disk: Disk) -> bytes:
    """Read to the end, but at most one byte more than `size`: enough to see that it grew."""
    chunks: list[bytes] = []
    missing = size + 1
    while missing and (chunk := disk.read(descriptor, missing)):
        chunks.append(chunk)
        missing -= len(chunk)
    return chunks[0] if len(chunks) == 1 else b"".join(chunks)
