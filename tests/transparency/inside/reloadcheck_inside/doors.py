"""Puts our doors around every application that a framework's own tests serve.

The test clients are changed in place, so that the tests themselves stay as they are. One engine for
the whole run, with a resource, as an application would have.
"""

import io
from collections.abc import Awaitable, Callable, Iterator
from functools import partial, wraps
from importlib import import_module
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

from reloadcheck import FrozenDict, ReloadCheck

__all__ = ["put", "wrapped"]

_file = Path(mkdtemp(prefix="reloadcheck-doors-"), "config.yaml")
_file.write_text("limits: {rate: 10}\n")
_live = ReloadCheck(_file)
_wrapped = 0


@_live.resource("limits")
def _limits(limits: FrozenDict) -> Iterator[list[int]]:
    yield [limits.rate]


def wrapped() -> int:
    """Return how often a door was put around something."""
    return _wrapped


def put(doors: str) -> None:
    """Put the doors of this name in place: `starlette`, `werkzeug`, `django`, `site`, or `none`."""
    if doors != "none":
        kinds = {"starlette": _starlette, "werkzeug": _werkzeug, "django": _django, "site": _site}
        kinds[doors]()


def _asgi(app: Any) -> Any:
    global _wrapped
    _wrapped += 1
    return import_module("reloadcheck.asgi").ReloadCheckMiddleware(app, _live)


def _wsgi(app: Any) -> Any:
    global _wrapped
    _wrapped += 1
    return import_module("reloadcheck.wsgi").ReloadCheckMiddleware(app, _live)


def _starlette() -> None:
    """Starlette's client, which is FastAPI's; an ASGI 2 app is made a later one first, as there."""
    testing: Any = import_module("starlette.testclient")
    bare: Callable[..., None] = testing.TestClient.__init__

    @wraps(bare)
    def init(self: Any, app: Any, *args: Any, **kwargs: Any) -> None:
        modern = app if testing._is_asgi3(app) else testing._WrapASGI2(app)
        bare(self, _asgi(modern), *args, **kwargs)

    testing.TestClient.__init__ = init


def _werkzeug() -> None:
    """What Werkzeug's client, and with it Flask's, calls an app by."""
    testing: Any = import_module("werkzeug.test")
    bare: Callable[..., Any] = testing.run_wsgi_app

    @wraps(bare)
    def run_wsgi_app(app: Any, *args: Any, **kwargs: Any) -> Any:
        return bare(_wsgi(app), *args, **kwargs)

    testing.run_wsgi_app = run_wsgi_app


def _django() -> None:
    """Django's two handlers, and those of its test clients, which give the response itself."""
    wsgi: Any = import_module("django.core.handlers.wsgi")
    asgi: Any = import_module("django.core.handlers.asgi")
    testing: Any = import_module("django.test.client")
    serve: Callable[..., Any] = wsgi.WSGIHandler.__call__
    serve_async: Callable[..., Awaitable[None]] = asgi.ASGIHandler.__call__
    answer: Callable[..., Any] = testing.ClientHandler.__call__
    answer_async: Callable[..., Awaitable[Any]] = testing.AsyncClientHandler.__call__

    @wraps(serve)
    def serve_behind(self: Any, environ: Any, start_response: Any) -> Any:
        return _wsgi(partial(serve, self))(environ, start_response)

    @wraps(serve_async)
    async def serve_async_behind(self: Any, scope: Any, receive: Any, send: Any) -> None:
        await _asgi(partial(serve_async, self))(scope, receive, send)

    @wraps(answer)
    def answer_behind(self: Any, environ: Any) -> Any:
        given: list[Any] = []

        def app(environ: Any, start_response: Any) -> list[bytes]:
            given.append(answer(self, environ))
            return []

        _wsgi(app)(environ, io.BytesIO().write)
        return given[0]

    @wraps(answer_async)
    async def answer_async_behind(self: Any, scope: Any) -> Any:
        given: list[Any] = []

        async def app(scope: Any, receive: Any, send: Any) -> None:
            given.append(await answer_async(self, scope))

        await _asgi(app)(scope, None, None)
        return given[0]

    wsgi.WSGIHandler.__call__ = serve_behind
    asgi.ASGIHandler.__call__ = serve_async_behind
    testing.ClientHandler.__call__ = answer_behind
    testing.AsyncClientHandler.__call__ = answer_async_behind


def _site() -> None:
    """The middleware that the site's settings name: it is only counted."""
    ours: Any = import_module("reloadcheck.integrations.django.middleware").ReloadCheckMiddleware
    call: Callable[..., Any] = ours.__call__

    @wraps(call)
    def counted(self: Any, request: Any) -> Any:
        global _wrapped
        _wrapped += 1
        return call(self, request)

    ours.__call__ = counted
