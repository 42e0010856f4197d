"""The engine thread: one a process, it alone decides.

It sleeps until a unit of work asks for a check or a timer runs out, then has one made. It must
never run foreign code or touch a file itself.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import suppress
from typing import Generic, TypeVar

from ._clock import Clock
from ._codes import Code
from ._desk import LAST_RESORT, LONGEST, Conclusion
from ._events import TIMER, Trigger
from ._listeners import Listeners
from ._log import log
from ._options import Options
from ._probing import Probes
from ._reload import Reload
from ._report import report_failure_inside
from ._resources import Registry
from ._schema import Schema
from ._snapshot import Cell
from ._turning import StoppingError, Turning, wake
from .exceptions import ConfigError, NotStartedError, UsageError
from .types import Outcome, Problem, Source

C = TypeVar("C")

CLOSE_SECONDS = 0.25
"""Seconds beyond the drain that all closers together get, when there was no time before."""

READER_SECONDS = 1.0
"""Seconds that closing waits for the reader thread to end."""


class InternalError(ConfigError):
    """A mistake of this package, met while it looked at the configuration."""

    code = Code.INTERNAL


class EngineThread(Generic[C]):
    """One engine in one process, from its start to its close."""

    def __init__(
        self,
        owner: object,
        sources: Sequence[Source],
        schema: Schema[C],
        registry: Registry,
        options: Options,
        clock: Clock,
        cell: Cell[C],
        listeners: Listeners,
        versions: Iterator[int],
    ) -> None:
        self.turning: Turning[C] = Turning(options, clock, cell, needs_loop=registry.needs_loop)
        self.desk = self.turning.desk
        self.drain = self.turning.drain
        self.roster = self.turning.roster
        self.reload: Reload[C] = Reload(
            self.turning, owner, sources, schema, registry, listeners, versions
        )
        self.ended = threading.Event()
        self.checks = 0
        self._options = options
        self._clock = clock
        self._stop_after = options.drain
        self._deferred_since = 0.0
        self._settling = False
        self._cause: Trigger | None = None
        self._listeners = listeners
        self._at_end: list[Callable[[], object]] = []
        self._thread = threading.Thread(target=self._run, name="reloadcheck-engine", daemon=True)

    @property
    def closing(self) -> bool:
        """Tell whether it was told to stop."""
        return self.turning.closing

    @property
    def lives(self) -> bool:
        """Tell whether the thread has not returned yet."""
        return self._thread.is_alive()

    @property
    def threads(self) -> list[threading.Thread]:
        """Give its own threads: the engine's and the reader's."""
        reader = self.turning.reader.thread
        return [self._thread] if reader is None else [self._thread, reader]

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self, drain: float) -> None:
        """Have the thread drain for at most `drain` seconds, close everything and end."""
        self._stop_after = drain
        self.turning.closing = True
        self.desk.post(wake)

    def probe(self) -> "Future[Probes]":
        """Have the probes of what serves called; gives what will be there when all have ended."""
        answer = self.turning.probing.asked()
        self.desk.post(lambda: self.turning.probing.begin(self.desk.current, answer))
        return answer

    def on_end(self, callback: Callable[[], object]) -> None:
        """Have `callback` called in some thread when all is closed; twice at worst."""
        self._at_end.append(callback)
        if self.ended.is_set():
            callback()

    def join(self) -> None:
        """Wait until all is closed and the thread has ended.

        Not for ever: a signal handler that closes may have interrupted the thread it waits for.
        """
        self.ended.wait(min(self._options.drain + LAST_RESORT, LONGEST))
        self._thread.join(READER_SECONDS)

    def age(self) -> float:
        """Give the seconds since the present version was swapped in."""
        return self._clock.monotonic() - self.reload.swapped_at

    def since_check(self) -> float | None:
        """Give the seconds since the last check began; None before the first has ended."""
        checked_at = self.desk.checked_at
        return None if checked_at < 0 else self._clock.monotonic() - checked_at

    # ------------------------------------------------------------------ in the thread

    def _run(self) -> None:
        while not self.closing:
            try:
                if self._is_due():
                    self._pass()
                else:
                    self.turning.turn(self.reload.look_at, requests=True)
            except StoppingError:
                break
            except BaseException as error:
                report_failure_inside(error)
        self._end()

    def _is_due(self) -> bool:
        if self.desk.wanted:
            return True
        if self.turning.has_drained:
            self.turning.awaited, self.reload.look_at = None, self._clock.monotonic()
        look_at = self.reload.look_at
        return look_at is not None and self._clock.monotonic() >= look_at

    def _pass(self) -> None:
        busy, eager = self.desk.begin()
        if busy:
            self.turning.raise_flag(None)
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
        trigger, before = self.desk.trigger, self._cause
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
        self.desk.conclude(conclusion, tired=tired, hung=self.turning.reader.stuck)
        log(logging.DEBUG, "check %d: %s", self.checks, conclusion.outcome)
        self._listeners.pulse()
        if self.desk.current is not None and not self.desk.settling:
            until = self.desk.checked_at + self._options.window
            self.turning.raise_flag(until if self._options.enabled else None)

    def _end(self) -> None:
        turning = self.turning
        turning.probing.close()
        current, self.desk.current = self.desk.current, None
        if current is not None and turning.cell.offers(current):
            turning.clear_flag()  # else a thread started meanwhile has its own there
        if current is not None:
            self.drain.retire(current)
        self.drain.hurry(self._clock.monotonic() + self._stop_after)
        self.desk.close(Conclusion(Outcome.DEFERRED, NotStartedError("the engine is closed")))
        latest = self._clock.monotonic() + self._stop_after + CLOSE_SECONDS
        while not self.drain.idle and self._clock.monotonic() < latest:
            turning.turn(latest, requests=False)
        self.drain.abandon()
        turning.reader.close(READER_SECONDS)
        self.ended.set()
        self._listeners.pulse()
        for callback in self._at_end:
            with suppress(RuntimeError):  # its event loop is closed: nobody waits any more
                callback()
