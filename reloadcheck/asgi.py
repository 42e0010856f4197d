"""The ASGI door: each request, stream or websocket works on one snapshot from start to end.

Wraps any ASGI application and changes nothing else about it.
"""

import asyncio
import logging
from collections.abc import Awaitable, MutableMapping
from functools import partial
from typing import TYPE_CHECKING, Any, Self, cast

from ._doors.protocols import ASGIApp, Message, Receive, Scope, Send
from ._doors.sending import asgi_sender
from ._doors.unavailable import UNAVAILABLE
from ._doors.watched import watched_asgi
from ._engine.api import ReloadCheck, engine_of, environ_of
from ._engine.engine import Engine
from ._engine.entrance import Entrance
from ._page.settings import chosen
from ._snapshots.context import enter, leave
from ._snapshots.holders import door
from ._snapshots.tenancy import LeaseRef, NamedLease
from ._snapshots.unit import LIFE, Unit, end, unit_of_work
from .exceptions import ReloadCheckError
from .seams.trial import UnitTicket

__all__ = ["ASGIApp", "Message", "Receive", "ReloadCheckMiddleware", "Scope", "Send"]

_logger = logging.getLogger("reloadcheck")
_running_loop = asyncio._get_running_loop
_unit, _set_unit, _reset_unit = unit_of_work.get, unit_of_work.set, unit_of_work.reset


class ReloadCheckMiddleware:
    """Set `scope["state"]["config"]` and `["snapshot"]` for each request and websocket.

    The lease ends when the application returns. The lifespan starts the engine before the
    application's start-up, fails with the cause on a bad configuration, and closes the engine after
    the application's shutdown. Without lifespan the first request starts it; while there is no good
    configuration, requests are answered 503 with `Retry-After`.

    At `status_path` there is a page for those who have `status_token`; the environment variables
    RELOAD_CHECK_STATUS_PATH and _TOKEN override both. Everybody else gets the application's answer.

    What it gives is a coroutine function with the attributes `app` and `live`: a closure costs a
    request half of what an object with a `__call__` does. So it cannot be subclassed; wrap it.
    """

    app: ASGIApp
    live: ReloadCheck[Any]

    def __new__(
        cls,
        app: ASGIApp,
        live: ReloadCheck[Any],
        *,
        status_path: str | None = None,
        status_token: str | None = None,
        health_path: str | None = None,
    ) -> Self:
        door: Any = _door(app, live)
        settings = chosen(environ_of(live), status_path, status_token, health_path)
        if settings is not None:
            from ._page.asgi import with_status_page

            door = with_status_page(door, live, settings)
        door.app, door.live = app, live
        return cast("Self", door)

    def __init_subclass__(cls) -> None:
        raise TypeError("ReloadCheckMiddleware cannot be subclassed: wrap what it gives instead")

    if TYPE_CHECKING:

        def __init__(
            self,
            app: ASGIApp,
            live: ReloadCheck[Any],
            *,
            status_path: str | None = None,
            status_token: str | None = None,
            health_path: str | None = None,
        ) -> None: ...
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None: ...


def _door(app: ASGIApp, live: ReloadCheck[Any]) -> ASGIApp:
    """Make the door. What it does for each request is written out: a call costs as much as all."""
    cell = engine_of(live).cell

    @door
    async def reloadcheck(scope: Scope, receive: Receive, send: Send) -> None:
        hold = cell.fresh
        kind = scope["type"]
        if (
            hold is None
            or (kind != "http" and kind != "websocket")
            or (hold.home is not None and hold.home is not _running_loop())
            or _unit() is not None
        ):
            hold = None
            await _slowly(app, live, scope, receive, send)
            return
        try:
            state: MutableMapping[str, Any] = scope["state"]
        except KeyError:
            scope["state"] = state = {}
        state["config"] = hold.config
        state["snapshot"] = snapshot = hold.snapshot
        unit: Unit = [snapshot, hold, None, None]
        hold = None  # the lease is the unit's: whoever looks at this frame keeps its variables
        token = _set_unit(unit)
        try:
            await app(scope, receive, send)
        finally:
            wake = unit[1].wake  # what follows is `end`, with numbers for names
            unit[1] = False
            if unit[3] is not None:
                del unit[4:]
                unit[1] = False
            try:
                _reset_unit(token)
            except ValueError:  # ended in another context than it began in
                _set_unit(None)
            if wake is not None:
                wake()

    return reloadcheck


