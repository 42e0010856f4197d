"""P9. Transparent: what goes through a door, and what it says by itself, keeps the protocol."""

import asyncio
import io
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocket, WebSocketDisconnect
from werkzeug.middleware.lint import LintMiddleware
from werkzeug.test import Client

from reloadcheck import FrozenDict, ReloadCheck, asgi, wsgi
from reloadcheck._doors.protocols import ASGIApp, Message, Receive, Scope, Send
from tests.support import config
from tests.support.asgi_order import OrderError, checked
from tests.support.calls import ask, scope
from tests.support.manners_asgi import APPS

Live = ReloadCheck[FrozenDict]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """An engine with a good configuration."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(1))
    live = ReloadCheck(file, window=0.0, settle=0.0, drain=0.0, environ={})
    yield live
    live.close()


@pytest.fixture
def unready(tmp_path: Path) -> Iterator[Live]:
    """An engine that has no good configuration yet, and answers for the app."""
    file = tmp_path / "config.yaml"
    config.write(file, "number: [1\n")
    live = ReloadCheck(file, window=0.0, settle=0.0, drain=0.0, environ={})
    yield live
    live.close()


def between(app: ASGIApp, live: Live) -> ASGIApp:
    """Put the door around an app, and a checker on either side of it."""
    return checked(asgi.ReloadCheckMiddleware(checked(app), live))


@pytest.mark.parametrize("name", sorted(APPS.keys() - {"error", "error-in-body"}))
def test_http_messages_are_in_order(name: str, live: Live) -> None:
    """Inside, the app sees a well-behaved server, outside, the server a well-behaved app."""
    asyncio.run(_ask(between(APPS[name], live)))


async def _ask(app: ASGIApp, kind: str = "http") -> list[Message]:
    return await ask(app, kind=kind)


def test_a_whole_application_keeps_the_order(live: Live) -> None:
    """Lifespan, a request and a websocket that speaks, is closed, and one that hangs up."""

    async def home(request: object) -> PlainTextResponse:
        return PlainTextResponse("fine")

    async def echo(websocket: WebSocket) -> None:
        await websocket.accept()
        with suppress(WebSocketDisconnect):
            await websocket.send_text(await websocket.receive_text())
            await websocket.close()

    inner = Starlette(routes=[Route("/", home), WebSocketRoute("/echo", echo)])
    with TestClient(between(inner, live)) as client:
        assert client.get("/").text == "fine"
        with client.websocket_connect("/echo") as websocket:
            websocket.send_text("hello")
            assert websocket.receive_text() == "hello"
        with client.websocket_connect("/echo"):
            pass


async def _never(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("the app was called without a configuration")


def test_what_the_asgi_door_says_by_itself_is_in_order(unready: Live) -> None:
    """The 503, and the refusal of a websocket, by either way that a server may offer."""
    door = checked(asgi.ReloadCheckMiddleware(_never, unready))

    async def refuse(given: Scope) -> list[Message]:
        sent: list[Message] = []

        async def receive() -> Message:
            return {"type": "websocket.connect"}

        async def send(message: Message) -> None:
            sent.append(message)

        await door(given, receive, send)
        return sent

    answers = asyncio.run(_ask(door))
    assert [answers[0]["status"], answers[-1].get("more_body", False)] == [503, False]
    closed = asyncio.run(refuse(scope("websocket", "/")))
    assert [one["type"] for one in closed] == ["websocket.close"]
    able: Scope = {**scope("websocket", "/"), "extensions": {"websocket.http.response": {}}}
    denied = asyncio.run(refuse(able))
    assert denied[0]["status"] == 503


def test_a_refused_websocket_is_no_error_of_the_server(unready: Live) -> None:
    """A real client hears of it as of any refusal."""
    client = TestClient(checked(asgi.ReloadCheckMiddleware(_never, unready)))
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/"):
        raise AssertionError("the websocket was accepted")


def test_a_refused_lifespan_is_in_order(unready: Live) -> None:
    """One failure is sent, and nothing after it."""
    with (
        pytest.raises(Exception, match=":1:9: ") as caught,
        TestClient(between(Starlette(), unready)),
    ):
        raise AssertionError("the client was entered")
    assert not isinstance(caught.value, OrderError)


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
def test_what_the_wsgi_door_says_by_itself_is_valid(method: str, unready: Live) -> None:
    """The 503 contents the standard library's validator and Werkzeug's lint."""
    door = wsgi.ReloadCheckMiddleware(lambda environ, start_response: [b""], unready)
    environ: dict[str, object] = {}
    setup_testing_defaults(environ)
    environ.update(REQUEST_METHOD=method, QUERY_STRING="")
    started: list[str] = []

    def start_response(
        status: str, headers: object, exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        started.append(status)
        return io.BytesIO().write

    body = validator(door)(environ, start_response)
    assert b"configuration" in b"".join(body)
    body.close()  # type: ignore[attr-defined]
    assert [status[:3] for status in started] == ["503"]
    response = Client(LintMiddleware(door)).open("/", method=method)
    assert response.status_code == 503
    response.close()


@pytest.mark.parametrize(
    "messages",
    [
        [{"type": "http.response.body"}],
        [{"type": "http.response.start", "status": 200}] * 2,
        [{"type": "http.response.start", "status": 200}, *[{"type": "http.response.body"}] * 2],
        [{"type": "http.response.start", "status": "200"}],
        [{"type": "http.response.start", "status": 200, "headers": [(b"Upper", b"")]}],
        [{"type": "http.response.start", "status": 200}, {"type": "http.response.body", "body": 1}],
    ],
    ids=["no start", "two starts", "two ends", "a worded status", "an upper-case name", "no bytes"],
)
def test_the_checker_checks(messages: list[Message]) -> None:
    """What is out of order raises, so that the tests above can fail."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    with pytest.raises(OrderError):
        asyncio.run(_ask(checked(app)))
