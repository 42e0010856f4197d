"""The ASGI door: each request, stream or websocket works on one snapshot from start to end.

Wraps any ASGI application and changes nothing else about it.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from ._current import unit_of_work, without
from ._engine import ReloadCheck, host_of
from ._host import Host
from ._snapshot import Tenancy
from .exceptions import ReloadCheckError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

_logger = logging.getLogger("reloadcheck")
_running_loop = asyncio._get_running_loop
_unit, _set_unit, _reset_unit = unit_of_work.get, unit_of_work.set, unit_of_work.reset


class ReloadCheckMiddleware:
    """Set `scope["state"]["config"]` and `["snapshot"]` for each request and websocket.

    The lease ends when the application returns. The lifespan starts the engine before the
    application's start-up, fails with the cause on a bad configuration, and closes the engine after
    the application's shutdown. Without lifespan the first request starts it; while there is no good
    configuration, requests are answered 503 with `Retry-After`.
    """

    def __init__(self, app: ASGIApp, live: ReloadCheck[Any]) -> None:
        self.app = app
        self.live = live
        self._host = host_of(live)
        self._cell = self._host.cell

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind != "http" and kind != "websocket":
            if kind == "lifespan":
                await self._lifespan(scope, receive, send)
            else:
                await self.app(scope, receive, send)
            return
        state: MutableMapping[str, Any] | None = scope.get("state")
        if state is None:
            scope["state"] = state = {}
        # Tenancy.enter() and leave(), written out: a call costs as much as all the rest.
        tenancy = self._cell.fresh
        key = id(scope)
        if (
            tenancy is not None
            and "snapshot" not in state
            and (tenancy.home is None or tenancy.home is _running_loop())
        ):
            tenancy.held[key] = scope["path"]
            if tenancy.retired:
                tenancy.leave(key)
                tenancy = None
        else:
            tenancy = None
        before: tuple[Any, Any] | None = None
        if tenancy is None:
            if "snapshot" in state:  # another engine's around this one; it is put back afterwards
                before = state.get("config"), state["snapshot"]
            try:
                tenancy, key = await self._slowly(scope, state)
            except ReloadCheckError as error:
                await _unavailable(error, self._host, scope, send)
                return
        state["config"] = tenancy.config
        state["snapshot"] = tenancy.snapshot
        outer = _unit()
        token = _set_unit((tenancy, key, None if outer is None else without(outer, self._host)))
        try:
            await self.app(scope, receive, send)
        finally:
            try:
                _reset_unit(token)
            except ValueError:  # ended in another context than it began in
                _set_unit(None)
            if before is not None:
                state["config"], state["snapshot"] = before
            tenancy.held.pop(key, None)
            if tenancy.retired and not tenancy.held:
                tenancy.released()

    async def _slowly(
        self, scope: Scope, state: MutableMapping[str, Any]
    ) -> tuple[Tenancy[Any], int]:
        """Ask for a snapshot; inside a unit of work of this engine, share the one it has."""
        label = scope["path"]
        joined = self._host.rejoin(state.get("snapshot"), label)
        if joined is not None:
            return joined
        return await self._host.enter_async(id(scope), label, door=True), id(scope)

    async def _lifespan(self, scope: Scope, receive: Receive, send: Send) -> None:
        live, started = self.live, False
        refused: ReloadCheckError | None = None

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
            await self.app(scope, receive_started, send_closed)
        finally:
            if started:
                await live.aclose()
        if refused is not None:  # an application that swallowed it has started all the same
            raise refused


async def _unavailable(error: ReloadCheckError, host: Host[Any], scope: Scope, send: Send) -> None:
    """Answer for an application that has no configuration yet; the body does not say why."""
    _logger.debug("no configuration to serve %s with: %s", scope["type"], error)
    http = scope["type"] == "http"
    if not http and "websocket.http.response" not in scope.get("extensions", {}):
        await send({"type": "websocket.close", "code": 1013, "reason": "not configured yet"})
        return
    prefix = "http.response" if http else "websocket.http.response"
    after = str(host.retry_after()).encode()
    headers = [
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"retry-after", after),
        (b"cache-control", b"no-store"),
    ]
    await send({"type": f"{prefix}.start", "status": 503, "headers": headers})
    await send({"type": f"{prefix}.body", "body": UNAVAILABLE})


UNAVAILABLE = b"The application has no usable configuration yet; its log says why.\n"
