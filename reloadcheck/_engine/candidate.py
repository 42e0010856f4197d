"""The candidate of a trial: put beside what serves, given everything, or taken back.

Carries out in one process what a gate decides, by assignments to `Serving`; the gate alone judges.
Everything here is undone by one assignment, and no request waits for it.
"""

from collections.abc import Callable
from typing import Generic, TypeVar

from .._snapshots.serving import Serving
from .._snapshots.tenancy import LiveSnapshot
from ..seams.feed import Loaded
from ..seams.gates import Go, Proposal, Share
from ..seams.trial import Units

C = TypeVar("C")


class Trying(Generic[C]):
    """What is tried or watched in one engine, if anything; written by the engine thread.

    `look` (monotonic seconds) is when the gate is asked again.
    """

    def __init__(self, serving: Serving[C], poke: Callable[[], None]) -> None:
        self._serving = serving
        self._poke = poke
        self._before: Loaded[C] | None = None
        self._units: Units | None = None
        self.proposal: Proposal | None = None

    @property
    def candidate(self) -> LiveSnapshot[C] | None:
        """Return the version that has a share, while one is tried."""
        return self._serving.candidate

    @property
    def is_watching(self) -> bool:
        """Return whether the version before is kept ready."""
        return self._serving.standby is not None

    def give(self, live_snapshot: LiveSnapshot[C], answer: Share, proposal: Proposal) -> None:
        """Return a candidate its share of the units of work from now on."""
        units = answer.units
        if self._units is not units:
            self._over()
        units.poke = self._poke
        self._units, self.proposal = units, proposal
        self._serving.share(live_snapshot, answer.units)

    def promote(self, before: Loaded[C] | None, answer: Go) -> None:
        """Let the candidate serve everybody; keep what served ready while it is watched."""
        watched = answer.watch
        self._serving.promote(watched)
        self._before = before if watched is not None else None
        if watched is None:
            self.proposal = None
            self._over()

    def undo(self) -> tuple[int, Loaded[C] | None]:
        """Take the tried version back; return its number, and what had run before a promotion."""
        number = self._serving.undo()
        before, self._before = self._before, None
        self.proposal = None
        self._over()
        return number, before

    def settle(self) -> None:
        """Keep the version before ready no longer."""
        self._before = self.proposal = None
        self._serving.settle()
        self._over()

    def _over(self) -> None:
        """Let the gate know that its trial is over: a newer edit may have ended it, for example."""
        units, self._units = self._units, None
        if units is not None:
            units.over()
