"""An ASGI app whose workers act as one."""

from reloadcheck._doors.protocols import Receive, Scope, Send
from reloadcheck.asgi import ReloadCheckMiddleware

from .acting import live, told


async def plain(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer a request, and the lifespan."""
    if scope["type"] == "lifespan":
        for _ in range(2):
            message = await receive()
            await send({"type": f"{message['type']}.complete"})
        return
    body = told(scope["state"]["snapshot"])
    length = str(len(body)).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", length)]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


app = ReloadCheckMiddleware(plain, live)
