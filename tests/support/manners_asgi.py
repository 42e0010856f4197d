"""Small ASGI apps of all manners, each served bare and wrapped: `tests.support.manners_asgi:app`.

`/bare/plain` and `/wrapped/plain` are one app without and with our middleware around it;
whatever differs in the two responses is our doing.
"""

import asyncio
import os

from reloadcheck import ReloadCheck
from reloadcheck._doors.protocols import ASGIApp, Receive, Scope, Send
from reloadcheck.asgi import ReloadCheckMiddleware

__all__ = ["APPS", "app"]

PLAIN = [(b"content-type", b"text/plain")]


async def _start(send: Send, status: int = 200, *more: tuple[bytes, bytes]) -> None:
    await send({"type": "http.response.start", "status": status, "headers": [*PLAIN, *more]})


async def _plain(scope: Scope, receive: Receive, send: Send) -> None:
    await _start(send, 200, (b"content-length", b"5"))
    await send({"type": "http.response.body", "body": b"plain"})


async def _stream(scope: Scope, receive: Receive, send: Send) -> None:
    await _start(send)
    for _ in range(3):
        await send({"type": "http.response.body", "body": b"piece", "more_body": True})
        await asyncio.sleep(0)
    await send({"type": "http.response.body"})


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    message = await receive()
    await _start(send)
    await send({"type": "http.response.body", "body": message["body"] + scope["query_string"]})


async def _no_content(scope: Scope, receive: Receive, send: Send) -> None:
    await _start(send, 204)
    await send({"type": "http.response.body"})


async def _error(scope: Scope, receive: Receive, send: Send) -> None:
    raise ValueError("before the start")


async def _error_in_body(scope: Scope, receive: Receive, send: Send) -> None:
    await _start(send, 200, (b"content-length", b"10"))
    await send({"type": "http.response.body", "body": b"abc", "more_body": True})
    raise ValueError("in the middle")


async def _says_nothing(scope: Scope, receive: Receive, send: Send) -> None:
    return


APPS: dict[str, ASGIApp] = {
    "plain": _plain,
    "stream": _stream,
    "echo": _echo,
    "no-content": _no_content,
    "error": _error,
    "error-in-body": _error_in_body,
    "says-nothing": _says_nothing,
}

_wrapped: dict[str, ASGIApp] = {}
if "RIG_CONFIG" in os.environ:
    _live = ReloadCheck(os.environ["RIG_CONFIG"])
    _wrapped = {name: ReloadCheckMiddleware(inner, _live) for name, inner in APPS.items()}


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    """Pass the request on to one of the apps, or to the same one wrapped; no lifespan."""
    if scope["type"] != "http":
        raise NotImplementedError
    _, kind, name = scope["path"].split("/")
    await (APPS if kind == "bare" else _wrapped)[name](scope, receive, send)
