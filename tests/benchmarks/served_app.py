"""The applications that are served: the smallest there are, bare or behind a door.

`SERVED_CONFIG` names a configuration, for our door; `SERVED_LEAST` asks for the least door.
"""

import os
from collections.abc import Iterable

from reloadcheck import ReloadCheck
from reloadcheck._doors.protocols import (
    ASGIApp,
    Environ,
    Receive,
    Scope,
    Send,
    StartResponse,
    WSGIApp,
)
from reloadcheck.asgi import ReloadCheckMiddleware as ASGIDoor
from reloadcheck.wsgi import ReloadCheckMiddleware as WSGIDoor

from .least import least, least_wsgi

__all__ = ["asgi", "wsgi"]

HEADERS = [("Content-Type", "text/plain"), ("Content-Length", "5")]
RAW = [(name.lower().encode(), value.encode()) for name, value in HEADERS]


async def answer(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer each request; the lifespan is not ours."""
    if scope["type"] != "http":
        raise RuntimeError("requests only")
    await send({"type": "http.response.start", "status": 200, "headers": RAW})
    await send({"type": "http.response.body", "body": b"hello"})


def listed(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer each request with a list."""
    start_response("200 OK", HEADERS)
    return [b"hello"]


config = os.environ.get("SERVED_CONFIG")
asgi: ASGIApp = answer
wsgi: WSGIApp = listed
if os.environ.get("SERVED_LEAST"):
    asgi, wsgi = least(answer), least_wsgi(listed)
elif config is not None:
    live = ReloadCheck(config)
    asgi, wsgi = ASGIDoor(answer, live), WSGIDoor(listed, live)
