"""The status page before an ASGI application: everybody else gets the application's own answer."""

from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from .._engine.api import ReloadCheck, engine_of
from .._engine.check_for_status import glance_async, look_async
from .._engine.observed import observed
from ..exceptions import ReloadCheckError
from ..types import Outcome
from .access import Asked, Gate, Granted
from .page import LOOKS, Page, Wanted, bare, page
from .settings import Settings
from .view import reads_values, view_of

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]


def with_status_page(app: ASGIApp, live: ReloadCheck[Any], settings: Settings) -> ASGIApp:
    """Return the application with a status page before it.

    Looking is no unit of work: it holds no snapshot. Who looks at the status has a check made, so
    that it is of this moment; probes have none. Only `ready`, and only while nothing is loaded,
    asks for the first load, as a request would.
    """
    from anyio.to_thread import run_sync  # now, not on the event loop: importing takes a while

    gate = Gate(settings)
    endings = gate.endings

    async def status_page(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].endswith(endings):
            path = _path(scope)
            if gate.concerns(scope["method"], path):
                granted = gate.grant(path, _asked(scope))
                if granted is not None:
                    await _send(await _answer(live, granted, run_sync), scope, send)
                    return
        await app(scope, receive, send)

    return status_page


async def _answer(
    live: ReloadCheck[Any],
    granted: Granted,
    run_sync: Callable[[Callable[[], Page]], Awaitable[Page]],
) -> Page:
    if granted.page is not None:
        return granted.page
    wanted = granted.wanted
    if wanted is Wanted.READY and live.status().version is None:
        with suppress(ReloadCheckError):
            async with live.lease():
                pass
    outcome: Outcome | None = None
    if wanted is Wanted.CHECK:
        with suppress(ReloadCheckError):  # the status tells why
            outcome = await live.acheck()
    if wanted in LOOKS:
        await look_async(engine_of(live))
    if wanted is Wanted.HTML and not granted.probe:
        status = observed(engine_of(live), await glance_async(engine_of(live)))
    else:
        status = await live.astatus(probe=granted.probe)
    if outcome is not None:  # of this very check; another may have ended since
        status = replace(status, outcome=outcome)
    if granted.bare:
        return bare(status, wanted)
    if not reads_values(wanted):
        return page(view_of(live, status, wanted, granted.find), wanted)
    return await run_sync(lambda: page(view_of(live, status, wanted, granted.find), wanted))


def _path(scope: Scope) -> str:
    """Return the path below the place that the application is mounted at."""
    path: str = scope["path"]
    root: str = scope.get("root_path", "")
    return path[len(root) :] if root and path.startswith(root + "/") else path


def _target(scope: Scope) -> str | None:
    """Return the path as it was sent; None where the server does not tell."""
    raw: bytes | None = scope.get("raw_path")
    return None if raw is None else raw.decode("latin-1")


def _asked(scope: Scope) -> Asked:
    def values(name: bytes) -> list[bytes]:
        return [value for key, value in scope["headers"] if key.lower() == name]

    return Asked(
        scope.get("query_string", b"").decode("latin-1"),
        b",".join(values(b"accept")).decode("latin-1"),
        values(b"authorization"),
        values(b"cookie"),
        scope.get("scheme") == "https",
        _target(scope),
        scope.get("root_path", "") or b",".join(values(b"x-forwarded-prefix")).decode("latin-1"),
    )


async def _send(answer: Page, scope: Scope, send: Send) -> None:
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in answer.headers]
    await send({"type": "http.response.start", "status": answer.status, "headers": headers})
    body = b"" if scope["method"] == "HEAD" else answer.body
    await send({"type": "http.response.body", "body": body})
