"""Close what was retired, once, after its last user or at its deadline, in reverse order.

Runs in the engine thread, a step at a time: each step starts at most one close or takes note of one
that ended, and says when to look again. Never blocks, and a close that fails or hangs stops no
other.
"""

import logging
from collections.abc import Callable
from typing import Any

from ._build import Roster
from ._calls import Job
from ._clock import Clock
from ._home import LoopGoneError
from ._instances import Instance
from ._snapshot import Tenancy

_logger = logging.getLogger("reloadcheck")


class Drain:
    """Everything that is retired and not closed yet.

    `settled` is what a closing job calls when it is done. `drain` is in seconds and the default for
    resources without one of their own. `hurry()` lets the deadlines of all pass at a given time.
    """

    def __init__(
        self, roster: Roster, clock: Clock, drain: float, settled: Callable[[], None]
    ) -> None:
        self._roster = roster
        self._clock = clock
        self._drain = drain
        self._settled = settled
        self._retired: list[Tenancy[Any]] = []
        self._closing: tuple[Instance, Job[None], float] | None = None
        self._latest: float | None = None
        self.closed = 0
        self.closes: dict[str, int] = {}
        self.forced = 0

    @property
    def retired(self) -> list[Tenancy[Any]]:
        """Give the retired snapshots that are still leased."""
        return list(self._retired)

    @property
    def idle(self) -> bool:
        """Tell whether nothing is left to drain or to close."""
        return not self._retired and self._closing is None and self._next() is None

    @property
    def busy(self) -> bool:
        """Tell whether a close is under way; it ends by its time-out at the latest."""
        return self._closing is not None

    def retire(self, tenancy: Tenancy[Any]) -> None:
        """Stop handing a snapshot out; call after another one has taken its place."""
        tenancy.retired_at = self._clock.monotonic()
        tenancy.retired = True
        self._retired.append(tenancy)

    def hurry(self, deadline: float) -> None:
        """Have every deadline pass at `deadline` (monotonic seconds) at the latest."""
        self._latest = deadline

    def step(self) -> float | None:
        """Do what can be done now; give the time to look again, None for: when told to."""
        now = self._clock.monotonic()
        self._release(now)
        while True:
            if self._closing is not None and not self._ended(now):
                return self._closing[2]
            instance = self._next()
            if instance is None:
                return self._deadline()
            self._start(instance, now)

    def _release(self, now: float) -> None:
        """Let go of the snapshots that nobody leases, and force those past their deadline."""
        for tenancy in list(self._retired):
            if tenancy.held:
                self._force(tenancy, now)
            if not tenancy.held:
                self._retired.remove(tenancy)
                for instance in tenancy.instances:
                    instance.holders.discard(tenancy)

    def _force(self, tenancy: Tenancy[Any], now: float) -> None:
        for instance in tenancy.instances:
            if tenancy in instance.holders and self._due(tenancy, instance) <= now:
                instance.holders.discard(tenancy)
                if instance.holders or instance.closed:
                    continue
                instance.forced = True
                self.forced += 1
                _logger.warning(
                    "resource %s of version %d is closed at its drain deadline, %.1f s after it was"
                    " retired, while %d unit(s) of work still use it: %s",
                    instance.resource.name,
                    tenancy.snapshot.version,
                    now - tenancy.retired_at,
                    len(tenancy.held),
                    ", ".join(sorted(set(tenancy.held.values()))[:5]),
                )
        if self._capped(tenancy.retired_at + self._drain) <= now and not any(
            tenancy in instance.holders for instance in tenancy.instances
        ):
            tenancy.held.clear()

    def _due(self, tenancy: Tenancy[Any], instance: Instance) -> float:
        drain = instance.resource.drain
        return self._capped(tenancy.retired_at + (self._drain if drain is None else drain))

    def _capped(self, deadline: float) -> float:
        return deadline if self._latest is None else min(deadline, self._latest)

    def _deadline(self) -> float | None:
        times = [
            self._due(tenancy, instance)
            for tenancy in self._retired
            for instance in tenancy.instances
            if tenancy in instance.holders
        ]
        times += [self._capped(tenancy.retired_at + self._drain) for tenancy in self._retired]
        return min(times, default=None)

    def _next(self) -> Instance | None:
        """Find the newest instance that nobody may use any more, nor anything built on it."""
        for instance in reversed(self._roster.instances):
            if instance.holders or not instance.closable:
                continue
            if not any(instance in other.needs for other in self._roster.instances):
                return instance
        return None

    def _start(self, instance: Instance, now: float) -> None:
        instance.closed = True
        job = instance.close(self._settled)
        self._closing = (instance, job, now + instance.resource.timeout)

    def _ended(self, now: float) -> bool:
        if self._closing is None:
            return True
        instance, job, deadline = self._closing
        if not job.done and (now < deadline or not job.abandon()):
            return job.done
        name, timeout = instance.resource.name, instance.resource.timeout
        if not job.done:
            instance.cancel()
            self._roster.keep_stuck(name, job)
            _logger.warning("closing resource %s did not return within %g s", name, timeout)
        elif job.error is not None and not isinstance(job.error, LoopGoneError):
            _logger.warning("closing resource %s raised %s", name, type(job.error).__name__)
        self._roster.remove(instance)
        self.closed += 1
        self.closes[name] = self.closes.get(name, 0) + 1
        self._closing = None
        return True
