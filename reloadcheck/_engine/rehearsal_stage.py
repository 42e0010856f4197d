"""One version as the stage of a rehearsal: code runs on it, and requests are sent to it.

What is rehearsed is `trial/rehearsal`'s. Whoever stands on it is in a unit of work of that version,
so that doors, leases and `current()` all give it; nobody else sees it. Runs in a call thread;
coroutines run in the home loop.
"""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, Final, Protocol

from .._snapshots.context import enter, leave
from .._snapshots.tenancy import LiveSnapshot, NamedLease

if TYPE_CHECKING:
    import asyncio

    from ..seams.repeats import Repeat


class Send(Protocol):
    """Sends one request to the application, by method and target; gives the answer's status.

    With `repeat` it is one that came by, and that keeps its answer.
    """

    def __call__(
        self, method: str, target: str, repeat: Repeat | None = None, /
    ) -> int | Awaitable[int]: ...


REQUEST_SECONDS: Final = 10.0
"""Seconds that one request may take."""


class StageOf:
    """The stage that one live snapshot is; `send` is None where no application is known."""

    def __init__(
        self,
        live_snapshot: LiveSnapshot[Any],
        home: asyncio.AbstractEventLoop | None,
        send: Send | None,
    ) -> None:
        self._live_snapshot = live_snapshot
        self._home = home
        self._send = send

    @property
    def snapshot(self) -> object:
        """Return the version's snapshot."""
        return self._live_snapshot.snapshot

    @property
    def takes_requests(self) -> bool:
        """Return whether a rehearsal can send requests to the application, which is known then."""
        return self._send is not None

    def run(self, work: Callable[[], Any], timeout: float) -> Any:
        """Run a function, or a coroutine, on this version; raise `TimeoutError`, or its error."""
        return copy_context().run(self._run, work, timeout)

    def answer(self, method: str, target: str) -> int:
        """Send a request to the application; return the status of its answer."""
        send = self._send
        if send is None:
            raise LookupError("no application is known")
        return int(self.run(lambda: send(method, target), REQUEST_SECONDS))

    def _run(self, work: Callable[[], Any], timeout: float) -> Any:
        lease = self._leased()
        token = enter(self._live_snapshot.snapshot, lease)
        try:
            result = work()
            if inspect.isawaitable(result):
                return self._awaited(result, timeout)
            return result
        finally:
            leave(token)
            lease.end()

    def _leased(self) -> NamedLease:
        lease = NamedLease("a rehearsal")
        self._live_snapshot.join(lease)
        return lease

    def _awaited(self, result: Awaitable[Any], timeout: float) -> Any:
        import asyncio  # which only a coroutine needs

        async def awaiting() -> Any:
            return await result

        home = self._home
        if home is None or home.is_closed():
            return asyncio.run(asyncio.wait_for(awaiting(), timeout))
        future = asyncio.run_coroutine_threadsafe(awaiting(), home)
        try:
            return future.result(timeout)
        except TimeoutError:
            if not home.is_closed():  # it may have ended meanwhile
                future.cancel()
            raise TimeoutError from None
