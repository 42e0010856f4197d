"""All engines of this process, told of a fork and of its end; how one ends is `engine`'s."""

from __future__ import annotations

import os
import time
import weakref
from typing import TYPE_CHECKING, Any, Protocol

from .._runtime.jobs import run_inline_without_threads
from .._runtime.log import WARNING, log
from .._snapshots.unit import unit_of_work
from .exit_hooks import at_each_end, unwrap_exit
from .uwsgi import warn_before_forks

if TYPE_CHECKING:
    from .thread import EngineThread

EXIT_SECONDS = 0.25
"""Seconds that all closers together get at the interpreter's exit."""

LEAVE_SECONDS = 1.0
"""Seconds that it takes at most after that to leave a store, in which one would be missed."""


class Present(Protocol):
    """An engine, as a process knows it."""

    def after_fork(self) -> None:
        """Begin anew in a forked child."""
        ...

    def exit(self) -> EngineThread[Any] | None:
        """Begin to end with the process; return the thread to wait for."""
        ...


_engines: weakref.WeakSet[Present] = weakref.WeakSet()
_watched = 0
"""The process in which an engine was started last: this one, or one that it was forked from."""


def keep_in_sight(engine: Present) -> None:
    """Let an engine hear of forks and of the end of the process, for as long as it lives."""
    _engines.add(engine)


def watch_process() -> None:
    """Hear of forks and of the ends, from the first engine's start in each process on."""
    global _watched
    before, _watched = _watched, os.getpid()
    if before == _watched:
        return
    at_each_end(_at_exit)
    if not before:
        warn_before_forks()
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=_after_fork)


def _after_fork() -> None:
    unwrap_exit()
    unit_of_work.set(None)
    for engine in list(_engines):
        engine.after_fork()


def _at_exit() -> None:
    run_inline_without_threads()
    deadline = time.monotonic() + EXIT_SECONDS
    threads = [engine.exit() for engine in list(_engines)]
    for thread in threads:
        if thread is not None and not thread.ended.wait(max(0.0, deadline - time.monotonic())):
            names = ", ".join(one.resource.name for one in thread.inventory.instances)
            log(WARNING, "left open at exit: %s", names or "nothing")
    deadline = time.monotonic() + LEAVE_SECONDS
    for thread in threads:
        if thread is not None and thread.ended.is_set():
            thread.left.wait(max(0.0, deadline - time.monotonic()))
