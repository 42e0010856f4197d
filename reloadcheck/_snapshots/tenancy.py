"""The leases on one snapshot."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Generator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._resources.instance import Instance

if TYPE_CHECKING:
    import asyncio
from .snapshot import Resources, Snapshot

C = TypeVar("C")


_serial = itertools.count(1)


def own_key() -> int:
    """Give a key for a lease that has no object of its own to be known by; never an id."""
    return -next(_serial)


class LeaseRef(Generic[C]):
    """What a door takes for a unit of work: whoever refers to it has a lease on the snapshot.

    CPython counts references exactly and under its lock, so that a lease costs one variable. A door
    reads it from the cell (which is to refer to it and to be counted in one step), keeps it in a
    local variable, and sets that to None at the end. `wake` is set when the snapshot is retired:
    who leaves then reads it first, lets go second and calls it third.

    `home` is the loop that its async resources live in. `known` is who has told how to call him
    besides, by a key of his own.
    """

    __slots__ = ("config", "home", "known", "snapshot", "wake")

    def __init__(self, snapshot: Snapshot[C], home: asyncio.AbstractEventLoop | None) -> None:
        self.snapshot = snapshot
        self.config = snapshot.config
        self.home = home
        self.known: dict[int, object] = {}
        self.wake: Callable[[], None] | None = None


class LiveSnapshot(Generic[C]):
    """The leases on one snapshot: those who refer to `hold`, and those who are in `held` by name.

    `held` maps the key of a unit of work to what it is known by: its scope, its environ, a label.
    The key is the id of an object that lives for at least as long, or a number of its own.

    `retired` is set once, by the swap. Whoever enters by name puts itself into `held` first and
    looks at `retired` second; if it is set, it leaves again and takes the current one. The engine
    takes `hold` from the cell before it retires it, so that nobody comes to it afterwards.
    """

    __slots__ = ("abandoned", "held", "hold", "instances", "retired", "retired_at", "wake")

    def __init__(
        self,
        snapshot: Snapshot[C],
        instances: tuple[Instance, ...],
        home: asyncio.AbstractEventLoop | None,
        wake: Callable[[], None],
    ) -> None:
        self.hold = LeaseRef(snapshot, home)
        self.held: dict[int, object] = {}
        self.retired = False
        self.retired_at = 0.0
        self.abandoned = False
        self.instances = instances
        self.wake = wake

    @property
    def snapshot(self) -> Snapshot[C]:
        """Give the snapshot that is leased."""
        return self.hold.snapshot

    def enter(self, key: int, holder: object) -> bool:
        """Take a lease by name; False if the snapshot is retired, and then nothing is held."""
        self.held[key] = holder
        if self.retired:
            self.leave(key)
            return False
        return True

    def leave(self, key: int) -> None:
        """Give the lease back; the last one to leave a retired snapshot wakes the engine."""
        self.held.pop(key, None)
        if self.retired and not self.held:
            self.wake()

    def retire(self, now: float) -> None:
        """Have those who leave say so; call after another one has taken its place in the cell."""
        self.retired_at = now
        self.hold.wake = self.wake
        self.retired = True

    def abandon(self) -> None:
        """Count its leases no longer: their time is up."""
        self.abandoned = True
        self.held.clear()

    def leases(self) -> int:
        """Count the leases, and one more while the doors' cell offers it.

        The references first: a lease that gets a name meanwhile is counted twice, never not at all.
        """
        if self.abandoned:
            return 0
        references = references_to(self) - _OWN_REFERENCES
        return max(0, references) + len(self.held)


def references_to(live_snapshot: LiveSnapshot[Any]) -> int:
    """Count who refers to a snapshot's hold, the live_snapshot and this very call included."""
    return sys.getrefcount(live_snapshot.hold)


def counts_references() -> bool:
    """Try whether this interpreter counts references exactly; where not, all leases have names.

    A door's variable is to count as one more, and the same variable set to None as none: compilers
    learn to lend references that they used to take. Without its global lock an interpreter counts
    some of them later, and in shares of its own.
    """
    gil: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    if sys.implementation.name != "cpython" or not gil():
        return False
    live_snapshot = _nobody_s()
    before = references_to(live_snapshot)
    lease: LeaseRef[Any] | None = live_snapshot.hold
    held = references_to(live_snapshot)
    waiting = _held(live_snapshot)
    next(waiting)
    twice = references_to(live_snapshot)
    waiting.close()
    lease = None
    return (held, twice, references_to(live_snapshot), lease) == (
        before + 1,
        before + 2,
        before,
        None,
    )


def _held(live_snapshot: LiveSnapshot[Any]) -> Generator[None]:
    """Hold a lease in a frame that is left, as one that awaits is."""
    lease: LeaseRef[Any] | None = live_snapshot.hold
    yield
    assert lease is not None


def _nobody_s() -> LiveSnapshot[Any]:
    """Return a snapshot that nobody leases."""
    snapshot: Snapshot[Any] = Snapshot(None, 0, "", datetime.now(UTC), Resources({}), None)
    return LiveSnapshot(snapshot, (), None, lambda: None)


_OWN_REFERENCES = references_to(_nobody_s()) if counts_references() else 0


class Cell(Generic[C]):
    """The one place that doors read: what a fresh snapshot's leases hold, or None to ask.

    It is written by the engine thread alone, save in a forked child, which starts with None.
    """

    __slots__ = ("fresh",)

    def __init__(self) -> None:
        self.fresh: LeaseRef[C] | None = None
