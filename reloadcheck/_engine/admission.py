"""Where units of work and the engine thread meet: who may go on, who waits, and what is asked for.

Everything here is short, under one lock, and calls nothing foreign. A unit of work never runs a
check: it asks for one and, at most, waits for what it came to.

Long because who waits, and for how long, is one rule with many cases.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING, Generic, TypeVar

from .._runtime.clock import Clock
from .._snapshots.serving import Serving
from .._snapshots.tenancy import LiveSnapshot
from ..types import TIMER, Outcome, Trigger
from .freshness import Age, Freshness
from .options import Options

if TYPE_CHECKING:
    import asyncio
from .waiter import LEAST_START, Conclusion, Waiter

C = TypeVar("C")


def _look_again() -> None:
    """Do nothing: having been posted is enough."""


class Admission(Generic[C]):
    """What the engine thread and all others share.

    `freshness` is how old the last result is. `settling`: units of work wait, after an idle time,
    for a file to become quiet; `gave_up_waiting`: nobody waits, for it never does or its disk
    hangs. `serves_requests`: one has come, so that the fresh flag may be raised (a process that
    only prepares to fork has none). `home` is the event loop where async resources are to live,
    `built_in` the one where they do. `trigger` is what had the present check made.
    """

    def __init__(
        self, serving: Serving[C], clock: Clock, options: Options, *, needs_loop: bool
    ) -> None:
        self.serving = serving
        self._needs_loop = needs_loop
        self.condition = threading.Condition()
        self.serves_requests = False
        self.wanted = False
        self.home: asyncio.AbstractEventLoop | None = None
        self.built_in: asyncio.AbstractEventLoop | None = None
        self.begun = 0
        self.freshness = Freshness(options)
        self.late = False
        self.conclusion: Conclusion | None = None
        self.settling = self.gave_up_waiting = False
        self.waiters: list[Waiter] = []
        self._busy = False
        self._eager = False
        self._closed: Conclusion | None = None
        self._cause: Trigger | None = None
        self.trigger = TIMER
        self._posts: deque[Callable[[], None]] = deque()
        self._clock = clock
        self._options = options

    # ------------------------------------------------- the side of the units of work

    def admit(
        self,
        *,
        arm: bool,
        prepare: Callable[[Waiter], None] | None = None,
        link: object = None,
    ) -> LiveSnapshot[C] | Waiter:
        """Hand a unit of work its snapshot, or what it has to wait for.

        `prepare` is called with a waiter before the engine thread can see it. `arm` is for the
        doors: a process that serves requests does not fork workers, so the flag may be raised.
        `link` is what a tracer knows the unit of work by, should it be the one that asks.
        """
        interrupted = self.is_interrupted
        with self.condition:
            wanted = self.wanted
            answer = self._admitted(arm, prepare)
            if self.wanted and not wanted:
                self._cause = Trigger("request" if arm else "lease", link)
            return self._released(answer) if interrupted and isinstance(answer, Waiter) else answer

    def _admitted(
        self, arm: bool, prepare: Callable[[Waiter], None] | None
    ) -> LiveSnapshot[C] | Waiter:
        if arm and not self.serves_requests:
            self.serves_requests = True
            if not self._options.enabled:  # there is no check to come that would raise the flag
                self._want()
        now, current = self._clock.monotonic(), self.serving.current
        if current is None:
            return self._admit_to_nothing(now, prepare)
        age = self.freshness.age(now)
        if age is Age.FOREVER:
            return current
        if age is Age.NEVER:
            return self._wait(self.begun, now, prepare=prepare)
        if self.settling:
            return self._pause(self._wait(self.begun, now, prepare=prepare, want=False))
        if age is Age.FRESH:
            return current
        if age is Age.IDLE and not self._busy and not self.gave_up_waiting:
            waiter = self._wait(self.begun - self.freshness.in_flight, now, prepare=prepare)
            return self._pause(waiter)
        self._busy = True
        if not self.freshness.has_seen(now):
            self._want()
        return current

    def ask(
        self,
        *,
        through_build: bool = False,
        prepare: Callable[[Waiter], None] | None = None,
        eager: bool = True,
    ) -> Waiter:
        """Ask by name for a check that begins now; not `eager`: no back-off is cut short."""
        interrupted = self.is_interrupted
        with self.condition:
            self._eager = self._eager or eager
            self._cause = self._cause if self.wanted else Trigger("call")
            waiter = self._wait(self.begun, self._clock.monotonic(), through_build, prepare)
            waiter.asked = True
            return self._released(waiter) if interrupted else waiter

    @property
    def is_interrupted(self) -> bool:
        """Return whether a signal handler asks while the thread that it interrupted stands here.

        Nothing could answer it before it returns: it hears `deferred` at once, and the check that
        it asks for is made.
        """
        return bool(self.condition._is_owned())  # type: ignore[attr-defined]

    def _released(self, waiter: Waiter) -> Waiter:
        if waiter in self.waiters:
            self.waiters.remove(waiter)
            waiter.answer(Conclusion(Outcome.DEFERRED))
        return waiter

    def meet(self, loop: asyncio.AbstractEventLoop, *, through_build: bool) -> Waiter | None:
        """Take note of the loop that a unit of work runs in.

        The first live one is the home loop. Gives what to wait for while the async resources are
        not built in it; None where they are, or where another loop is their home.
        """
        with self.condition:
            if self.home is not None and self.home is not loop and not self.home.is_closed():
                return None
            self.home = loop
            if not self._needs_loop or self.built_in is loop:
                return None
            return self._wait(
                self.begun, self._clock.monotonic(), through_build, lambda waiter: waiter.bind()
            )

    def _admit_to_nothing(self, now: float, prepare: Callable[[Waiter], None] | None) -> Waiter:
        fresh = self.freshness.is_answer(now) and self._closed is None
        if fresh and self.conclusion is not None and not self.conclusion.settling:
            waiter = Waiter(self.begun, now, through_build=False)
            if prepare is not None:
                prepare(waiter)
            waiter.answer(self.conclusion)
            return waiter
        return self._wait(self.begun - self.freshness.in_flight, now, prepare=prepare)

    def _wait(
        self,
        after: int,
        now: float,
        through_build: bool = False,
        prepare: Callable[[Waiter], None] | None = None,
        want: bool = True,
    ) -> Waiter:
        patience = self._options.patience
        if through_build:
            patience = max(patience, LEAST_START)
        waiter = Waiter(after, now + patience, through_build=through_build, patience=patience)
        if prepare is not None:
            prepare(waiter)
        if self._closed is not None:
            waiter.answer(self._closed)
            return waiter
        self.waiters.append(waiter)
        if want and (after >= self.begun or not self.freshness.in_flight):
            self.wanted = True
        self._posts.append(_look_again)  # the engine thread may be asleep beyond its deadline
        self.condition.notify_all()
        return waiter

    def _pause(self, waiter: Waiter) -> Waiter:
        """Let all who come during one pause wait for the same time, the first one's."""
        waiter.paused = True
        waiter.deadline = min(one.deadline for one in (waiter, *self.waiters) if one.paused)
        return waiter

    def _want(self) -> None:
        self.wanted = True
        self.condition.notify_all()

    # --------------------------------------------------- the side of the engine thread

    def forget_parent(self) -> None:
        """Make, in a forked child, a lock that no thread of the parent held at the fork.

        A request that forked may still end here: it says so to the engine that it began with.
        """
        self.condition = threading.Condition()

    def post(self, work: Callable[[], None]) -> None:
        """Let the engine thread do something small."""
        with self.condition:
            self._posts.append(work)
            self.condition.notify_all()

    def take(self, until: float | None, *, requests: bool) -> Callable[[], None] | None:
        """Wait for a post, at most until `until`; with `requests` a wanted check ends it too."""
        with self.condition:
            while not self._posts:
                if requests and self.wanted:
                    return None
                now = self._clock.monotonic()
                if until is not None and now >= until:
                    return None
                self._clock.wait(self.condition, None if until is None else until - now)
            return self._posts.popleft()

    def look_again(self) -> None:
        """Make a check, because the last one may have come to nothing for no reason of its."""
        with self.condition:
            self._want()

    def begin(self) -> tuple[bool, bool]:
        """Begin a check; say whether busy units of work go on meanwhile, and whether it is eager.

        An eager check was asked for by name and tries again at once what had failed.
        """
        with self.condition:
            self.wanted = False
            self.trigger, self._cause = self._cause or TIMER, None
            self.begun += 1
            self.freshness.begin(self._clock.monotonic())
            eager, self._eager = self._eager, False
            return self._busy, eager

    def conclude(self, conclusion: Conclusion, *, tired: bool, hung: bool = False) -> None:
        """End the check and answer those who waited for it; while the file settles they go on."""
        with self.condition:
            self.freshness.end()
            self._busy = False
            self.conclusion = conclusion
            held = any(waiter.paused for waiter in self.waiters)
            self.settling = conclusion.settling and not tired and held
            self.gave_up_waiting = tired and (conclusion.settling or hung)
            if self.settling:  # whoever comes now waits with those who came before
                return
            self.freshness.renew(self._clock.monotonic())
            if not conclusion.settling:
                self._answer(lambda waiter: waiter.after < self.begun, conclusion)
            elif tired:
                self._answer(
                    lambda waiter: waiter.after < self.begun and not waiter.asked, conclusion
                )

    def expire(self, *, at_work: bool) -> float | None:
        """Answer those whose patience has run out; say when the next one's does.

        `at_work`: what the sources hold is quiet, and being read or built. A start waits for that
        however long it takes; `late` is set once for each whose patience has run out meanwhile.
        """
        with self.condition:
            now = self._clock.monotonic()
            late = self.conclusion or Conclusion(Outcome.DEFERRED)
            late = Conclusion(Outcome.DEFERRED, late.error, late.settling)
            if any(waiter.paused and waiter.deadline <= now for waiter in self.waiters):
                self._busy, self.settling = True, False  # the pause is over: nobody else waits
            self._answer(
                lambda waiter: waiter.deadline <= now and not (at_work and waiter.through_build),
                late,
            )
            for waiter in self.waiters:
                if waiter.deadline <= now and not waiter.late:
                    waiter.late = self.late = True
            return min((one.deadline for one in self.waiters if not one.late), default=None)

    def close(self, conclusion: Conclusion) -> None:
        """Answer everybody, now and from now on: the engine closes."""
        with self.condition:
            self._closed = conclusion
            self._answer(lambda waiter: True, conclusion)

    def _answer(self, which: Callable[[Waiter], bool], conclusion: Conclusion) -> None:
        answered = [waiter for waiter in self.waiters if which(waiter)]
        self.waiters = [waiter for waiter in self.waiters if not which(waiter)]
        for waiter in answered:
            waiter.answer(conclusion)
