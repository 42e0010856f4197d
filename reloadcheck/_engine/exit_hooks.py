"""How Python tells that a process ends: `atexit`, a finalizer, or `os._exit` in a forked child.

Who is told is `process`'s. Python calls `atexit` where the interpreter ends. A child of
`multiprocessing` ends without it and runs that package's finalizers instead, pool workers of
`concurrent.futures` likewise. Any other forked child, such as the work horse of a job queue, ends
by `os._exit` alone, which is wrapped there: in a process that was forked, has executed no program
of its own, and has an engine. What is killed by a signal closes nothing.
"""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Final, NoReturn

_IMPORTED_IN: Final = os.getpid()

_FORKED_WITHOUT_EXEC: Final = 0x40
"""The flag `PF_FORKNOEXEC` among those that Linux tells of a process (proc(5), field 9)."""

_LAST: Final = -1000
"""The priority of our finalizer: after those that wait for the child's own children."""

_hooked = False
_real_exit = os._exit  # pyright: ignore[reportPrivateUsage] - the name


def at_each_end(close: Callable[[], object]) -> None:
    """Call `close` when this process ends; called in each process that has an engine.

    It may be called more than once, and must not wait for long.
    """
    global _hooked
    if not _hooked:
        _hooked = True
        atexit.register(close)  # a forked child inherits it
    if not _finalized_by_multiprocessing(close) and _was_forked():
        _wrap_exit(close)


def _finalized_by_multiprocessing(close: Callable[[], object]) -> bool:
    process, util = (sys.modules.get(f"multiprocessing.{name}") for name in ("process", "util"))
    if process is None or util is None or process.parent_process() is None:
        return False
    util.Finalize(None, _closed_and_said, (close,), exitpriority=_LAST)
    return True


def _closed_and_said(close: Callable[[], object]) -> None:
    """Close, and let what closers printed be seen: since 3.14 these streams were flushed before."""
    try:
        close()
    finally:
        for stream in (sys.stdout, sys.stderr):
            with suppress(AttributeError, OSError, ValueError):
                stream.flush()


def _was_forked() -> bool:
    """Return whether this process is a fork of another that runs the same program."""
    if os.getpid() != _IMPORTED_IN:
        return True
    try:
        with open("/proc/self/stat", "rb") as stat:
            flags = int(stat.read().rpartition(b")")[2].split()[6])
    except (OSError, ValueError, IndexError):
        return False
    return bool(flags & _FORKED_WITHOUT_EXEC)


def _wrap_exit(close: Callable[[], object]) -> None:
    owner = os.getpid()

    def _exit(status: int) -> NoReturn:
        """Close the engines of this process, then end it with the status given."""
        try:
            if os.getpid() == owner:
                close()
        finally:
            _real_exit(status)

    os._exit = _exit  # pyright: ignore[reportPrivateUsage] - there is no other hook


def unwrap_exit() -> None:
    """Let a forked child end as it would without us, until it has an engine of its own."""
    os._exit = _real_exit  # pyright: ignore[reportPrivateUsage]
