"""Units of work outside a request: `with live.lease()`."""

from contextvars import Token
from types import TracebackType
from typing import Generic, Protocol, TypeVar

from .context import enter, forget, leave
from .snapshot import Snapshot
from .tenancy import LiveSnapshot, NamedLease
from .unit import Unit

C = TypeVar("C")


class Admitting(Protocol[C]):
    """What a lease needs of its engine."""

    def enter(self, lease: NamedLease) -> LiveSnapshot[C]:
        """Take a lease on a fresh snapshot; may block."""
        ...

    async def enter_async(self, lease: NamedLease) -> LiveSnapshot[C]:
        """Take a lease on a fresh snapshot; may wait."""
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
    the code that asked for it.
    """

    def __init__(self, engine: Admitting[C], label: object) -> None:
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
        self.leave()
        self.give_back()

    def take(self) -> Snapshot[C]:
        """Take a lease on a snapshot; may block."""
        self._engine.refuse_to_block("with live.lease()", "async with live.lease()")
        return self._taken(self._joined() or self._engine.enter(self._lease))

    async def take_async(self) -> Snapshot[C]:
        """Take a lease on a snapshot; may wait."""
        return self._taken(self._joined() or await self._engine.enter_async(self._lease))

    def enter(self) -> None:
        """Be the unit of work that the running context is in."""
        if self._snapshot is not None:
            self._token = enter(self._snapshot, self._lease)

    def leave(self) -> None:
        """Be it no longer."""
        token, self._token = self._token, None
        if token is not None:
            leave(token)

    def give_back(self) -> None:
        """Hold the snapshot no longer."""
        self._lease.end()

    def drop(self) -> None:
        """End a unit of work whose owner was thrown away, in whatever thread that came to light."""
        token, self._token = self._token, None
        if token is not None:
            forget(self._lease, token)
        self.give_back()

    def _joined(self) -> LiveSnapshot[C] | None:
        if self._snapshot is not None:
            raise RuntimeError("a lease is used once: call live.lease() again")
        return self._engine.join(self._lease)

    def _taken(self, live_snapshot: LiveSnapshot[C]) -> Snapshot[C]:
        self._snapshot = live_snapshot.snapshot
        return live_snapshot.snapshot
