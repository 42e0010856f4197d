"""Which engine thread an engine has in this process, and the count of starts that hold it.

Each process has a part of its own, so that a forked child shares nothing with its parent. A signal
handler, a finalizer or a fork may come here while the code that it interrupted stands here, too.
What must happen once is therefore one operation on a built-in container, and the one lock may be
taken again by its own thread: it is held over a few assignments, and nothing is imported, started
or called under it.
"""

from __future__ import annotations

import itertools
import os
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Generic, TypeVar

from .waiter import Conclusion

if TYPE_CHECKING:
    from .thread import EngineThread

C = TypeVar("C")


class Ticket:
    """One start, from its first line on; `done` when it is through, `undone` by a close."""

    __slots__ = ("done", "undone")

    def __init__(self) -> None:
        self.done = self.undone = False


class InProcess(Generic[C]):
    """What one engine has in one process: one engine thread after the other, and its starts.

    `versions` counts the snapshots. `is_new` until an engine thread has run here. `exiting`: the
    process ends, and nothing begins any more.
    """

    def __init__(self) -> None:
        self.versions: Iterator[int] = itertools.count(1)
        self.exiting = False
        self.is_new = True
        self._lock = threading.RLock()
        self._made: dict[int, EngineThread[C] | None] = {}
        self._tickets: list[Ticket] = []

    @property
    def thread(self) -> EngineThread[C] | None:
        """Return the newest engine thread, which may be closing or closed."""
        return self._made.get(len(self._made) - 1)

    @property
    def is_held(self) -> bool:
        """Return whether a start that has succeeded, or is under way, wants the engine."""
        return bool(self._tickets)

    def open(self, make: Callable[[], EngineThread[C]]) -> EngineThread[C]:
        """Return the engine thread that is to serve, which need not run yet.

        Should two make one at the same time, the first is taken and the other was never anything.
        """
        while True:
            number = len(self._made)
            thread = self._made.get(number - 1)
            if thread is not None and not thread.closing:
                return thread
            before = self._made.get(number - 2)
            if before is not None and before.ended.is_set():
                self._made[number - 2] = None
            self._made.setdefault(number, make())

    # ------------------------------------------------------------- starts and closes

    def begin(self) -> Ticket:
        """Count a start before it does anything, so that no close of another app is for it."""
        ticket = Ticket()
        with self._lock:
            self._tickets.append(ticket)
        return ticket

    def holds(self, ticket: Ticket) -> bool:
        """Return whether no close has undone the start."""
        return not ticket.undone

    def complete(self, ticket: Ticket) -> bool:
        """Take note that a start has succeeded; False where a close has undone it meanwhile."""
        with self._lock:
            ticket.done = True
            return not ticket.undone

    def give_up(self, ticket: Ticket) -> EngineThread[C] | None:
        """Take back a start that failed; return what is to be stopped because nobody wants it."""
        with self._lock:
            self._undo(ticket)
            thread = self.thread
            return None if thread is not None and thread.is_used else self._unheld()

    def close(self) -> EngineThread[C] | None:
        """Undo one start; return what is to be stopped, where that was the last."""
        with self._lock:
            for ticket in sorted(self._tickets, key=lambda one: one.done)[-1:]:
                self._undo(ticket)
            return self._unheld()

    def _undo(self, ticket: Ticket) -> None:
        ticket.undone = True
        with suppress(ValueError):  # a close was first
            self._tickets.remove(ticket)

    def _unheld(self) -> EngineThread[C] | None:
        thread = self.thread
        if self.is_held or thread is None:
            return None
        thread.refuse()
        return thread

    def goes_on(self, thread: EngineThread[C], conclusion: Conclusion) -> bool:
        """Return whether who was answered by a close, or just before it, is to ask the next one."""
        if self.exiting or not (conclusion.closed or thread.is_over):
            return False
        newest = self.thread
        return self.is_held or (newest is not None and not newest.closing)


class Lifecycle(Generic[C]):
    """The parts of one engine in processes: this one's, and what it inherited from its parents.

    `forget` is called in a forked child for each part of a parent, before anything else happens.
    """

    def __init__(self, forget: Callable[[EngineThread[C] | None], None]) -> None:
        self._by_pid: dict[int, InProcess[C]] = {}
        self._forget = forget

    @property
    def here(self) -> InProcess[C]:
        """Return this process's part, which begins anew where no fork hook was run (uWSGI)."""
        pid = os.getpid()
        found = self._by_pid.get(pid)
        if found is not None:
            return found
        fresh: InProcess[C] = InProcess()
        found = self._by_pid.setdefault(pid, fresh)
        if found is fresh:
            self._drop([one for one in list(self._by_pid) if one != pid])
        return found

    def after_fork(self) -> None:
        """Start over in a forked child; called by the fork itself, before any other code."""
        self._drop(list(self._by_pid))

    def _drop(self, pids: Iterable[int]) -> None:
        for pid in pids:
            found = self._by_pid.pop(pid, None)
            if found is not None:
                self._forget(found.thread)