def _slowly(
    app: ASGIApp, live: ReloadCheck[Any], scope: Scope, receive: Receive, send: Send
) -> Awaitable[None]:
    """Do the same where there is more to it. No coroutine: its frame would keep what it holds."""
    pair = engine_of(live).cell.fresh_pair
    if (
        pair is not None
        and scope["type"] == "http"
        and (pair.home is None or pair.home is _running_loop())
        and _unit() is None
    ):
        admitted = pair.admit(scope)
        if admitted is not None:
            return _tried(app, admitted, scope, receive, send)
    return _asking(app, live, scope, receive, send)


@door
async def _tried(
    app: ASGIApp,
    admitted: tuple[LeaseRef[Any], UnitTicket] | None,
    scope: Scope,
    receive: Receive,
    send: Send,
) -> None:
    """Serve a request while an edit is tried or watched: as the door does, with a ticket."""
    assert admitted is not None
    hold, ticket = admitted
    state: MutableMapping[str, Any] | None = scope.get("state")
    if state is None:
        scope["state"] = state = {}
    state["config"] = hold.config
    state["snapshot"] = snapshot = hold.snapshot
    unit: Unit = [snapshot, hold, None, None]
    admitted = hold = None  # type: ignore[assignment]  # the lease is the unit's alone
    token = _set_unit(unit)
    try:
        await watched_asgi(app, ticket, scope, receive, send)
    finally:
        wake = unit[LIFE].wake
        end(unit)
        leave(token)
        if wake is not None:
            wake()


async def _asking(
    app: ASGIApp, live: ReloadCheck[Any], scope: Scope, receive: Receive, send: Send
) -> None:
    """Do it by asking the engine: nothing is fresh, another unit is around, it is no request."""
    if scope["type"] == "lifespan":
        await _lifespan(app, live, scope, receive, send)
        return
    if scope["type"] not in ("http", "websocket"):
        await app(scope, receive, send)
        return
    engine = engine_of(live)
    entrance = Entrance(engine)
    if engine.send is None and scope["type"] == "http":
        engine.send = asgi_sender(partial(_slowly, app, live), scope, engine.shared)
    state: MutableMapping[str, Any] | None = scope.get("state")
    if state is None:
        scope["state"] = state = {}
    before: tuple[Any, Any] | None = None
    if "snapshot" in state:  # another engine's around this one; it is put back afterwards
        before = state.get("config"), state["snapshot"]
    lease = NamedLease(scope)
    ticket: UnitTicket | None = None
    try:
        live_snapshot = entrance.rejoin(lease, state.get("snapshot"))
        if live_snapshot is None:
            current = await entrance.enter_async(lease, door=True)
            request = scope if scope["type"] == "http" else None  # new websockets are not drawn
            live_snapshot, ticket = entrance.drawn(lease, current, request)
    except ReloadCheckError as error:
        await _unavailable(error, engine, scope, send)
        return
    state["config"] = live_snapshot.hold.config
    state["snapshot"] = live_snapshot.snapshot
    token = enter(live_snapshot.snapshot, lease)
    try:
        if ticket is None:
            await app(scope, receive, send)
        else:
            await watched_asgi(app, ticket, scope, receive, send)
    finally:
        leave(token)
        if before is not None:
            state["config"], state["snapshot"] = before
        lease.end()


async def _lifespan(
    app: ASGIApp, live: ReloadCheck[Any], scope: Scope, receive: Receive, send: Send
) -> None:
    """Start the engine before the application starts, close it after the application ends."""
    started = False
    refused: ReloadCheckError | None = None
    engine_of(live).shared = scope.get("state") or {}

    async def receive_started() -> Message:
        nonlocal started, refused
        message = await receive()
        if message["type"] == "lifespan.startup" and not started:
            try:
                await live.astart()
            except ReloadCheckError as error:
                refused = error
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                raise
            started = True
        return message

    async def send_closed(message: Message) -> None:
        nonlocal started
        if refused is not None:
            return
        if message["type"] != "lifespan.startup.complete" and started:
            started = False
            await live.aclose()
        await send(message)

    try:
        await app(scope, receive_started, send_closed)
    finally:
        if started:
            await live.aclose()
    if refused is not None:  # an application that swallowed it has started all the same
        raise refused


async def _unavailable(
    error: ReloadCheckError, engine: Engine[Any], scope: Scope, send: Send
) -> None:
    """Answer for an application that has no configuration yet; the body does not say why."""
    _logger.debug("no configuration to serve %s with: %s", scope["type"], error)
    http = scope["type"] == "http"
    if not http and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013, "reason": "not configured yet"})
        return
    prefix = "http.response" if http else "websocket.http.response"
    after = str(engine.retry_after()).encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"retry-after", after),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": f"{prefix}.start", "status": 503, "headers": headers})
    await send({"type": f"{prefix}.body", "body": UNAVAILABLE})
