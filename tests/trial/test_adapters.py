"""Under the frameworks' own adapters: a bad edit is taken back, and a stream that breaks counts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.handlers.asgi import ASGIHandler
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from fastapi import FastAPI
from fastapi.responses import StreamingResponse
from flask import Flask, Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.integrations import fastapi, starlette
from reloadcheck.integrations.flask import FlaskReloadCheck, current_config
from reloadcheck.trial import Trial
from tests.integrations_django.site import get, get_async, site, write
from tests.support.fixtures import Make
from tests.support.rig import Text, begin, until

from .conftest import Draw


class All(Draw):
    """Draws that all fall on the candidate."""

    def random(self) -> float:
        """Return what falls on any share."""
        return 0.0


def falling(live: ReloadCheck[Any]) -> None:
    """Have every request of a trial fall on the candidate."""
    gate = engine_of(live).trial
    assert gate is not None
    gate.draw = All


def undone(live: ReloadCheck[Any], what: str) -> None:
    """Wait until the edit is undone, for the failure that is named."""
    until(lambda: live.status().outcome is Outcome.UNDONE)
    assert f"First: {what}." in str(live.status().error)


@pytest.fixture
def tried(make: Make, text: Text) -> ReloadCheck[Any]:
    """An engine with a trial, and no edit yet."""
    live = make(trial=Trial())
    begin(live)
    falling(live)
    return live


def edited(live: ReloadCheck[Any], text: Text) -> None:
    """Have an edit tried."""
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.TRYING


def parts(number: int) -> Iterator[str]:
    """A stream that breaks in its middle, of the bad version."""
    yield "x"
    if number == 2:
        raise KeyError("in the middle")


async def parts_async(number: int) -> AsyncIterator[str]:
    """The same, awaited."""
    for part in parts(number):
        yield part


def breaks(request: HttpRequest) -> HttpResponse:
    """A view that fails with the bad version."""
    return HttpResponse(status=500 if cast("Any", request).config.number == 2 else 200)


def raises(request: HttpRequest) -> HttpResponse:
    """A view that raises with the bad version; Django makes a 500 of that, and tells of it."""
    if cast("Any", request).config.number == 2:
        raise KeyError
    return HttpResponse("fine")


def streams(request: HttpRequest) -> StreamingHttpResponse:
    """A stream of either kind."""
    number = cast("Any", request).config.number
    is_async = "async" in request.GET
    return StreamingHttpResponse(parts_async(number) if is_async else parts(number))


@pytest.fixture
def bodies(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Close the bodies of requests, which Django leaves open where a stream breaks."""
    read = ASGIHandler.read_body

    async def kept(handler: ASGIHandler, receive: Any) -> Any:
        return stack.enter_context(await read(handler, receive))

    with ExitStack() as stack:
        monkeypatch.setattr(ASGIHandler, "read_body", kept)
        yield


@pytest.mark.usefixtures("bodies")
@pytest.mark.parametrize(
    ("path", "ask_it", "what"),
    [
        ("/breaks", get, "500"),
        ("/breaks", get_async, "500"),
        ("/raises", get, "KeyError"),
        ("/raises", get_async, "KeyError"),
        ("/streams", get, "KeyError"),
        ("/streams?async=1", get_async, "KeyError"),
    ],
)
def test_django(tmp_path: Path, path: str, ask_it: Callable[[str], str], what: str) -> None:
    """The middleware tells what it answers; of a stream, that it breaks."""
    file = tmp_path / "config.yaml"
    write(file, 1)
    with site(file, breaks, raises, streams, trial=Trial(), drain=1.0) as live:
        assert ask_it(path).startswith("200")
        falling(live)
        write(file, 2)
        until(lambda: live.check() is Outcome.TRYING)
        for _ in range(3):
            with suppress(KeyError):
                ask_it(path)
        undone(live, f"GET {path.partition('?')[0]} → {what}")
        assert ask_it(path).startswith("200")


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_flask(tried: ReloadCheck[Any], text: Text, path: str) -> None:
    """An exception is a 500 by the time that it gets to the door, and is named all the same."""
    app = Flask("tried")
    FlaskReloadCheck(tried).init_app(app)

    @app.get("/")
    def home() -> str:
        if current_config.a == 2:
            raise KeyError
        return "fine"

    @app.get("/stream")
    def stream() -> Response:
        return Response(parts(current_config.a))

    edited(tried, text)
    for _ in range(3):
        with suppress(KeyError), app.test_client() as client, client.get(path) as response:
            response.get_data()
    undone(tried, f"GET {path} → KeyError")
    with app.test_client() as client, client.get(path) as response:
        assert response.status_code == 200


def test_an_exception_that_is_answered_well_is_no_failure(
    tried: ReloadCheck[Any], text: Text
) -> None:
    """A site's own page for what went wrong says by its status whether that is one."""
    app = Flask("tried")
    FlaskReloadCheck(tried).init_app(app)

    @app.get("/")
    def home() -> str:
        raise KeyError

    @app.errorhandler(500)
    def answered(_: Exception) -> str:
        return "from the cache"

    edited(tried, text)
    for _ in range(3):
        with app.test_client() as client, client.get("/") as response:
            assert response.status_code == 200
    trial = tried.status().trial
    assert trial is not None
    assert (trial.units, trial.signals) == (3, ())


async def home(request: Request) -> PlainTextResponse:
    """A page that fails with the bad version."""
    if request.state.config.a == 2:
        raise KeyError
    return PlainTextResponse("fine")


async def stream(request: Request) -> StreamingResponse:
    """A stream that breaks with the bad version."""
    return StreamingResponse(parts_async(request.state.config.a))


def starlette_app(live: ReloadCheck[Any]) -> Starlette:
    """Make an app as the documentation does."""
    middleware = [Middleware(starlette.ReloadCheckMiddleware, live=live)]
    return Starlette(routes=[Route("/", home), Route("/stream", stream)], middleware=middleware)


def fastapi_app(live: ReloadCheck[Any]) -> FastAPI:
    """Make an app as the documentation does."""
    app = FastAPI()
    app.add_middleware(fastapi.ReloadCheckMiddleware, live=live)
    app.get("/", response_model=None)(home)
    app.get("/stream", response_model=None)(stream)
    return app


@pytest.mark.parametrize("path", ["/", "/stream"])
@pytest.mark.parametrize("app_of", [starlette_app, fastapi_app], ids=["Starlette", "FastAPI"])
def test_asgi_frameworks(
    tried: ReloadCheck[Any], text: Text, path: str, app_of: Callable[[ReloadCheck[Any]], Any]
) -> None:
    """Exceptions of endpoints and of streams leave the application, and are counted there."""
    app = app_of(tried)
    edited(tried, text)

    async def ask() -> list[Any]:
        sent: list[Any] = []

        async def receive() -> Any:
            await asyncio.sleep(0 if not sent else 30)
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Any) -> None:
            sent.append(message)

        scope: Any = {
            "type": "http",
            "method": "GET",
            "path": path,
            "headers": [],
            "query_string": b"",
        }
        with suppress(KeyError, ExceptionGroup):
            await app(scope, receive, send)
        return sent

    for _ in range(3):
        asyncio.run(ask())
    until(lambda: tried.status().outcome is Outcome.UNDONE)
    assert asyncio.run(ask())[0]["status"] == 200
