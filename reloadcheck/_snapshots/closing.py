"""Close retired instances one after the other: each once, and a hanging one holds up no other.

When is `drain`'s. Takes instances that nobody may use any more; foreign code runs in jobs. Never
blocks: a step takes note of what has ended and of what is overdue.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from .._resources.instance import Instance
from .._resources.inventory import Inventory
from .._runtime.foreign import raised
from .._runtime.jobs import Job, NoThreadError
from .._runtime.log import log
from .._runtime.loop_task import LoopGoneError
from ..types import Code

SLOW_CLOSE, SLOW_AT_THE_END = 1.0, 0.02
"""Seconds after which a close that has not returned holds up the others no longer; and what they
are once the time to drain is over and all closers share what is left."""

NO_THREAD_PAUSE = 1.0
"""Seconds until a close is tried again that got no thread."""


@dataclass(frozen=True, slots=True)
class _Close:
    """A close under way; times are monotonic seconds."""

    instance: Instance
    job: Job[None]
    deadline: float
    slow_at: float


class Closing:
    """The closes under way. `on_done` is what a closing job calls when it is done."""

    def __init__(self, inventory: Inventory, on_done: Callable[[], None]) -> None:
        self._inventory = inventory
        self._on_done = on_done
        self._under_way: list[_Close] = []
        self._no_thread_until = 0.0
        self.closed = 0
        self.closes: dict[str, int] = {}

    @property
    def busy(self) -> bool:
        """Return whether a close is under way; it ends by its time-out at the latest."""
        return bool(self._under_way)

    def may_start(self, now: float) -> bool:
        """Return whether the next may begin: one after the other, unless one is slow."""
        return now >= self._no_thread_until and all(one.slow_at <= now for one in self._under_way)

    def note(self, now: float) -> None:
        """Take note of closes that have ended or take too long."""
        self._under_way = [one for one in self._under_way if not self._ended(one, now)]

    def times(self, now: float) -> list[float]:
        """Return when to look again."""
        times = [one.deadline for one in self._under_way]
        times += [one.slow_at for one in self._under_way if one.slow_at > now]
        return [*times, self._no_thread_until] if self._no_thread_until > now else times

    def put_off(self, seconds: float) -> None:
        """Return every close that much longer."""
        self._under_way = [
            replace(one, deadline=one.deadline + seconds, slow_at=one.slow_at + seconds)
            for one in self._under_way
        ]

    def abandon(self) -> None:
        """Abandon what is still closing, and name all that is left open; for the very end."""
        for close in self._under_way:
            close.job.abandon()
        left = ", ".join(one.resource.name for one in self._inventory.instances)
        if left:
            log(logging.WARNING, "left open at the end: %s", left)

    def start(self, instance: Instance, now: float, *, hurried: bool) -> None:
        """Let an instance closed. `hurried`: all closers share what time is left."""
        job = instance.close(self._on_done)
        if isinstance(job.error, NoThreadError) and not hurried:
            instance.closed = False
            self._no_thread_until = now + NO_THREAD_PAUSE
            return
        slow_at = now + (SLOW_AT_THE_END if hurried else SLOW_CLOSE)
        close = _Close(instance, job, now + instance.resource.timeout, slow_at)
        if not self._ended(close, now):
            self._under_way.append(close)

    def _ended(self, close: _Close, now: float) -> bool:
        job, name = close.job, close.instance.resource.name
        if not job.done and close.instance.is_homeless:  # a loop that ends may forget what it took
            job.fail(LoopGoneError())
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
