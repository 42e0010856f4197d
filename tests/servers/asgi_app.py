"""The ASGI app of this rig, in plain ASGI behind our door.

`/` tells, `/hold` keeps its worker from taking another request meanwhile, `/stream` tells for ever,
`/signals` tells the signal handlers too.
"""

import asyncio
import time

from reloadcheck._doors.protocols import ASGIApp, Receive, Scope, Send
from reloadcheck.asgi import ReloadCheckMiddleware

from . import facts

live = facts.engine()


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, or the lifespan."""
    if scope["type"] == "lifespan":
        await _live_on(receive, send)
        return
    path: str = scope["path"]
    if path == "/hold":
        time.sleep(facts.HOLD_SECONDS)
    body = facts.told(path, scope.get("state", {}).get("config"))
    headers = [(b"content-type", b"application/json")]
    if path != "/stream":
        headers.append((b"content-length", str(len(body)).encode()))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    while path == "/stream":
        await send({"type": "http.response.body", "body": body, "more_body": True})
        await asyncio.sleep(facts.LINE_SECONDS)
        body = facts.told(path, scope.get("state", {}).get("config"))
    await send({"type": "http.response.body", "body": body})


async def _live_on(receive: Receive, send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


app: ASGIApp = plain if facts.BARE else ReloadCheckMiddleware(plain, live)
