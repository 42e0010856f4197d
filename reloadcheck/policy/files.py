"""Reads the small files of change control, contracts and statements, whatever stands there."""

from pathlib import Path

from .._runtime.regular_file import opened

__all__ = ["bytes_of"]


def bytes_of(path: Path, most: int) -> bytes:
    """Return what a file holds, one byte more than `most` at the most; raise `OSError`."""
    with opened(path) as file:
        return file.read(most + 1)
