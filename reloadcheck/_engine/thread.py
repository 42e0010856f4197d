"""The engine thread: one a process, it alone decides.

It sleeps until a unit of work asks for a check or a timer runs out, then has one made. It must
never run foreign code or touch a file itself.
"""

import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

from .._resources.registry import Registry
from .._runtime.clock import Clock
from .._runtime.log import log
from .._runtime.reentrancy import put_inside
from .._runtime.threads import daemon
from .._schema.schema import Schema
from .._snapshots.tenancy import Cell
from ..exceptions import InternalError, NoSnapshotError, UsageError
from ..types import TIMER, Outcome, Problem, Trigger
from .gates import Seams
from .options import Options
from .probes import Probes
from .reloader import Reload
from .reporter import report_failure_inside
from .scheduler import Scheduler, StoppingError, wake
from .waiter import LAST_RESORT, LONGEST, Conclusion

C = TypeVar("C")

CLOSE_SECONDS = 0.25
"""Seconds beyond the drain that all closers together get, when there was no time before."""

READER_SECONDS = 1.0
"""Seconds that closing waits for the reader thread to end."""


class EngineThread(Generic[C]):
    """One engine in one process, from its start to its close."""

    def __init__(
        self,
        owner: object,
        seams: Seams,
        schema: Schema[C],
        registry: Registry,
        options: Options,
        clock: Clock,
        cell: Cell[C],
        versions: Iterator[int],
    ) -> None:
        self.scheduler: Scheduler[C] = Scheduler(
            options, clock, cell, needs_loop=registry.needs_loop
        )
        self.admission = self.scheduler.admission
        self.serving = self.scheduler.serving
        self.drain = self.scheduler.drain
        self.inventory = self.scheduler.inventory
        self.reload: Reload[C] = Reload(self.scheduler, owner, seams, schema, registry, versions)
        self.ended = threading.Event()
        self.checks = 0
        self._options = options
        self._clock = clock
        self._stop_after = options.drain
        self._deferred_since = 0.0
        self._settling = False
        self._cause: Trigger | None = None
        self._listeners = seams.listeners
        self._at_end: list[Callable[[], object]] = []
        self._thread = daemon("engine", put_inside(self.scheduler, self._run))

    @property
    def closing(self) -> bool:
        """Tell whether it was told to stop."""
        return self.scheduler.closing

    @property
    def lives(self) -> bool:
        """Tell whether the thread has not returned yet."""
        return self._thread.is_alive()

    @property
    def threads(self) -> list[threading.Thread]:
        """Give its own threads: the engine's and the reader's."""
        reader = self.scheduler.reader.thread
        return [self._thread] if reader is None else [self._thread, reader]

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, drain: float) -> None:
        """Have the thread drain for at most `drain` seconds, close everything and end."""
        self._stop_after = drain
        self.scheduler.closing = True
        self.admission.post(wake)

    def probe(self) -> "Future[Probes]":
        """Have the probes of what serves called; gives what will be there when all have ended."""
        answer = self.scheduler.probing.asked()
        self.admission.post(lambda: self.scheduler.probing.begin(self.serving.current, answer))
        return answer

    def on_end(self, callback: Callable[[], object]) -> None:
        """Have `callback` called in some thread when all is closed; twice at worst."""
        self._at_end.append(callback)
        if self.ended.is_set():
            callback()

    def join(self) -> None:
        """Wait until all is closed and the thread has ended.

        Not for ever: a signal handler that closes may have interrupted the thread it waits for.
        And not at all in the thread itself, where a logging handler may close.
        """
        if threading.current_thread() is self._thread:
            return
        self.ended.wait(min(self._options.drain + LAST_RESORT, LONGEST))
        self._thread.join(READER_SECONDS)

    def age(self) -> float:
        """Give the seconds since the present version was swapped in."""
        return self._clock.monotonic() - self.serving.swapped_at

    def since_check(self) -> float | None:
        """Give the seconds since the last check began; None before the first has ended."""
        checked_at = self.admission.checked_at
        return None if checked_at < 0 else self._clock.monotonic() - checked_at

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while not self.closing:
            try:
                if self._is_due():
                    self._pass()
                else:
                    self.scheduler.step(self.reload.look_at, requests=True)
            except StoppingError:
                break
            except BaseException as error:
                report_failure_inside(error)
        self._end()

    def _is_due(self) -> bool:
        if self.admission.wanted:
            return True
        if self.scheduler.has_drained:
            self.scheduler.awaited, self.reload.look_at = None, self._clock.monotonic()
        look_at = self.reload.look_at
        return look_at is not None and self._clock.monotonic() >= look_at

    def _pass(self) -> None:
        busy, eager = self.admission.begin()
        if busy:
            self.scheduler.offer(None)
        self.checks += 1
        try:
            conclusion = self.reload.check(eager=eager, trigger=self._trigger())
        except StoppingError:
            raise
        except UsageError as error:
            self.reload.report.complain(error)
            conclusion = Conclusion(Outcome.REJECTED, error)
        except BaseException as error:
            report_failure_inside(error)
            problem = Problem(f"reloadcheck failed inside with {type(error).__name__}")
            conclusion = Conclusion(Outcome.REJECTED, InternalError(problem))
        self._conclude(conclusion)

    def _trigger(self) -> Trigger:
        """Give what began it all: what was put off is still on account of whoever asked first."""
        trigger, before = self.admission.trigger, self._cause
        self._cause = before if trigger is TIMER and before is not None else trigger
        return self._cause

    def _conclude(self, conclusion: Conclusion) -> None:
        now = self._clock.monotonic()
        deferred = conclusion.outcome is Outcome.DEFERRED
        if not deferred or conclusion.settling is not self._settling:  # a new reason begins anew
            self._deferred_since = now
        self._settling = conclusion.settling
        self._cause = self._cause if deferred else None
        tired = deferred and now - self._deferred_since >= self._options.patience
        self.admission.conclude(conclusion, tired=tired, hung=self.scheduler.reader.stuck)
        log(logging.DEBUG, "check %d: %s", self.checks, conclusion.outcome)
        self._listeners.pulse()
        if self.serving.current is not None and not self.admission.settling:
            until = self.admission.checked_at + self._options.window
            self.scheduler.offer(until if self._options.enabled else None)

    def _end(self) -> None:
        scheduler = self.scheduler
        self.reload.abandon()
        scheduler.probing.close()
        self.serving.end()
        self.drain.hurry(self._clock.monotonic() + self._stop_after)
        self.admission.close(Conclusion(Outcome.DEFERRED, NoSnapshotError("the engine is closed")))
        latest = self._clock.monotonic() + self._stop_after + CLOSE_SECONDS
        while not self.drain.idle and self._clock.monotonic() < latest:
            scheduler.step(latest, requests=False)
        self.drain.abandon()
        scheduler.reader.close(READER_SECONDS)
        self.ended.set()
        self._listeners.pulse()
        for callback in self._at_end:
            with suppress(RuntimeError):  # its event loop is closed: nobody waits any more
                callback()
