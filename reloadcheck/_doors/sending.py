"""Send a made-up or repeated request to the application in process, for a rehearsal or a shadow.

They look like the first one that came by, as to host and server, and have the lifespan's state.
They carry nobody's credentials, and a user agent by which the application can tell them; those of a
shadow are what came by, made again.
"""

import io
import sys
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote

from ..seams.repeats import Repeat
from .protocols import ASGIApp, Environ, Message, Scope, WSGIApp

if TYPE_CHECKING:
    import asyncio

AGENT: Final = "reloadcheck-rehearsal"
"""The user agent of such requests."""


def asgi_sender(
    app: ASGIApp, scope: Scope, state: Mapping[str, Any]
) -> Callable[..., Awaitable[int]]:
    """Return what sends requests to an ASGI application; `scope` is one that came by.

    `state` is the lifespan's. An application that names itself in the scope is the outermost one,
    and gets them. Nothing of that request is kept but where it was sent to.
    """
    outermost: ASGIApp = scope.get("app") or app
    host = next((value for name, value in scope.get("headers", ()) if name == b"host"), None)
    like = {
        "asgi": scope.get("asgi", {"version": "3.0"}),
        "scheme": scope.get("scheme", "http"),
        "root_path": scope.get("root_path", ""),
        "server": scope.get("server"),
    }
    del scope

    async def send_request(method: str, target: str, repeat: Repeat | None = None, /) -> int:
        path, _, query = target.partition("?")
        headers = [(b"host", host or b"localhost"), (b"user-agent", AGENT.encode())]
        made: dict[str, Any] = {
            **like,
            "type": "http",
            "http_version": "1.1",
            "method": method,
            "path": unquote(path),
            "raw_path": path.encode(),
            "query_string": query.encode(),
            "headers": headers,
            "client": ("127.0.0.1", 0),
            "state": dict(state),
        }
        if repeat is not None:
            _make_again(made, repeat)
        answered: list[int] = []
        asked = False
        over = None if repeat is None else _event()

        async def receive() -> Message:
            nonlocal asked
            if asked:
                if over is not None:  # a client that stays until it has the answer
                    await over.wait()
                return {"type": "http.disconnect"}
            asked = True
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            if message["type"] == "http.response.start":
                answered.append(int(message["status"]))
                if repeat is not None:
                    repeat.headers = tuple(
                        (bytes(name).decode("latin-1").lower(), bytes(value).decode("latin-1"))
                        for name, value in message.get("headers", ())
                    )
            elif repeat is not None and message["type"] == "http.response.body":
                repeat.take(message.get("body", b""))
                if over is not None and not message.get("more_body", False):
                    over.set()

        await outermost(made, receive, send)
        return answered[0] if answered else 500

    return send_request


def wsgi_sender(app: WSGIApp, environ: Environ) -> Callable[..., int]:
    """Return what sends requests to a WSGI application; `environ` is one that came by."""
    kept = ("SERVER_NAME", "SERVER_PORT", "SERVER_PROTOCOL", "HTTP_HOST", "SCRIPT_NAME")
    like = {name: environ[name] for name in kept if name in environ}
    scheme = environ.get("wsgi.url_scheme", "http")

    def send_request(method: str, target: str, repeat: Repeat | None = None, /) -> int:
        path, _, query = target.partition("?")
        made: dict[str, Any] = {
            "SERVER_NAME": "localhost",
            "SERVER_PORT": "80",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "SCRIPT_NAME": "",
            **like,
            "REQUEST_METHOD": method,
            "PATH_INFO": unquote(path, "latin-1"),
            "QUERY_STRING": query,
            "REMOTE_ADDR": "127.0.0.1",
            "HTTP_USER_AGENT": AGENT,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": scheme,
            "wsgi.input": io.BytesIO(),
            "wsgi.errors": sys.stderr,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        if repeat is not None:
            _make_environ_again(made, repeat)
        answered: list[int] = []

        def take(part: bytes) -> None:
            if repeat is not None:
                repeat.take(part)

        def start_response(status: str, headers: Any, *_: Any) -> Callable[[bytes], object]:
            answered.append(int(status[:3]))
            if repeat is not None:
                repeat.headers = tuple((name.lower(), value) for name, value in headers)
            return take

        body = app(made, start_response)
        try:
            for part in body:
                take(part)
        finally:
            close = getattr(body, "close", None)
            if close is not None:
                close()
        return answered[-1] if answered else 500

    return send_request


def _make_again(made: dict[str, Any], repeat: Repeat) -> None:
    """Make a scope that of a request that came by; nothing in it is shared with that one."""
    request = repeat.request
    made["path"], made["root_path"] = request.path, request.root
    made["client"] = request.client
    made["headers"] = [(a.encode("latin-1"), b.encode("latin-1")) for a, b in request.headers]


def _make_environ_again(made: dict[str, Any], repeat: Repeat) -> None:
    """Make an environ that of a request that came by; nothing in it is shared with that one."""
    request = repeat.request
    made["SCRIPT_NAME"] = request.root
    made.pop("HTTP_USER_AGENT")
    for name, value in request.headers:
        made[f"HTTP_{name.upper().replace('-', '_')}"] = value
    if request.client is not None:
        made["REMOTE_ADDR"] = request.client[0]


def _event() -> "asyncio.Event":
    import asyncio  # which few of them need

    return asyncio.Event()
