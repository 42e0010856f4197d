"""What serves: the one place that says which snapshots of an engine live, and as what.

Written by the engine thread alone and read by everybody without a lock. `live` is a tuple that is
replaced in one assignment, so that whoever looks for a snapshot in it takes a single look: a swap
adds the new one before the old one retires, and one leaves only when its leases have ended.
"""

from typing import Any, Generic, TypeVar

from .._resources.instance import Instance
from .._runtime.clock import Clock
from .._runtime.refcounts import counts_references
from ..seams.trial import Units
from .cell import Cell
from .pair import Pair
from .tenancy import LiveSnapshot

C = TypeVar("C")

COUNTS_REFERENCES = counts_references()


class Serving(Generic[C]):
    """The snapshots of one engine in one process.

    `current` is what a unit of work gets, `candidate` what a share of them gets beside it,
    `standby` what served before and is kept ready, `staged` what is rehearsed; the rest of `live`,
    oldest first, is retired and drains. `swapped_at` (monotonic seconds) is when the current one
    took its place, `swaps` counts them, and `cell` is what the doors read.
    """

    def __init__(self, clock: Clock, cell: Cell[C]) -> None:
        self.current: LiveSnapshot[C] | None = None
        self.candidate: LiveSnapshot[C] | None = None
        self.standby: LiveSnapshot[C] | None = None
        self.staged: LiveSnapshot[C] | None = None
        self.live: tuple[LiveSnapshot[C], ...] = ()
        self.swapped_at = 0.0
        self.swaps = 0
        self._clock = clock
        self._cell = cell
        self._offered_until: float | None = None

    @property
    def retired(self) -> list[LiveSnapshot[C]]:
        """Return those that are handed out no more and not drained yet, the oldest first."""
        return [one for one in self.live if one.retired]

    def of(self, snapshot: object) -> LiveSnapshot[C] | None:
        """Find the engine's side of a snapshot; None for one that is drained, or another's."""
        return next((one for one in self.live if one.snapshot is snapshot), None)

    def leases(self, live_snapshot: LiveSnapshot[Any]) -> int:
        """Count the leases on one of them, without what the cell offers.

        For display. That it was offered is looked at before and after: should that change
        meanwhile, there may seem to be one lease too many.
        """
        offered = self._offers(live_snapshot)
        leases = live_snapshot.leases()
        return max(0, leases - (offered and self._offers(live_snapshot)))

    # ------------------------------------------------------------- in the engine thread

    def swap(self, live_snapshot: LiveSnapshot[C]) -> None:
        """Let another snapshot serve; the one that did retires."""
        old = self.current
        self.live = (*self.live, live_snapshot)
        self.current = live_snapshot
        if self._cell.fresh is not None:
            self._cell.fresh = live_snapshot.hold
        self.swapped_at = self._clock.monotonic()
        self.swaps += 1
        for instance in live_snapshot.instances:
            instance.closable, instance.retired_at = False, None
        if old is not None:
            self._retire(old)

    def stage(self, live_snapshot: LiveSnapshot[C]) -> None:
        """Let a snapshot be known that is rehearsed, and that no unit of work is given."""
        self.staged = live_snapshot
        self.live = (*self.live, live_snapshot)

    def unstage(self) -> None:
        """Let it be known no longer than those last who are on it; its instances live on."""
        staged, self.staged = self.staged, None
        if staged is not None:
            staged.retire(self._clock.monotonic())

    def share(self, candidate: LiveSnapshot[C], units: Units) -> None:
        """Let a candidate get the units of work that `units` draws to it."""
        if self.candidate is not candidate:
            self.candidate = candidate
            self.live = (*self.live, candidate)
            for instance in candidate.instances:
                instance.closable, instance.retired_at = False, None
        self._beside(Pair(self.current, candidate, units))
        self.withdraw()

    def promote(self, watched: Units | None) -> None:
        """Let the candidate serve everybody; what did is kept ready while units are watched."""
        candidate, self.candidate = self.candidate, None
        old = self.current
        if candidate is None:
            return
        self.current = candidate
        self.swapped_at = self._clock.monotonic()
        self.swaps += 1
        if watched is None or old is None:
            self._beside(None)
            if old is not None:
                self._retire(old)
        else:
            self.standby = old
            self._beside(Pair(candidate, None, watched))

    def undo(self) -> int:
        """Let what served before the trial serve everybody again; return the other's number."""
        self._beside(None)
        bad, self.candidate = self.candidate, None
        if bad is None and self.standby is not None:
            bad, self.current, self.standby = self.current, self.standby, None
            self.swapped_at = self._clock.monotonic()
        if bad is None:
            return 0
        self._retire(bad)
        return bad.snapshot.version

    def settle(self) -> None:
        """Keep what served before ready no longer."""
        self._beside(None)
        old, self.standby = self.standby, None
        if old is not None:
            self._retire(old)

    def end(self) -> None:
        """Let nothing serve from now on; what did retires."""
        self.undo() if self.candidate is not None else self.settle()
        current, self.current = self.current, None
        if current is None:
            return
        if self._offers(current):
            self.withdraw()  # else a thread started meanwhile has its own there
        self._retire(current)

    def hands_out(self, instance: Instance) -> bool:
        """Return whether an instance is a part of what serves."""
        serving = (self.current, self.candidate, self.standby)
        return any(one is not None and one.has(instance) for one in serving)

    def _beside(self, pair: Pair[C] | None) -> None:
        """Let doors find another pair, or none; they ask before they go on."""
        self._cell.fresh_pair = None
        self._cell.pair = pair

    def _retire(self, live_snapshot: LiveSnapshot[Any]) -> None:
        """Retire a snapshot that was just replaced, and the instances that went with it."""
        now = self._clock.monotonic()
        for instance in live_snapshot.instances:
            if not self.hands_out(instance):
                instance.closable, instance.retired_at = True, now
        live_snapshot.retire(now)

    def drop(self, live_snapshot: LiveSnapshot[C]) -> None:
        """Take out a retired one that has drained."""
        self.live = tuple(one for one in self.live if one is not live_snapshot)

    def offer(self, until: float | None) -> None:
        """Let doors go on without asking until the time given; None: until it changes."""
        if self.current is None or (until is not None and until <= self._clock.monotonic()):
            self.withdraw()
        elif COUNTS_REFERENCES:
            pair, self._offered_until = self._cell.pair, until
            if pair is None:
                self._cell.fresh = self.current.hold
            elif pair.has_one_home:
                self._cell.fresh_pair = pair

    def withdraw(self) -> None:
        """Make doors ask from now on."""
        self._cell.fresh = self._cell.fresh_pair = self._offered_until = None

    def expire(self) -> float | None:
        """Withdraw an offer whose time is over; return that time, if there is one to come."""
        if self._offered_until is not None and self._clock.monotonic() >= self._offered_until:
            self.withdraw()
        return self._offered_until

    def _offers(self, live_snapshot: LiveSnapshot[Any]) -> bool:
        return self._cell.fresh is live_snapshot.hold
