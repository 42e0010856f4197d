"""Starlette: one line of middleware, its own lifespan, websockets and background tasks."""

import threading
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import TypedDict

import anyio.to_thread
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.types import Lifespan
from starlette.websockets import WebSocket

from reloadcheck import ConfigSyntaxError, FrozenDict, ReloadCheck
from reloadcheck.integrations.starlette import LiveState, ReloadCheckMiddleware
from tests.support.rig import Call, Text, until

from .conftest import Make
from .pools import edit, pool_of


def serving(
    live: ReloadCheck[FrozenDict], *routes: BaseRoute, lifespan: Lifespan[Starlette] | None = None
) -> Starlette:
    """Make an app as the README does."""
    middleware = [Middleware(ReloadCheckMiddleware, live=live)]
    return Starlette(routes=routes, middleware=middleware, lifespan=lifespan)


async def show(request: Request[LiveState[FrozenDict]]) -> Response:
    """Return what the request sees."""
    return JSONResponse([request.state.config.a, request.state.snapshot.version])


def test_requests_follow_the_file(make: Make, text: Text) -> None:
    """One line of middleware: each request has the configuration of its version."""
    live = make()
    with TestClient(serving(live, Route("/", show))) as client:
        assert client.get("/").json() == [1, 1]
        edit(live, text, "a: 2")
        assert client.get("/").json() == [2, 2]
    assert live.status().state == "closed"


class Own(TypedDict):
    """What the app's own lifespan gives."""

    began_with: int


class OwnState(LiveState[FrozenDict]):
    """The state with what the app's own lifespan adds to it."""

    began_with: int


def test_the_apps_own_lifespan_is_around_and_kept(make: Make, text: Text) -> None:
    """The engine is started before the app's start-up and closed after its shutdown.

    What the lifespan yields stays in the state beside the configuration.
    """
    live = make()
    journal: list[str] = []
    pool = pool_of(live, journal)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[Own]:
        journal.append(f"up with {live.snapshot[pool].number}")
        yield {"began_with": live.snapshot.config.a}
        journal.append("down")

    async def both(request: Request[OwnState]) -> Response:
        return JSONResponse([request.state.began_with, request.state.config.a])

    with TestClient(serving(live, Route("/", both), lifespan=lifespan)) as client:
        assert client.get("/").json() == [1, 1]
        edit(live, text, "a: 2")
        assert client.get("/").json() == [1, 2]
        until(lambda: "closed 1" in journal)
    assert live.status().state == "closed"
    assert journal == ["built 1", "up with 1", "built 2", "closed 1", "down", "closed 2"]


def test_a_bad_configuration_fails_the_start(make: Make) -> None:
    """Start-up fails with the cause, before the app's own start-up has begun."""
    begun: list[int] = []

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        begun.append(1)
        yield

    app = serving(make(Text("a: [")), Route("/", show), lifespan=lifespan)
    with pytest.raises(ConfigSyntaxError, match=r"app\.yaml:"), TestClient(app):
        pass
    assert begun == []


def test_a_websocket_keeps_its_snapshot(make: Make, text: Text) -> None:
    """Config and pool of a websocket are of the version that it was opened under, to its end."""
    live = make()
    journal: list[str] = []
    pool = pool_of(live, journal)

    async def talk(socket: WebSocket[LiveState[FrozenDict]]) -> None:
        await socket.accept()
        while await socket.receive_text() == "tell":
            held = socket.state.snapshot[pool]
            await socket.send_json([socket.state.config.a, held.number, held.closed])
        await socket.close()

    app = serving(live, WebSocketRoute("/ws", talk), Route("/", show))
    with TestClient(app) as client:
        with client.websocket_connect("/ws") as socket:
            socket.send_text("tell")
            assert socket.receive_json() == [1, 1, False]
            edit(live, text, "a: 2")
            socket.send_text("tell")
            assert socket.receive_json() == [1, 1, False]
            assert client.get("/").json() == [2, 2]
            assert "closed 1" not in journal
            socket.send_text("end")
        until(lambda: "closed 1" in journal)


@pytest.mark.parametrize("between", [False, True], ids=["bare", "under BaseHTTPMiddleware"])
def test_a_background_task_keeps_its_snapshot(make: Make, text: Text, between: bool) -> None:
    """A task that runs after the response still has the pool of its request, not yet closed."""
    live = make()
    journal: list[str] = []
    pool = pool_of(live, journal)
    begun, go_on = threading.Event(), threading.Event()
    seen: list[tuple[int, int, bool]] = []

    async def afterwards(request: Request[LiveState[FrozenDict]]) -> None:
        begun.set()
        await anyio.to_thread.run_sync(go_on.wait, 10)
        held = request.state.snapshot[pool]
        seen.append((live.current().config.a, held.number, held.closed))

    async def answer(request: Request[LiveState[FrozenDict]]) -> Response:
        return Response(background=BackgroundTask(afterwards, request))

    app = serving(live, Route("/", answer))
    if between:
        app.user_middleware.append(Middleware(BaseHTTPMiddleware, dispatch=lambda r, go: go(r)))
    with TestClient(app) as client:
        request = Call(lambda: client.get("/"))
        assert begun.wait(30)
        edit(live, text, "a: 2")
        assert journal == ["built 1", "built 2"]
        go_on.set()
        assert request.result().status_code == 200
        assert seen == [(1, 1, False)]
        until(lambda: "closed 1" in journal)
