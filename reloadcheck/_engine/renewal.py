"""When something is built anew without an edit: it was asked for, is too old, or its probe fails.

Takes the instances that serve and the time, marks those that are due. Whoever builds and swaps is
the reloader; what is marked stays marked until another instance serves in its place.

With `rebuild_after` the engine calls the resource's probe by itself, every `PROBE_SECONDS`, while
it serves; probes that people ask for do not count. Both times are jittered, downwards, so that many
workers do not rebuild at the same moment.
"""

import math
import random
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from typing import Any, Final, TypeAlias

from .._observe.status import ProbeStatus
from .._resources.instance import Instance
from .._resources.registry import Resource
from .waiter import Waiter

PROBE_SECONDS: Final = 10.0
"""Seconds between two probes that the engine makes by itself, at most."""

Probe: TypeAlias = Callable[[frozenset[str]], "Future[Any]"]


@dataclass(slots=True)
class _Watch:
    """What is known of one instance; times are monotonic seconds, None for never."""

    due_at: float | None
    probe_at: float | None
    failures: int = 0


class Renewal:
    """What is to be built anew in one engine. `probe` has the named resources probed.

    All but `waited_for` runs in the engine thread. `poke` has a check made soon.
    """

    def __init__(self, probe: Probe, poke: Callable[[], None]) -> None:
        self._probe = probe
        self._poke = poke
        self._asked: dict[str, int] = {}
        self._watches: dict[Instance, _Watch] = {}

    def waited_for(
        self,
        resource: Resource[Any] | None,
        first: Callable[[Waiter], None] = lambda waiter: None,
    ) -> Callable[[Waiter], None]:
        """Return what has a resource, if one is given, built anew by the check that answers.

        It is told of the waiter before the engine thread is: the check under way is no answer to
        who asks now, and leaves it to the next. `first` is called before. From any thread.
        """

        def prepare(waiter: Waiter) -> None:
            first(waiter)
            if resource is not None:
                self._asked[resource.name] = waiter.after

        return prepare

    def mark(self, instances: Iterable[Instance], now: float, check: int) -> tuple[Instance, ...]:
        """Mark what is due among the instances that serve; return all that are marked.

        `check` is the number of the one under way.
        """
        asked = [name for name, after in list(self._asked.items()) if after < check]
        watches = {one: self._watches.get(one) or _watch(one, now) for one in instances}
        self._watches = watches
        for instance, watch in watches.items():
            resource = instance.resource
            if resource.name in asked:
                instance.stale = "asked for"
            elif resource.rebuild_after is not None and watch.failures >= resource.rebuild_after:
                instance.stale = f"{watch.failures} probes in a row failed"
            elif watch.due_at is not None and watch.due_at <= now:
                instance.stale = f"older than {resource.max_age:g} s"
        for name in asked:
            del self._asked[name]
        self._look_at_probes(now)
        return tuple(one for one in watches if one.stale is not None)

    def next(self) -> float | None:
        """Return when there is something to look at next."""
        times = [
            at
            for one, watch in self._watches.items()
            if one.stale is None
            for at in (watch.due_at, watch.probe_at)
            if at is not None
        ]
        return min(times, default=None)

    def _look_at_probes(self, now: float) -> None:
        due = [
            (one, watch)
            for one, watch in self._watches.items()
            if watch.probe_at is not None and watch.probe_at <= now and one.stale is None
        ]
        if not due:
            return
        for _, watch in due:
            watch.probe_at = now + _jittered(PROBE_SECONDS)
        answer = self._probe(frozenset(one.resource.name for one, _ in due))
        answer.add_done_callback(lambda done: self._count(due, done.result()))

    def _count(self, probed: list[tuple[Instance, _Watch]], found: dict[str, ProbeStatus]) -> None:
        for instance, watch in probed:
            status = found.get(instance.resource.name)
            if status is None:
                continue
            watch.failures = watch.failures + 1 if status.error is not None else 0
            if watch.failures >= (instance.resource.rebuild_after or 0) > 0:
                watch.due_at = -math.inf
                self._poke()


def _watch(instance: Instance, now: float) -> _Watch:
    resource = instance.resource
    return _Watch(
        None if resource.max_age is None else now + _jittered(resource.max_age),
        None if resource.rebuild_after is None else now + _jittered(PROBE_SECONDS),
    )


def _jittered(seconds: float) -> float:
    return seconds * (0.9 + 0.1 * random.random())
