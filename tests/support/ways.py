"""The ways in which a unit of work comes to the admission: each gives the version that it saw."""

from collections.abc import Callable
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor

Serve = Callable[["ReloadCheck[Any]"], int]


def through_lease(live: "ReloadCheck[Any]") -> int:
    """Return the version that a lease sees."""
    with live.lease() as snapshot:
        return snapshot.version


def through_wsgi(live: "ReloadCheck[Any]") -> int:
    """Return the version that a WSGI request sees."""
    seen: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(environ["reloadcheck.snapshot"].version)
        return [b""]

    WsgiDoor(app, live)({"PATH_INFO": "/"}, lambda *_: None)
    return seen[0]


async def through_asgi(live: "ReloadCheck[Any]") -> int:
    """Return the version that an ASGI request sees."""
    seen: list[int] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        seen.append(scope["state"]["snapshot"].version)

    async def nothing(*_: Any) -> Any:
        return {}

    await AsgiDoor(app, live)({"type": "http", "path": "/"}, nothing, nothing)
    return seen[0]
