"""The status page before an ASGI application: everybody else gets the application's own answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any

from ._engine import ReloadCheck
from ._page import Page, Wanted, page
from ._page_door import Asked, Gate, Granted, Settings
from ._view import reads_values, view_of
from .exceptions import ReloadCheckError

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


class StatusPage:
    """Answer those who ask for the status at its path with its token; pass all else on.

    It is no unit of work: looking holds no snapshot and has no check made. Only `ready`, and only
    while nothing is loaded, asks for the first load, as a request would.
    """

    def __init__(self, app: ASGIApp, live: ReloadCheck[Any], settings: Settings) -> None:
        self._app = app
        self._live = live
        self._gate = Gate(settings)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            path = _path(scope)
            if self._gate.concerns(scope["method"], path):
                granted = self._gate.grant(path, _asked(scope))
                if granted is not None:
                    await _send(await self._answer(granted), scope, send)
                    return
        await self._app(scope, receive, send)

    async def _answer(self, granted: Granted) -> Page:
        if granted.page is not None:
            return granted.page
        live, wanted = self._live, granted.wanted
        if wanted is Wanted.READY and live.status().version is None:
            with suppress(ReloadCheckError):
                async with live.lease():
                    pass
        status = await live.astatus(probe=granted.probe)
        if not reads_values(wanted):
            return page(view_of(live, status, wanted), wanted)
        from anyio import to_thread

        return await to_thread.run_sync(lambda: page(view_of(live, status, wanted), wanted))


def _path(scope: Scope) -> str:
    """Give the path below the place that the application is mounted at."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _asked(scope: Scope) -> Asked:
    def values(name: bytes) -> list[bytes]:
        return [value for key, value in scope["headers"] if key.lower() == name]

    return Asked(
        scope.get("query_string", b"").decode("latin-1"),
        b",".join(values(b"accept")).decode("latin-1"),
        values(b"authorization"),
        values(b"cookie"),
        scope.get("scheme") == "https",
    )


async def _send(answer: Page, scope: Scope, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})
