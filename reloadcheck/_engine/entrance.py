"""How a unit of work comes to its snapshot: a fresh one, the one around it, or after a wait.

Who may go on without a wait is `admission`'s to say; what a lease is, `_snapshots/tenancy` says.
A request on the fast path of a door never comes here.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from .._runtime.event_loops import in_thread, running_loop
from .._runtime.reentrancy import is_inside
from .._snapshots.context import unit_in
from .._snapshots.tenancy import LiveSnapshot, NamedLease
from .._snapshots.unit import LIFE, SNAPSHOT, lasts
from .engine import Engine
from .waiter import Waiter

if TYPE_CHECKING:
    from ..seams.trial import UnitTicket

C = TypeVar("C")


class Entrance(Generic[C]):
    """The ways into one engine; it holds nothing of its own."""

    __slots__ = ("_engine",)

    def __init__(self, engine: Engine[C]) -> None:
        self._engine = engine

    def refuse_to_block(self, what: str, instead: str) -> None:
        """Raise `BlockingCallError` where waiting would stop the home loop itself."""
        self._engine.refuse_to_block(what, instead)

    def enter(self, lease: NamedLease, *, door: bool = False) -> LiveSnapshot[C]:
        """Take a lease on a fresh snapshot; blocks while there is none."""
        engine = self._engine
        while True:
            thread = engine.running()
            answer = thread.admission.admit(arm=door, link=engine.listeners.link())
            if isinstance(answer, Waiter):
                engine.refuse_inside(thread, "live.lease()")
                conclusion = answer.wait()
                if engine.in_process.goes_on(thread, conclusion):
                    continue
                answer = engine.loaded(thread, conclusion)
            if answer.enter(lease):
                return answer

    async def enter_async(self, lease: NamedLease, *, door: bool = False) -> LiveSnapshot[C]:
        """Take a lease on a fresh snapshot; waits while there is none."""
        engine = self._engine
        if running_loop() is None:
            engine.note_library()
            return await in_thread(partial(self.enter, lease, door=door))
        while True:
            thread = engine.running()
            waiter = engine.meet(thread, through_build=False)
            if waiter is not None:
                engine.refuse_inside(thread, "live.lease()")
                await waiter.wait_async()
            link = engine.listeners.link()
            answer = thread.admission.admit(arm=door, prepare=Waiter.bind, link=link)
            if isinstance(answer, Waiter):
                engine.refuse_inside(thread, "live.lease()")
                conclusion = await answer.wait_async()
                if engine.in_process.goes_on(thread, conclusion):
                    continue
                answer = engine.loaded(thread, conclusion)
            if answer.enter(lease):
                return answer

    def drawn(
        self, lease: NamedLease, current: LiveSnapshot[C], scope: Mapping[str, Any] | None
    ) -> tuple[LiveSnapshot[C], UnitTicket | None]:
        """Return which version a unit of work gets, and its ticket while an edit is tried."""
        pair = self._engine.cell.pair
        return (current, None) if pair is None else pair.drawn(lease, current, scope)

    def join(self, lease: NamedLease) -> LiveSnapshot[C] | None:
        """Take a lease on the snapshot of the unit of work around this code, while it is alive.

        None where there is none, or where it has been released: that one may go on with the newest.
        """
        unit = unit_in(self._engine)
        live_snapshot = None if unit is None else self._live_snapshot_of(unit[SNAPSHOT])
        if unit is None or live_snapshot is None:
            return None
        live_snapshot.join(lease)
        life = unit[LIFE]
        if lasts(unit) and not life.is_released:
            lease.around = unit
            return live_snapshot
        live_snapshot.leave(lease.key)
        lease.live_snapshot = None
        return None

    def rejoin(self, lease: NamedLease, snapshot: object) -> LiveSnapshot[C] | None:
        """Take a second lease on the snapshot that a request's state holds already.

        Where this code rehearses an edit, that is it, whatever the state holds. None when it is
        not one of this engine, or belongs to a unit of work that has ended.
        """
        thread = self._engine.thread
        if thread is None:
            return None
        if thread.serving.staged is not None and is_inside(thread.scheduler):
            snapshot = self._rehearsed_here() or snapshot
        elif self._engine.pinned is not None:
            unit = unit_in(self._engine)
            if unit is not None and isinstance(unit[LIFE], self._engine.pinned):
                snapshot = unit[SNAPSHOT]
        live_snapshot = None if snapshot is None else thread.serving.of(snapshot)
        if live_snapshot is None:
            return None
        live_snapshot.join(lease)
        if live_snapshot.units() > 1:  # its own, and at least the one that it joins
            unit = unit_in(self._engine)
            if unit is not None and unit[SNAPSHOT] is snapshot:
                lease.around = unit
            return live_snapshot
        live_snapshot.leave(lease.key)
        lease.live_snapshot = None
        return None

    def _rehearsed_here(self) -> object:
        """Return the snapshot that this code rehearses, the new one or what serves, or None."""
        unit = unit_in(self._engine)
        return None if unit is None or not lasts(unit) else unit[SNAPSHOT]

    def _live_snapshot_of(self, snapshot: object) -> LiveSnapshot[C] | None:
        thread = self._engine.thread
        return None if thread is None else thread.serving.of(snapshot)
