"""Small apps in frameworks that we have no adapter for, behind the plain doors.

Each has `/`, which says the configuration's number, and `/stream`, which says it three times. What
has no types of its own is imported as such.
"""

from collections.abc import AsyncIterator, Callable, Iterator
from importlib import import_module
from typing import Any
from warnings import catch_warnings, simplefilter

import falcon
import falcon.asgi
import litestar
import litestar.response
import quart

from reloadcheck import FrozenDict, ReloadCheck, asgi, wsgi

__all__ = ["ASGI_HOSTS", "WSGI_HOSTS", "django"]

Live = ReloadCheck[FrozenDict]
ASGIHost = Callable[[Live], asgi.ASGIApp]
WSGIHost = Callable[[Live], wsgi.WSGIApp]

TIMES = 3


def _numbers(live: Live, config: FrozenDict) -> Iterator[bytes]:
    for _ in range(TIMES):
        assert live.current().config is config
        yield f"{config['number']}\n".encode()


async def _numbers_async(live: Live, config: FrozenDict) -> AsyncIterator[bytes]:
    for line in _numbers(live, config):
        yield line


def _quart(live: Live) -> asgi.ASGIApp:
    app = quart.Quart("host")

    def config() -> FrozenDict:
        scope: Any = quart.request.scope
        config: FrozenDict = scope["state"]["config"]
        return config

    @app.get("/")
    async def show() -> str:  # pyright: ignore[reportUnusedFunction]
        return str(config()["number"])

    @app.get("/stream")
    async def stream() -> quart.Response:  # pyright: ignore[reportUnusedFunction]
        return quart.Response(_numbers_async(live, config()), mimetype="text/plain")

    return asgi.ReloadCheckMiddleware(app, live)  # type: ignore[arg-type]


def _litestar(live: Live) -> asgi.ASGIApp:
    @litestar.get("/", media_type="text/plain")
    async def show(request: litestar.Request[Any, Any, Any]) -> str:
        return str(request.state.config["number"])

    @litestar.get("/stream")
    async def stream(request: litestar.Request[Any, Any, Any]) -> litestar.response.Stream:
        return litestar.response.Stream(_numbers_async(live, request.state.config))

    app: Any = litestar.Litestar([show, stream], openapi_config=None, logging_config=None)
    return asgi.ReloadCheckMiddleware(app, live)


class FalconASGI:
    """A resource of Falcon's, for its ASGI side."""

    def __init__(self, live: Live) -> None:
        self._live = live

    async def on_get(self, request: falcon.asgi.Request, response: falcon.asgi.Response) -> None:
        """Say the number once."""
        response.text = str(request.scope["state"]["config"]["number"])

    async def on_get_stream(
        self, request: falcon.asgi.Request, response: falcon.asgi.Response
    ) -> None:
        """Say it three times."""
        stream: Any = _numbers_async(self._live, request.scope["state"]["config"])
        response.stream = stream


class FalconWSGI:
    """A resource of Falcon's, for its WSGI side."""

    def __init__(self, live: Live) -> None:
        self._live = live

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Say the number once."""
        response.text = str(request.env["reloadcheck.config"]["number"])

    def on_get_stream(self, request: falcon.Request, response: falcon.Response) -> None:
        """Say it three times."""
        response.stream = _numbers(self._live, request.env["reloadcheck.config"])


def _falcon_asgi(live: Live) -> asgi.ASGIApp:
    app: Any = falcon.asgi.App()
    app.add_route("/", FalconASGI(live))
    app.add_route("/stream", FalconASGI(live), suffix="stream")
    return asgi.ReloadCheckMiddleware(app, live)


def _falcon_wsgi(live: Live) -> wsgi.WSGIApp:
    app: Any = falcon.App()
    app.add_route("/", FalconWSGI(live))
    app.add_route("/stream", FalconWSGI(live), suffix="stream")
    return wsgi.ReloadCheckMiddleware(app, live)


def _bottle(live: Live) -> wsgi.WSGIApp:
    bottle: Any = import_module("bottle")
    app = bottle.Bottle()
    app.route("/", callback=lambda: str(bottle.request.environ["reloadcheck.config"]["number"]))
    app.route(
        "/stream", callback=lambda: _numbers(live, bottle.request.environ["reloadcheck.config"])
    )
    return wsgi.ReloadCheckMiddleware(app, live)


def _pyramid(live: Live) -> wsgi.WSGIApp:
    with catch_warnings():  # it reads its own version in a way that setuptools warns of
        simplefilter("ignore")
        configuration: Any = import_module("pyramid.config")
    response: Any = import_module("pyramid.response").Response

    def show(request: Any) -> Any:
        return response(str(request.environ["reloadcheck.config"]["number"]))

    def stream(request: Any) -> Any:
        return response(app_iter=_numbers(live, request.environ["reloadcheck.config"]))

    with configuration.Configurator() as config:
        for name, path, view in (("show", "/", show), ("stream", "/stream", stream)):
            config.add_route(name, path)
            config.add_view(view, route_name=name)
        app = config.make_wsgi_app()
    return wsgi.ReloadCheckMiddleware(app, live)


def django(live: Live) -> asgi.ASGIApp:
    """Return Django's WSGI side, behind the WSGI door, in an ASGI server by way of a2wsgi."""
    from a2wsgi import WSGIMiddleware
    from django.core.handlers.wsgi import WSGIHandler

    app: Any = WSGIMiddleware(wsgi.ReloadCheckMiddleware(WSGIHandler(), live))  # type: ignore[arg-type]
    return app  # type: ignore[no-any-return]


def django_urls(live: Live) -> list[Any]:
    """Return the routes of the Django app."""
    from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
    from django.urls import path

    def show(request: HttpRequest) -> HttpResponse:
        return HttpResponse(str(request.META["reloadcheck.config"]["number"]))

    def stream(request: HttpRequest) -> StreamingHttpResponse:
        return StreamingHttpResponse(_numbers(live, request.META["reloadcheck.config"]))

    return [path("", show), path("stream", stream)]


ASGI_HOSTS: dict[str, ASGIHost] = {
    "Quart": _quart,
    "Litestar": _litestar,
    "Falcon": _falcon_asgi,
}
WSGI_HOSTS: dict[str, WSGIHost] = {
    "Bottle": _bottle,
    "Falcon": _falcon_wsgi,
    "Pyramid": _pyramid,
}
