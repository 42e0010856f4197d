"""Under the frameworks' own adapters: wrong answers with status 200 are found, streams and all."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any, cast

import pytest
from django.core.asgi import get_asgi_application
from django.http import HttpRequest, HttpResponse
from flask import Flask, Response
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, StreamingResponse
from starlette.routing import Route

from reloadcheck import Outcome, ReloadCheck
from reloadcheck.integrations import starlette
from reloadcheck.integrations.flask import FlaskReloadCheck, current_config
from reloadcheck.trial import Trial
from tests.integrations_django.site import get, site, write
from tests.support.fixtures import Make
from tests.support.rig import SECONDS, Text, begin, until

from .shadowed import is_idle

SHADOWED = Trial(shares=(1e-9,), shadow=("/*",))
"""Nobody is drawn to the edit: what is told of it was asked again."""


def judged(live: ReloadCheck[Any]) -> int:
    """Return how many requests were made again by now."""
    trial = live.status().trial or live.status().last_trial
    assert trial is not None
    assert trial.shadow is not None
    assert trial.shadow.unjudged == 0
    return trial.shadow.compared


def again(live: ReloadCheck[Any], number: int) -> bool:
    """Wait for what is made again; say whether so many were, as it drops what comes too soon."""
    until(is_idle)
    return judged(live) >= number


def undone(live: ReloadCheck[Any], path: str, at: int) -> None:
    """Wait until the edit is undone for another body."""
    until(lambda: live.status().outcome is Outcome.UNDONE)
    assert live.status().code == "undone-shadow"
    first = f"First: GET {path} → another body from byte {at} on."
    assert first in str(live.status().error)


async def asked(app: Any, path: str) -> None:
    """Ask an ASGI application, as a client that stays."""

    async def receive() -> Any:
        if got:
            await asyncio.sleep(30)
        got.append(1)
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        del message

    got: list[int] = []
    scope: Any = {"type": "http", "method": "GET", "path": path, "headers": [], "query_string": b""}
    await app(scope, receive, send)


async def asked_often(ask: Callable[[], Awaitable[None]], live: ReloadCheck[Any]) -> None:
    """Ask in a loop that runs on, until the edit has differed seven times."""
    ends = time.monotonic() + SECONDS
    while not await asyncio.to_thread(again, live, 7):
        assert time.monotonic() < ends
        await ask()


def shows(request: HttpRequest) -> HttpResponse:
    """A view that shows the version."""
    return HttpResponse(f"number {cast('Any', request).config.number}")


@pytest.mark.parametrize("door", ["wsgi", "asgi"])
def test_django(tmp_path: Path, door: str) -> None:
    """The middleware makes requests again when Django closes the answer."""
    file = tmp_path / "config.yaml"
    write(file, 1)
    with site(file, shows, trial=SHADOWED) as live:
        app = get_asgi_application()
        if door == "wsgi":
            get("/shows")
        else:
            asyncio.run(asked(app, "/shows"))
        write(file, 2)
        until(lambda: live.check() is Outcome.TRYING)
        if door == "wsgi":
            until(lambda: get("/shows") == "200 number 1" and again(live, 7))
        else:
            asyncio.run(asked_often(lambda: asked(app, "/shows"), live))
        undone(live, "/shows", 8)


@pytest.fixture
def tried(make: Make) -> ReloadCheck[Any]:
    """An engine whose requests are made again."""
    live = make(trial=SHADOWED)
    begin(live)
    return live


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_flask(tried: ReloadCheck[Any], text: Text, path: str) -> None:
    """A stream is read to its end."""
    app = Flask("tried")
    FlaskReloadCheck(tried).init_app(app)

    @app.get("/")
    def home() -> str:
        return f"number {current_config.a}"

    @app.get("/stream")
    def stream() -> Response:
        return Response(iter(["number", f" {current_config.a}"]))

    text.write("a: 2\nb: 1\n")
    assert tried.check() is Outcome.TRYING
    for number in range(1, 8):
        with app.test_client() as client, client.get(path) as response:
            assert response.get_data() == b"number 1"
        again(tried, number)
    undone(tried, path, 8)


@pytest.mark.parametrize("path", ["/", "/stream"])
def test_starlette(tried: ReloadCheck[Any], text: Text, path: str) -> None:
    """Streams that stop when a client goes away are read to their end: this one stays."""

    async def home(request: Request) -> PlainTextResponse:
        return PlainTextResponse(f"number {request.state.config.a}")

    async def stream(request: Request) -> StreamingResponse:
        async def parts() -> AsyncIterator[str]:
            yield "number"
            await asyncio.sleep(0.01)
            yield f" {request.state.config.a}"

        return StreamingResponse(parts())

    middleware = [Middleware(starlette.ReloadCheckMiddleware, live=tried)]
    app = Starlette(routes=[Route("/", home), Route("/stream", stream)], middleware=middleware)
    text.write("a: 2\nb: 1\n")
    assert tried.check() is Outcome.TRYING
    asyncio.run(asked_often(lambda: asked(app, path), tried))
    undone(tried, path, 8)
