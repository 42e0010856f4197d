"""Decide when what was retired closes: after its last user or at its deadline, in reverse order.

The closing itself is `closing`'s. Runs in the engine thread, a step at a time: each step starts at
most one close or takes note of one that ended, and says when to look again. Never blocks, and a
close that fails or hangs stops no other.

Long because when to look, whom to name and when to force are three answers from one state.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from .._observe.status import Draining
from .._resources.instance import Instance
from .._resources.inventory import Inventory
from .._resources.registry import Resource
from .._runtime.clock import Clock
from .._runtime.log import log
from ..types import Code
from .closing import Closing
from .holders import described, holders_of
from .serving import Serving
from .tenancy import LiveSnapshot

if TYPE_CHECKING:
    import asyncio

SHORTEST_PAUSE, LONGEST_PAUSE = 0.05, 1.0
"""Seconds between two looks at who still holds a retired snapshot, besides being told."""

SLOW, AT_LEAST = 5.0, 1.0
"""Seconds after which the log says that a retired resource is still used, and by whom; and those
that must be left then, for somebody to do something about it."""

FROZEN = 1.0
"""Seconds by which the engine thread must have overslept for that to count as a time that nobody
had: a stopped process, a frozen container, a machine that was moved."""

SHOWN_LABELS = 5
"""How many of those who still hold a resource one warning names."""


class Drain:
    """Everything that is retired and not closed yet.

    `on_done` is what a closing job calls when it is done. `drain` is in seconds and the default for
    resources without one of their own, `loop` gives the home loop. `hurry()` lets the deadlines of
    all pass at a given time.
    """

    def __init__(
        self,
        serving: Serving[Any],
        inventory: Inventory,
        clock: Clock,
        drain: float,
        on_done: Callable[[], None],
        loop: Callable[[], asyncio.AbstractEventLoop | None],
    ) -> None:
        self._serving = serving
        self._inventory = inventory
        self._clock = clock
        self._drain = drain
        self._loop = loop
        self.closing = Closing(inventory, on_done)
        self._latest: float | None = None
        self.forced: dict[str, int] = {}
        self.outlived = 0
        self._patience = math.inf
        self._wanted: list[Instance] = []
        self._told: set[Instance] = set()
        self._real: Callable[[], float] = time.monotonic
        self._slept_at = 0.0
        self._sleeps: float | None = None

    @property
    def idle(self) -> bool:
        """Return whether nothing is left to drain or to close."""
        held = any(one.leases() and one.readers_to_come() for one in self._serving.retired)
        return not held and not self.closing.busy and not self._retired()

    def hurry(self, deadline: float) -> None:
        """Let every deadline pass at `deadline` (monotonic seconds) at the latest."""
        self._latest = deadline

    def make_room(self, resource: Resource[Any], patience: float) -> float | None:
        """Let what is kept for late readers alone close `patience` seconds after it retired.

        A request that has not read a resource yet when it is replaced may be about to, and must not
        fail: for its sake the old one is kept as for those who have read it, up to its deadline.
        But it delays no edit, since nobody can tell it from a stream that never reads.

        Return when that is, for the retired instance of a resource that waits for nothing else, or
        None. It holds for these instances until they are closed.
        """
        self._patience = patience
        self._wanted = self._with_dependents(resource)
        waits = [one for one in self._wanted if not self.users(one)]
        if len(waits) != len(self._wanted) or not waits:
            return None
        return max(self._late_until(one) for one in waits)

    def step(self) -> float | None:
        """Do what can be done now; return the time to look again, None for: when told to."""
        self._forgive()
        now = self._clock.monotonic()
        self._let_go(now)
        self.closing.note(now)
        self._wanted = [one for one in self._wanted if not one.closed]
        self._told = {one for one in self._told if not one.closed}
        hurried = self._latest is not None and now >= self._latest
        while self.closing.may_start(now) and (instance := self._next(now)) is not None:
            self.closing.start(instance, now, hurried=hurried)
        times = self.closing.times(now)
        for instance in self._retired():
            if instance.retired_at is not None:
                self._tell_slow(instance, instance.retired_at, now)
                times += self._looks(instance, instance.retired_at, now)
        for live_snapshot in self._serving.retired:
            if not live_snapshot.abandoned:
                times.append(now + _pause(now - live_snapshot.retired_at))
                times.append(self._capped(live_snapshot.retired_at + self._drain))
        at = min(times, default=None)
        self._sleeps = None if at is None else max(0.0, at - now)
        self._slept_at = self._real()
        return at

    def _forgive(self) -> None:
        """Put off every deadline by the time that the whole process was stopped for."""
        lost = 0.0 if self._sleeps is None else self._real() - self._slept_at - self._sleeps
        if lost < FROZEN:
            return
        log(logging.INFO, "the process stood still for %.1f s, which no drain counts", lost)
        for instance in self._retired():
            if instance.retired_at is not None:
                instance.retired_at += lost
        for live_snapshot in self._serving.retired:
            live_snapshot.retired_at += lost
        self.closing.put_off(lost)

    def _looks(self, instance: Instance, retired_at: float, now: float) -> list[float]:
        """Return when to look at a retired instance again that is not closed yet."""
        told_at = -math.inf if instance in self._told else retired_at + SLOW
        later = [told_at, self._late_until(instance), self._due(instance, retired_at)]
        return [now + _pause(now - retired_at), *(at for at in later if at > now)]

    def abandon(self) -> None:
        """Abandon what is still open or closing, and say so; for the very end."""
        self._let_go(self._clock.monotonic())
        self.closing.abandon()

    def _let_go(self, now: float) -> None:
        """Drop the snapshots that nobody sees any more; tell no longer of overdue ones."""
        for live_snapshot in self._serving.retired:
            if not live_snapshot.units():
                self._serving.drop(live_snapshot)
            elif not live_snapshot.abandoned and self._is_overdue(live_snapshot, now):
                if self._latest is not None or any(one.forced for one in live_snapshot.instances):
                    self.outlived += live_snapshot.leases()
                live_snapshot.abandon()

    def _is_overdue(self, live_snapshot: LiveSnapshot[Any], now: float) -> bool:
        if now < self._capped(live_snapshot.retired_at + self._drain):
            return False
        retired = self._retired()
        return not any(one in retired for one in live_snapshot.instances)

    def _retired(self) -> list[Instance]:
        """Return what is open and no part of what serves, in the order in which it was built."""
        return [one for one in self._inventory.instances if one.closable and not one.closed]

    def _due(self, instance: Instance, retired_at: float) -> float:
        drain = instance.resource.drain
        return self._capped(retired_at + (self._drain if drain is None else drain))

    def _capped(self, deadline: float) -> float:
        return deadline if self._latest is None else min(deadline, self._latest)

    def _late_until(self, instance: Instance) -> float:
        """Return until when an instance is kept for units of work that have not read it yet."""
        if instance.retired_at is None:
            return -math.inf
        due = self._due(instance, instance.retired_at)
        return min(instance.retired_at + self._patience, due) if instance in self._wanted else due

    def _with_dependents(self, resource: Resource[Any]) -> list[Instance]:
        """Return a resource's retired instances, and the ones that were built on them."""
        found: list[Instance] = []
        for instance in self._retired():
            if instance.resource is resource or any(one in found for one in instance.needs):
                found.append(instance)
        return found

    def users(self, instance: Instance) -> int:
        """Count the units of work that may be using an instance: never too few."""
        name = instance.resource.name
        return instance.readers + sum(
            one.units()
            for one in self._seeing(instance)
            if name in one.snapshot.resources.read_by_others
        )

    def _readers_to_come(self, instance: Instance) -> int:
        """Count the units of work that may read an instance yet."""
        return sum(one.readers_to_come() for one in self._seeing(instance))

    def _seeing(self, instance: Instance) -> list[LiveSnapshot[Any]]:
        return [one for one in self._serving.live if one.has(instance)]

    def _next(self, now: float) -> Instance | None:
        """Find the newest instance that may close now, with nothing open that is built on it."""
        for instance in reversed(self._retired()):
            if any(instance in other.needs for other in self._inventory.instances):
                continue
            if self._may_close(instance, now):
                return instance
        return None

    def _may_close(self, instance: Instance, now: float) -> bool:
        """Close it to readers first and look who has read it second; who reads does the reverse.

        While somebody may be using it, it is open, until its deadline.
        """
        due = instance.retired_at is None or now >= self._due(instance, instance.retired_at)
        if not due and self.users(instance):
            return False
        if now < self._late_until(instance) and self._readers_to_come(instance):
            return False
        instance.closed = True
        users = self.users(instance)
        if users and instance.retired_at is not None:
            if not due:
                instance.closed = False
                return False
            self._force(instance, users, now - instance.retired_at)
        return True

    def _force(self, instance: Instance, users: int, seconds: float) -> None:
        instance.forced = True
        name = instance.resource.name
        self.forced[name] = self.forced.get(name, 0) + 1
        log(
            logging.WARNING,
            "resource %s of version %d is closed after %.1f s of drain (its next use fails): %s"
            " still use it: %s",
            name,
            self.version_of(instance),
            seconds,
            _units(users),
            self._listed(instance),
            code=str(Code.FORCED_CLOSE),
        )

    def _tell_slow(self, instance: Instance, retired_at: float, now: float) -> None:
        """Say once who keeps a resource from closing, while there is time to do something."""
        if instance in self._told or now - retired_at < SLOW:
            return
        left = self._due(instance, retired_at) - now
        if left < AT_LEAST or not (users := self.users(instance)):
            return
        self._told.add(instance)
        log(
            logging.WARNING,
            "resource %s of version %d is still used %.1f s after it was replaced, by %s,"
            " and is closed under them in %.1f s: %s",
            instance.resource.name,
            self.version_of(instance),
            now - retired_at,
            _units(users),
            left,
            self._listed(instance),
            code=str(Code.DRAIN),
        )

    def version_of(self, instance: Instance) -> int:
        """Return the last version that an instance is a part of."""
        return max((one.snapshot.version for one in self._seeing(instance)), default=0)

    def draining(self) -> tuple[Draining, ...]:
        """Say, from any thread, which old instances are still used, by whom and until when."""
        now = self._clock.monotonic()
        told: list[Draining] = []
        for instance in self._retired():
            retired_at, users = instance.retired_at, self.users(instance)
            unread = 0
            if not users and instance in self._wanted:
                unread = self._readers_to_come(instance)
            if retired_at is None or not users + unread:
                continue
            seconds = now - retired_at
            until = self._late_until(instance) if unread else self._due(instance, retired_at)
            holders = tuple(self.labels(instance)) if users and seconds >= SLOW else ()
            told.append(
                Draining(
                    instance.resource.name,
                    self.version_of(instance),
                    users + unread,
                    seconds,
                    max(0.0, until - now),
                    holders,
                    bool(unread),
                )
            )
        return tuple(told)

    def awaited(self, resource: Resource[Any]) -> str:
        """Say what an edit waits for that needs a third instance of a resource, and how long."""
        waits = [one for one in self._with_dependents(resource) if one.retired_at is not None]
        if not waits:
            return f"the older one of {resource.name!r} is still closing"
        oldest = next((one for one in waits if self.users(one)), waits[0])
        now, retired_at = self._clock.monotonic(), oldest.retired_at or 0.0
        due, users = self._due(oldest, retired_at), self.users(oldest)
        built_on = "" if oldest.resource is resource else f", built on {resource.name!r},"
        what = f"{oldest.resource.name!r} of version {self.version_of(oldest)}{built_on}"
        if not users:
            return (
                f"{what} was replaced {now - retired_at:.1f} s ago, and "
                f"{_units(self._readers_to_come(oldest))} may read it yet; it is closed within "
                f"{max(0.0, self._late_until(oldest) - now):.1f} s"
            )
        closes = datetime.fromtimestamp(self._clock.wall() + due - now, UTC)
        return (
            f"{what} is still used by {self._listed(oldest)} ({_units(users)}, "
            f"{now - retired_at:.0f} s after it was replaced); it is closed at "
            f"{closes:%H:%M:%S} UTC at the latest (drain {due - retired_at:g} s)"
        )

    def _listed(self, instance: Instance) -> str:
        return ", ".join(self.labels(instance)[:SHOWN_LABELS]) or "unknown"

    def labels(self, instance: Instance) -> list[str]:
        """Name those who still use it."""
        holders = [
            holder
            for one in self._seeing(instance)
            for holder in holders_of(one, instance, self._loop())
        ]
        return sorted({described(holder) for holder in holders if holder is not None})


def _units(count: int) -> str:
    return f"{count} unit{'' if count == 1 else 's'} of work"


def _pause(since: float) -> float:
    """Return how long a lease that ended without a word may stay unnoticed, in seconds.

    One whose holder was dropped, not ended; or that was given back in the very step between looking
    whether to tell and letting go.
    """
    return min(max(SHORTEST_PAUSE, since / 4), LONGEST_PAUSE)
