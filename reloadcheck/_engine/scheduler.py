"""Waiting without standing still: how the engine thread has work done elsewhere.

While a job runs in the reader, in a call thread or in the home loop, the engine thread turns: it
takes posts, lowers the fresh flag when the window runs out, and lets the drain take its steps.
"""

import logging
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from .._resources.inventory import Inventory
from .._resources.registry import Resource
from .._runtime.clock import Clock
from .._runtime.jobs import Job, OverdueError, Reader, call
from .._runtime.log import log
from .._runtime.reentrancy import put_inside
from .._snapshots.cell import Cell
from .._snapshots.drain import Drain
from .._snapshots.serving import Serving
from .admission import Admission
from .options import LEAST_READ, Options
from .phases import Phases
from .probes import Probing

C = TypeVar("C")
T = TypeVar("T")

LATE_IN_NEED = 1.0
"""Seconds, at the most, that an edit waits for units of work that may read an old resource yet."""

UNTOLD = 0.1
"""Seconds that an edit waits for an old resource to close before it says so."""


class StoppingError(Exception):
    """The engine closes; what was under way is given up."""


class Scheduler(Generic[C]):
    """What one engine has in one process, and the one thread that may change it.

    `phases` are those of the present check, `awaited` is the number of closes so far when an edit
    waits for the next one.
    """

    def __init__(
        self,
        options: Options,
        clock: Clock,
        cell: Cell[C],
        *,
        needs_loop: bool,
    ) -> None:
        self.options = options
        self.clock = clock
        self.serving: Serving[C] = Serving(clock, cell)
        self.admission: Admission[C] = Admission(
            self.serving, clock, options, needs_loop=needs_loop
        )
        self.inventory = Inventory()
        self.drain = Drain(
            self.serving,
            self.inventory,
            clock,
            options.drain,
            self.on_done,
            lambda: self.admission.home,
        )
        self.probing = Probing(clock, self.on_done)
        self.reader = Reader()
        self.closing = False
        self.phases = Phases()
        self.awaited: int | None = None

    def on_done(self) -> None:
        """Wake the thread: a job is done, or the last lease of a retired snapshot is back."""
        self.admission.post(wake)

    def after(self, seconds: float) -> float:
        """Return the deadline of what begins now."""
        return self.clock.monotonic() + seconds

    def __call__(self, job: Job[Any], deadline: float | None) -> bool:
        """Step until a job is done; False when it took longer and was abandoned."""
        return self._wait(job, deadline, job.abandon)

    def read(self, work: Callable[[], T]) -> T:
        """Let the reader thread do it; raise `OverdueError` after `patience`, or `LEAST_READ`."""
        return self._have_read(work, self.after(max(self.options.patience, LEAST_READ)))

    def load(self, work: Callable[[], T]) -> T:
        """Let the reader thread do it, for as long as it takes."""
        return self._have_read(work, None)

    def call(self, name: str, work: Callable[[], T], timeout: float) -> T:
        """Let a call thread do it; raise `OverdueError` after `timeout`."""
        if self.inventory.is_stuck(name):
            raise OverdueError
        deadline = self.after(timeout)
        job = Job[T](self.on_done)
        call(name, put_inside(self, work), job)
        try:
            if not self._wait(job, deadline, job.abandon):
                raise OverdueError
        finally:
            if job.abandoned:
                self.inventory.keep_stuck(name, job)
        return job.result()

    def _have_read(self, work: Callable[[], T], deadline: float | None) -> T:
        if self.reader.stuck:
            raise OverdueError
        job = Job[T](self.on_done)
        self.reader.submit(put_inside(self, work), job)

        def abandon() -> bool:  # a job that is merely given up may still end at once
            return job.abandon() if self.closing else self.reader.abandon(job)

        if not self._wait(job, deadline, abandon):
            raise OverdueError
        return job.result()

    def _wait(self, job: Job[Any], deadline: float | None, abandon: Callable[[], bool]) -> bool:
        while not job.done:
            late = deadline is not None and self.clock.monotonic() >= deadline
            if (late or self.closing) and abandon():
                if self.closing:
                    raise StoppingError
                return False
            self.step(deadline, requests=False)
        return True

    def step(self, until: float | None, *, requests: bool) -> None:
        """Let one thing happen: a post, a timer, a step of the drain, or the time `until`."""
        times = [until, self.drain.step(), self._expire()]
        times += [self.serving.expire(), self.probing.step()]
        if self.closing and self.drain.idle:
            return
        if requests and self.has_drained:
            return
        post = self.admission.take(
            min((at for at in times if at is not None), default=None), requests=requests
        )
        if post is not None:
            post()

    def _expire(self) -> float | None:
        """Let go of those whose patience is over; a start waits for what is being worked at."""
        freshness = self.admission.freshness
        at_work = freshness.in_flight and self.phases.at is not None
        first = self.admission.expire(at_work=at_work)
        if self.admission.late:
            self.admission.late = False
            words = "not ready after %g s, still being %s; the start waits for it"
            log(logging.WARNING, words, self.options.patience, self.phases.doing)
        return first

    def let_close(
        self,
        resource: Resource[Any],
        enough: Callable[[], bool],
        tell: Callable[[str], None],
    ) -> bool:
        """Step while closes are under way, until it is enough; say whether it is.

        What no unit of work has read is closed too, as soon as P2 asks that an edit is live. What
        is waited for is told once, where it takes longer than `UNTOLD`.
        """
        soon = min(self.options.window + self.options.settle, LATE_IN_NEED)
        until = self.drain.make_room(resource, soon)
        self.drain.step()
        tell_at: float | None = self.after(UNTOLD)
        while not enough():
            now = self.clock.monotonic()
            if not self.drain.closing.busy and (until is None or now >= until):
                break
            if self.closing:
                raise StoppingError
            if tell_at is not None and now >= tell_at:
                tell_at = None
                tell(self.drain.awaited(resource))
            times = [at for at in (until, tell_at) if at is not None and at > now]
            self.step(min(times, default=None), requests=False)
            self.drain.step()  # takes note of a close that has just ended, which no post follows
        return enough()

    @property
    def has_drained(self) -> bool:
        """Return whether a resource was closed since an edit began to wait for that."""
        return self.awaited is not None and self.awaited < self.drain.closing.closed

    def offer(self, until: float | None) -> None:
        """Let doors go on without asking, where they may, until the time given; None: for now."""
        if self.admission.serves_requests and self.admission.freshness.lasts:
            self.serving.offer(until)


def wake() -> None:
    """Do nothing: having been posted is enough."""
