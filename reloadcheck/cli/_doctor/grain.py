"""Measure how finely a file system stamps its files, on a file that nobody sees.

Writes to a file without a name where the file system has such files, else to a hidden one that is
removed again.
"""

import errno
import os
import tempfile
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

from .finding import Finding, passed, warned
from .machine import Machine

__all__ = ["Grain", "measured", "time_stamps"]

_LONGEST: Final = 2.6
"""Seconds; more than the coarsest step there is, the 2 s of FAT."""

_STEPS: Final = 5
_AT_ONCE: Final = 200
_COARSE: Final = 0.1
_SKEW: Final = 3.0
_UNNAMED: Final = getattr(os, "O_TMPFILE", 0) | os.O_RDWR | os.O_CLOEXEC


@dataclass(frozen=True, slots=True)
class Grain:
    """In seconds: the smallest step seen, None for none, and how far the clock is ahead of ours."""

    step: float | None
    ahead: float


def time_stamps(directory: str, machine: Machine) -> Finding:
    """Say how fine the time stamps of files in a directory are."""
    check = "time stamps"
    try:
        grain = measured(directory, machine)
    except OSError as error:
        said = f"not measured: no file can be written beside it ({os.strerror(error.errno or 0)})"
        return passed(check, said)
    if abs(grain.ahead) > _SKEW + (grain.step or _LONGEST):
        way = "ahead of" if grain.ahead > 0 else "behind"
        said = f"the file system's clock is {abs(grain.ahead):.0f} s {way} this machine's"
        return warned(check, said, "synchronise the clocks of both")
    if grain.step is not None and grain.step <= _COARSE:
        return passed(check, f"in steps of {_spelled(grain.step)}, measured")
    step = f"more than {_LONGEST:g} s" if grain.step is None else _spelled(grain.step)
    return warned(
        check,
        f"in steps of {step}, measured: two edits of equal size within one look like one",
        "nothing here: young files are read again. Other watchers may miss such edits",
    )


def measured(directory: str, machine: Machine) -> Grain:
    """Write until the time stamp has moved some times, for at most 2.6 s; may raise OSError."""
    stamps: list[int] = []
    ahead = 0.0
    with _scratch(directory) as descriptor:
        end = machine.monotonic() + _LONGEST
        writes = 0
        while len(stamps) <= _STEPS and machine.monotonic() < end:
            os.pwrite(descriptor, b"x", 0)
            before = machine.wall()
            stamp = machine.stat(descriptor).st_mtime_ns
            if not stamps or stamp != stamps[-1]:
                ahead = stamp / 1e9 - before
                stamps.append(stamp)
            writes += 1
            if writes > _AT_ONCE:
                time.sleep(0.0005)
    steps = [later - earlier for earlier, later in pairwise(stamps)]
    return Grain(min(map(abs, steps)) / 1e9 if steps else None, ahead)


@contextmanager
def _scratch(directory: str) -> Generator[int]:
    remove: Callable[[], None] | None = None
    try:
        descriptor = os.open(directory, _UNNAMED, 0o600)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT):
            raise
        descriptor, name = tempfile.mkstemp(prefix=".reloadcheck-", dir=directory)
        remove = lambda: os.unlink(name)  # noqa: E731
    try:
        yield descriptor
    finally:
        os.close(descriptor)
        if remove is not None:
            with suppress(OSError):
                remove()


def _spelled(seconds: float) -> str:
    for unit, size in (("s", 1.0), ("ms", 1e-3), ("µs", 1e-6)):
        if seconds >= size * 0.9995:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds * 1e9:.0f} ns"
