"""The rights of a plain user, where the tests run as root: permissions bind only then."""

import os
from collections.abc import Generator
from contextlib import contextmanager

__all__ = ["plain_user"]

NOBODY = 65534


@contextmanager
def plain_user() -> Generator[None]:
    """Lay down root's power to read everything, until the block ends."""
    was = os.geteuid()
    if was == 0:
        os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(was)
