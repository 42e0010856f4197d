"""The engine thread: one a process, it alone decides.

It sleeps until a unit of work asks for a check or a timer runs out, then has one made. It must
never run foreign code or touch a file itself.

Long because a thread that must not end has its own way back from each mistake.
"""

import logging
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Generic, TypeVar

from .._resources.registry import Registry
from .._runtime.clock import Clock
from .._runtime.log import log
from .._runtime.reentrancy import put_inside
from .._runtime.threads import daemon
from .._schema.schema import Schema
from .._snapshots.cell import Cell
from ..exceptions import InternalError, NoSnapshotError, UsageError
from ..types import TIMER, Code, Outcome, Problem, Trigger
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

FAILURE_SECONDS = 0.05
"""Seconds that the thread pauses after a mistake of our own, which may happen again at once."""


@dataclass(frozen=True, slots=True, eq=False)
class _Runner:
    """Who runs an engine: a thread of its `own`, or whoever ended it before there was one."""

    thread: threading.Thread
    own: bool


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
        self.left = threading.Event()
        self.checks = 0
        self._options = options
        self._clock = clock
        self._stop_after = options.drain
        self._deferred_since = 0.0
        self._settling = False
        self._cause: Trigger | None = None
        self._listeners = seams.listeners
        self._at_end: list[Callable[[], object]] = []
        self._runners: dict[int, _Runner] = {}
        self._starting: threading.Thread | None = None

    @property
    def closing(self) -> bool:
        """Return whether it was told to stop."""
        return self.scheduler.closing

    @property
    def is_over(self) -> bool:
        """Return whether it was told to stop and serves nothing any more."""
        return self.closing and self.serving.current is None

    @property
    def is_used(self) -> bool:
        """Return whether a request has come, or somebody but a start waits, or holds a lease."""
        current = self.serving.current
        waiters = self.admission.waiters
        if self.admission.serves_requests or any(not waiter.through_build for waiter in waiters):
            return True
        return current is not None and self.serving.leases(current) > 0

    @property
    def lives(self) -> bool:
        """Return whether the thread has not returned yet."""
        runner = self._runner
        return runner is not None and runner.own and runner.thread.is_alive()

    @property
    def threads(self) -> list[threading.Thread]:
        """Return its own threads: the engine's and the reader's."""
        runner, reader = self._runner, self.scheduler.reader.thread
        own = [] if runner is None else [runner.thread]
        return own if reader is None else [*own, reader]

    @property
    def mishaps(self) -> tuple[str, ...]:
        """Say which of its threads ended by themselves, and whether they were replaced."""
        ends = (("engine", len(self._runners) - 1), ("reader", self.scheduler.reader.replaced))
        words = "the {} thread ended by itself and was replaced (so far: {})"
        told = [words.format(name, count) for name, count in ends if count > 0]
        if self._runner is not None and not self.lives and not self.closing:
            told.append("the engine thread has ended by itself and cannot be replaced at present")
        return tuple(told)

    def ensure(self) -> None:
        """Let the thread run: start it, also where one that ran has ended by itself.

        A signal handler may be here while the code that it interrupted is. Should both start one,
        the first to run is the engine's and the other ends at once. Raises `RuntimeError` where no
        thread is to be had.
        """
        turn, runner, starting = len(self._runners), self._runner, self._starting
        if runner is not None and (not runner.own or runner.thread.is_alive()):
            return
        if self.ended.is_set() or (starting is not None and starting.is_alive()):
            return
        fresh = daemon("engine", put_inside(self.scheduler, partial(self._main, turn)))
        self._starting = fresh
        fresh.start()
        if runner is not None:
            words = "the engine thread had ended by itself and was replaced"
            log(logging.ERROR, words, code=str(Code.INTERNAL))

    @property
    def _runner(self) -> "_Runner | None":
        return self._runners.get(len(self._runners) - 1)

    def _take(self, turn: int, *, own: bool) -> bool:
        """Be the one that runs, if nobody else was in this turn."""
        runner = _Runner(threading.current_thread(), own)
        return self._runners.setdefault(turn, runner) is runner

    def refuse(self) -> None:
        """Take nobody in any more; `stop` follows."""
        self.scheduler.closing = True

    def stop(self, drain: float) -> None:
        """Let the thread drain for at most `drain` seconds, close everything and end.

        What was never run is ended here and now: there may be no thread to be had for that.
        """
        self._stop_after = min(self._stop_after, drain)
        self.scheduler.closing = True
        if not self._runners and self._take(0, own=False):
            self._end()
        else:
            self.admission.post(wake)

    def probe(self) -> "Future[Probes]":
        """Call the probes of what serves; return what will be there when all have ended."""
        answer = self.scheduler.probing.asked()
        self.admission.post(lambda: self.scheduler.probing.begin(self.serving.current, answer))
        return answer

    def on_end(self, callback: Callable[[], object]) -> None:
        """Call `callback` in some thread when all is closed; twice at worst."""
        self._at_end.append(callback)
        if self.ended.is_set():
            callback()

    def join(self) -> None:
        """Wait until all is closed and the thread has ended.

        Not for ever, and not at all where it could not go on meanwhile: in the thread itself, where
        a logging handler may close, and in a signal handler that has interrupted who talks to it.
        """
        self.ensure()
        runner = self._runner
        if runner is not None and runner.thread is threading.current_thread():
            return
        if self.admission.is_interrupted:
            return
        self.ended.wait(min(self._options.drain + LAST_RESORT, LONGEST))
        runner = self._runner
        if runner is not None and runner.own:
            runner.thread.join(READER_SECONDS)

    def age(self) -> float:
        """Return the seconds since the present version was swapped in."""
        return self._clock.monotonic() - self.serving.swapped_at

    def since_check(self) -> float | None:
        """Return the seconds since the last check began; None before the first has ended."""
        checked_at = self.admission.freshness.checked_at
        return None if checked_at < 0 else self._clock.monotonic() - checked_at

    # ------------------------------------------------------------------ in the thread

    def _main(self, turn: int) -> None:
        if not self._take(turn, own=True):
            return
        try:
            if turn:  # whoever waits for the check that the last one was at is to be answered
                self.admission.look_again()
            self._run()
            self._end()
        finally:
            if not self.ended.is_set():
                self.serving.withdraw()  # so that requests ask, and have another one started

    def _run(self) -> None:
        while not self.closing:
            try:
                if self._is_due():
                    self._pass()
                else:
                    self.scheduler.step(self.reload.look_at, requests=True)
            except StoppingError:
                return
            except BaseException as error:
                self._survive(error)

    def _survive(self, error: BaseException) -> None:
        """Go on after a mistake of our own, though there be no memory to tell it."""
        for act in (self.admission.look_again, partial(report_failure_inside, error)):
            with suppress(BaseException):
                act()
        time.sleep(FAILURE_SECONDS)

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
            self.reload.report.fail(error)
            problem = Problem(f"reloadcheck failed inside with {type(error).__name__}")
            conclusion = Conclusion(Outcome.REJECTED, InternalError(problem))
        self._conclude(conclusion)

    def _trigger(self) -> Trigger:
        """Return what began it all: what was put off is still on account of whoever asked first."""
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
        self.admission.conclusion = conclusion  # what the status says, before anybody is told
        self.reload.report.tell()
        self.admission.conclude(conclusion, tired=tired, hung=self.scheduler.reader.stuck)
        log(logging.DEBUG, "check %d: %s", self.checks, conclusion.outcome)
        self._listeners.pulse()
        if self.serving.current is not None and not self.admission.settling:
            self.scheduler.offer(self.admission.freshness.until)

    def _end(self) -> None:
        scheduler = self.scheduler
        self.reload.permission.abandon()
        scheduler.probing.close()
        self.serving.end()
        self.drain.hurry(self._clock.monotonic() + self._stop_after)
        error = NoSnapshotError("the engine is closed")
        self.admission.close(Conclusion(Outcome.DEFERRED, error, closed=True))
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
        self.left.set()
