"""The engine's side of a snapshot: its leases, by reference or by name; whether it is retired.

CPython counts references exactly and under its lock, so that the lease of a request costs a place
in a list. Entering and leaving take no lock: a reference or a dict operation and one flag, ordered
so that either the one who enters sees that the snapshot is retired, or the one who retires sees the
one who entered.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from .._resources.instance import Instance
from .._runtime.refcounts import users_with
from .snapshot import Snapshot
from .unit import Unit, hold

if TYPE_CHECKING:
    import asyncio

C = TypeVar("C")

_serial = itertools.count(1)


class LeaseRef(Generic[C]):
    """What a door takes for a unit of work: whoever refers to it has a lease on the snapshot.

    A door reads it from the cell (which is to refer to it and to be counted in one step) and puts
    it into the unit of work, in no variable of its own: whoever looks at frames, as reporters of
    errors do, would keep that. `wake` is set when the snapshot is retired: who leaves reads it
    first, lets go second and calls it third. `released` takes its place in a unit that needs no
    resources any more; that one itself has None there.

    `home` is the loop that its async resources live in. `known` is who has told how to call him
    besides, and his unit, by a key of his own.
    """

    __slots__ = ("config", "home", "known", "released", "snapshot", "wake")

    lasts: ClassVar[bool] = True
    reads: ClassVar[None] = None

    def __init__(
        self,
        snapshot: Snapshot[C],
        home: asyncio.AbstractEventLoop | None,
        released: LeaseRef[C] | None,
    ) -> None:
        self.snapshot = snapshot
        self.config = snapshot.config
        self.home = home
        self.known: dict[int, tuple[object, Unit]] = {} if released is None else released.known
        self.wake: Callable[[], None] | None = None
        self.released = released

    @property
    def is_released(self) -> bool:
        """Return whether units have it that need no resources any more."""
        return self.released is None


class NamedLease:
    """A lease by name. `holder` is what it is called by: a scope, an environ, a label.

    `around` is the unit of work that it has joined, whose code may go on with what was read in
    here.
    """

    __slots__ = ("around", "holder", "is_released", "key", "lasts", "live_snapshot", "reads")

    def __init__(self, holder: object) -> None:
        self.holder = holder
        self.key = next(_serial)
        self.around: Unit | None = None
        self.live_snapshot: LiveSnapshot[Any] | None = None
        self.reads: list[object] = []
        self.lasts = True
        self.is_released = False

    def end(self) -> None:
        """Release everything; the second time does nothing."""
        if not self.lasts:
            return
        self.lasts = False
        if self.around is not None:
            for reference in list(self.reads):
                hold(self.around, reference)
        self.reads.clear()
        if self.live_snapshot is not None:
            self.live_snapshot.leave(self.key)

    def release(self) -> None:
        """Need the resources no more."""
        self.is_released = True
        self.reads.clear()
        if self.live_snapshot is not None:
            self.live_snapshot.let_go()


class LiveSnapshot(Generic[C]):
    """The leases on one snapshot: those who refer to `hold`, and those who are in `held` by name.

    `retired` is set once, by the swap. Whoever enters by name puts itself into `held` first and
    looks at `retired` second; if it is set, it leaves again and takes the current one. The engine
    takes `hold` from the cell before it retires it, so that nobody comes to it afterwards. `before`
    and `after` are held by nobody: what refers to them keeps every object.
    """

    __slots__ = (
        "_members",
        "abandoned",
        "after",
        "before",
        "held",
        "hold",
        "instances",
        "released",
        "retired",
        "retired_at",
        "wake",
    )

    def __init__(
        self,
        snapshot: Snapshot[C],
        instances: tuple[Instance, ...],
        home: asyncio.AbstractEventLoop | None,
        wake: Callable[[], None],
    ) -> None:
        self.before: LeaseRef[C] = LeaseRef(snapshot, home, None)
        self.released: LeaseRef[C] = LeaseRef(snapshot, home, None)
        self.hold = LeaseRef(snapshot, home, self.released)
        self.after: LeaseRef[C] = LeaseRef(snapshot, home, None)
        self.held: dict[int, NamedLease] = {}
        self.retired = False
        self.retired_at = 0.0
        self.abandoned = False
        self.instances = instances
        self.wake = wake
        self._members = frozenset(instances)

    @property
    def snapshot(self) -> Snapshot[C]:
        """Return the snapshot that is leased."""
        return self.hold.snapshot

    def has(self, instance: Instance) -> bool:
        """Return whether an instance is one of its resources."""
        return instance in self._members

    def enter(self, lease: NamedLease) -> bool:
        """Take a lease by name; False if the snapshot is retired, and then nothing is held."""
        self.join(lease)
        if self.retired:
            self.leave(lease.key)
            lease.live_snapshot = None
            return False
        return True

    def join(self, lease: NamedLease) -> None:
        """Take a lease by name, as one who knows that somebody else holds the snapshot."""
        lease.live_snapshot = self
        self.held[lease.key] = lease

    def leave(self, key: int) -> None:
        """Release the lease; who leaves a retired snapshot wakes the engine."""
        self.held.pop(key, None)
        self.let_go()

    def let_go(self) -> None:
        """Let the engine look who still holds what, where that matters."""
        if self.retired:
            self.wake()

    def retire(self, now: float) -> None:
        """Let those who leave say so; call after another one has taken its place in the cell."""
        self.retired_at = now
        self.hold.wake = self.released.wake = self.wake
        self.retired = True

    def abandon(self) -> None:
        """Count none of its leases any more: their time is up."""
        self.abandoned = True

    def leases(self) -> int:
        """Count the leases, and one more while the doors' cell offers it; 0 once abandoned."""
        return 0 if self.abandoned else self.units()

    def units(self) -> int:
        """Count the units of work that see it, and one more while the doors' cell offers it.

        The references first, of them those that may be released before those that are: a lease that
        becomes another meanwhile is counted twice, never not at all.
        """
        references = self._by_reference()
        released = self._released_by_reference()
        return references + released + len(self.held)

    def readers_to_come(self) -> int:
        """Count those among them that may read a resource yet."""
        named = list(self.held.values())
        return self._by_reference() + sum(not lease.is_released for lease in named)

    def _by_reference(self) -> int:
        return users_with(self, "hold")

    def _released_by_reference(self) -> int:
        return max(0, users_with(self, "released") - 1)  # `hold` refers to it
