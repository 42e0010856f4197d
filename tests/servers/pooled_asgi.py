"""An ASGI app that tells over which connection it asked the database."""

import asyncio
import time

from reloadcheck._doors.protocols import Receive, Scope, Send
from reloadcheck.asgi import ReloadCheckMiddleware

from .facts import HOLD_SECONDS
from .pooled import live, told


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request; there is no lifespan, so the first one starts the engine."""
    if scope["type"] == "lifespan":
        raise NotImplementedError
    if scope["path"] == "/hold":
        time.sleep(HOLD_SECONDS)
    body = await asyncio.to_thread(told, scope["state"]["snapshot"])
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = ReloadCheckMiddleware(plain, live)
