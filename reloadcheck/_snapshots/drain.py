"""Close what was retired, once, after its last user or at its deadline, in reverse order.

Runs in the engine thread, a step at a time: each step starts at most one close or takes note of one
that ended, and says when to look again. Never blocks, and a close that fails or hangs stops no
other.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from .._resources.instance import Instance
from .._resources.inventory import Inventory
from .._runtime.clock import Clock
from .._runtime.foreign import raised
from .._runtime.jobs import Job, NoThreadError
from .._runtime.log import log
from .._runtime.loop_task import LoopGoneError
from ..types import Code
from .holders import described, found
from .serving import Serving
from .tenancy import LiveSnapshot

if TYPE_CHECKING:
    import asyncio

SLOW_CLOSE, SLOW_AT_THE_END = 1.0, 0.02
"""Seconds after which a close that has not returned holds up the others no longer; and what they
are once the time to drain is over and all closers share what is left."""

SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two looks at who still holds a retired snapshot, besides being told."""

SHOWN_LABELS = 5
"""How many of those who still hold a resource one warning names."""


@dataclass(frozen=True, slots=True)
class _Close:
    """A close under way; times are monotonic seconds."""

    instance: Instance
    job: Job[None]
    deadline: float
    slow_at: float


class Drain:
    """Everything that is retired and not closed yet.

    `settled` is what a closing job calls when it is done. `drain` is in seconds and the default for
    resources without one of their own, `loop` gives the home loop. `hurry()` lets the deadlines of
    all pass at a given time.
    """

    def __init__(
        self,
        serving: Serving[Any],
        inventory: Inventory,
        clock: Clock,
        drain: float,
        settled: Callable[[], None],
        loop: Callable[[], asyncio.AbstractEventLoop | None],
    ) -> None:
        self._serving = serving
        self._inventory = inventory
        self._clock = clock
        self._drain = drain
        self._settled = settled
        self._loop = loop
        self._closing: list[_Close] = []
        self._latest: float | None = None
        self._no_thread_until = 0.0
        self.closed = 0
        self.closes: dict[str, int] = {}
        self.forced: dict[str, int] = {}
        self.outlived = 0

    @property
    def idle(self) -> bool:
        """Tell whether nothing is left to drain or to close."""
        return not self._serving.retired and not self._closing and self._next() is None

    @property
    def busy(self) -> bool:
        """Tell whether a close is under way; it ends by its time-out at the latest."""
        return bool(self._closing)

    def hurry(self, deadline: float) -> None:
        """Have every deadline pass at `deadline` (monotonic seconds) at the latest."""
        self._latest = deadline

    def step(self) -> float | None:
        """Do what can be done now; give the time to look again, None for: when told to."""
        now = self._clock.monotonic()
        self._release(now)
        self._closing = [one for one in self._closing if not self._ended(one, now)]
        while (instance := self._next()) is not None and self._may_start(now):
            self._start(instance, now)
        times = [one.deadline for one in self._closing]
        times += [one.slow_at for one in self._closing if one.slow_at > now]
        if self._no_thread_until > now:
            times.append(self._no_thread_until)
        times += [now + _pause(now - one.retired_at) for one in self._serving.retired]
        deadline = self._deadline()
        return min([*times, *([] if deadline is None else [deadline])], default=None)

    def abandon(self) -> None:
        """Give up what is still open or closing, and say so; for the very end."""
        for close in self._closing:
            close.job.abandon()
        left = ", ".join(one.resource.name for one in self._inventory.instances)
        if left:
            log(logging.WARNING, "left open at the end: %s", left)

    def _may_start(self, now: float) -> bool:
        """One after the other, unless one is slow."""
        return now >= self._no_thread_until and all(one.slow_at <= now for one in self._closing)

    def _release(self, now: float) -> None:
        """Let go of the snapshots that nobody leases, and force those past their deadline."""
        for live_snapshot in self._serving.retired:
            if leases := live_snapshot.leases():
                self._force(live_snapshot, leases, now)
            if not live_snapshot.leases():
                self._serving.drop(live_snapshot)
                for instance in live_snapshot.instances:
                    instance.holders.discard(live_snapshot)

    def _force(self, live_snapshot: LiveSnapshot[Any], leases: int, now: float) -> None:
        for instance in live_snapshot.instances:
            if live_snapshot in instance.holders and self._due(live_snapshot, instance) <= now:
                instance.holders.discard(live_snapshot)
                if instance.holders or instance.closed:
                    continue
                instance.forced = True
                name = instance.resource.name
                self.forced[name] = self.forced.get(name, 0) + 1
                log(
                    logging.WARNING,
                    "resource %s of version %d is closed at its drain deadline while %d unit(s) of"
                    " work, all of them older than %.1f s, still use it: %s",
                    name,
                    live_snapshot.snapshot.version,
                    leases,
                    now - live_snapshot.retired_at,
                    _labels(live_snapshot, self._loop()),
                    code=str(Code.FORCED_CLOSE),
                )
        if self._capped(live_snapshot.retired_at + self._drain) <= now and not any(
            live_snapshot in instance.holders for instance in live_snapshot.instances
        ):
            self.outlived += leases
            live_snapshot.abandon()

    def _due(self, live_snapshot: LiveSnapshot[Any], instance: Instance) -> float:
        drain = instance.resource.drain
        return self._capped(live_snapshot.retired_at + (self._drain if drain is None else drain))

    def _capped(self, deadline: float) -> float:
        return deadline if self._latest is None else min(deadline, self._latest)

    def _deadline(self) -> float | None:
        times = [
            self._due(live_snapshot, instance)
            for live_snapshot in self._serving.retired
            for instance in live_snapshot.instances
            if live_snapshot in instance.holders
        ]
        times += [
            self._capped(live_snapshot.retired_at + self._drain)
            for live_snapshot in self._serving.retired
        ]
        return min(times, default=None)

    def _next(self) -> Instance | None:
        """Find the newest instance that nobody may use any more, nor anything built on it."""
        for instance in reversed(self._inventory.instances):
            if instance.closed or instance.holders or not instance.closable:
                continue
            if not any(instance in other.needs for other in self._inventory.instances):
                return instance
        return None

    def _start(self, instance: Instance, now: float) -> None:
        instance.closed = True
        job = instance.close(self._settled)
        hurried = self._latest is not None and now >= self._latest
        if isinstance(job.error, NoThreadError) and not hurried:
            instance.closed = False
            self._no_thread_until = now + LONGEST_PAUSE
            return
        slow_at = now + (SLOW_AT_THE_END if hurried else SLOW_CLOSE)
        close = _Close(instance, job, now + instance.resource.timeout, slow_at)
        if not self._ended(close, now):
            self._closing.append(close)

    def _ended(self, close: _Close, now: float) -> bool:
        job, name = close.job, close.instance.resource.name
        if not job.done and (now < close.deadline or not job.abandon()):
            return job.done
        if not job.done:
            close.instance.cancel()
            self._inventory.keep_stuck(name, job)
            timeout = close.instance.resource.timeout
            words = "closing resource %s did not return within %g s"
            log(logging.WARNING, words, name, timeout, code=str(Code.CLOSE))
        elif job.error is not None and not isinstance(job.error, LoopGoneError):
            words = "closing resource %s raised %s"
            log(logging.WARNING, words, name, raised(job.error), code=str(Code.CLOSE))
        self._inventory.remove(close.instance)
        self.closed += 1
        self.closes[name] = self.closes.get(name, 0) + 1
        return True


def _pause(since: float) -> float:
    """Give how long a lease that ended without a word may stay unnoticed, in seconds.

    One whose holder was dropped, not ended; or that was given back in the very step between looking
    whether to tell and letting go.
    """
    return min(max(SHORTEST_PAUSE, since / 4), LONGEST_PAUSE)


def _labels(live_snapshot: LiveSnapshot[Any], loop: asyncio.AbstractEventLoop | None) -> str:
    """Name those who still hold it."""
    hold = live_snapshot.hold
    holders = [*live_snapshot.held.values(), *hold.known.values(), *found(hold, loop)]
    labels = sorted({described(holder) for holder in holders})
    return ", ".join(labels[:SHOWN_LABELS]) or "unknown"
