"""`with live.lease()`: a unit of work outside a request, sync or async."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import Token
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from ..exceptions import LeaseUsedError
from .context import enter, forget, leave
from .pair import begin_ticket, end_ticket
from .snapshot import Snapshot
from .tenancy import LiveSnapshot, NamedLease
from .unit import Unit

if TYPE_CHECKING:
    from ..seams.trial import UnitTicket

C = TypeVar("C")


class Admitting(Protocol[C]):
    """What a lease needs of its engine."""

    def enter(self, lease: NamedLease) -> LiveSnapshot[C]:
        """Take a lease on a fresh snapshot; may block."""
        ...

    async def enter_async(self, lease: NamedLease) -> LiveSnapshot[C]:
        """Take a lease on a fresh snapshot; may wait."""
        ...

    def drawn(
        self, lease: NamedLease, current: LiveSnapshot[C], scope: Mapping[str, Any] | None
    ) -> tuple[LiveSnapshot[C], UnitTicket | None]:
        """Return which version it gets while an edit is tried, and its ticket then."""
        ...

    def join(self, lease: NamedLease) -> LiveSnapshot[C] | None:
        """Take a lease on the snapshot of the unit of work around this one, if there is one."""
        ...

    def refuse_to_block(self, what: str, instead: str) -> None:
        """Raise where waiting would stop the loop that is waited for."""
        ...


class Lease(Generic[C]):
    """One unit of work: `with` or `async with`; used once.

    Inside a unit of work of the same engine it holds that one's snapshot too, and keeps it alive
    on its own account; inside one that was released, the newest. `label` is what to call it by, or
    the code that asked for it. With a `scope` it takes part in a trial, as a request does, and
    `ticket` is there while one runs.
    """

    def __init__(
        self, engine: Admitting[C], label: object, scope: Mapping[str, Any] | None = None
    ) -> None:
        self.ticket: UnitTicket | None = None
        self._scope = scope
        self._marks: Token[tuple[UnitTicket, ...]] | None = None
        self._engine = engine
        self._lease = NamedLease(label)
        self._snapshot: Snapshot[C] | None = None
        self._token: Token[Unit | None] | None = None

    def __enter__(self) -> Snapshot[C]:
        snapshot = self.take()
        self.enter()
        return snapshot

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell(error)
        self.leave()
        self.give_back()

    async def __aenter__(self) -> Snapshot[C]:
        snapshot = await self.take_async()
        self.enter()
        return snapshot

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._tell(error)
        self.leave()
        self.give_back()

    def take(self) -> Snapshot[C]:
        """Take a lease on a snapshot; may block."""
        self._engine.refuse_to_block("with live.lease()", "async with live.lease()")
        return self._taken(self._joined() or self._drawn(self._engine.enter(self._lease)))

    async def take_async(self) -> Snapshot[C]:
        """Take a lease on a snapshot; may wait."""
        joined = self._joined()
        return self._taken(joined or self._drawn(await self._engine.enter_async(self._lease)))

    def enter(self) -> None:
        """Be the unit of work that the running context is in."""
        if self._snapshot is not None:
            self._token = enter(self._snapshot, self._lease)
        if self.ticket is not None:
            self._marks = begin_ticket(self.ticket)

    def leave(self) -> None:
        """Be it no longer."""
        if self._marks is not None:
            end_ticket(self._marks)
            self._marks = None
        token, self._token = self._token, None
        if token is not None:
            leave(token)

    def give_back(self) -> None:
        """Hold the snapshot no longer."""
        if self.ticket is not None:
            self.ticket.ended()
        self._lease.end()

    def drop(self) -> None:
        """End a unit of work whose owner was thrown away, in whatever thread that came to light."""
        token, self._token = self._token, None
        if token is not None:
            forget(self._lease, token)
        self.give_back()

    def _drawn(self, current: LiveSnapshot[C]) -> LiveSnapshot[C]:
        if self._scope is None:
            return current
        live_snapshot, self.ticket = self._engine.drawn(self._lease, current, self._scope)
        return live_snapshot

    def _tell(self, error: BaseException | None) -> None:
        if self.ticket is not None and isinstance(error, Exception):
            self.ticket.failed(type(error).__name__)

    def _joined(self) -> LiveSnapshot[C] | None:
        if self._snapshot is not None:
            raise LeaseUsedError("a lease is used once: call live.lease() again")
        return self._engine.join(self._lease)

    def _taken(self, live_snapshot: LiveSnapshot[C]) -> Snapshot[C]:
        self._snapshot = live_snapshot.snapshot
        return live_snapshot.snapshot
