"""An app inside an app, each with an engine of its own: each sees its own configuration."""

import asyncio
from collections.abc import Iterable, Iterator
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck._doors.protocols import Message, Receive, Scope, Send
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor

from .conftest import Make
from .rig import Text, begin


def test_an_outer_asgi_app_has_its_own_state_back(make: Make) -> None:
    """After the inner app has returned, the request's state is the outer engine's again."""
    one, two = make(Text("a: outer")), make(Text("a: inner"))
    begin(one)
    begin(two)
    seen: list[str] = []

    async def inside(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope["state"]["config"].a)

    inner = AsgiDoor(inside, two)

    async def outside(scope: Scope, receive: Receive, send: Send) -> None:
        await inner(scope, receive, send)
        seen.append(scope["state"]["config"].a)
        assert scope["state"]["snapshot"] is one.current()

    async def receive() -> Message:
        raise AssertionError

    async def send(message: Message) -> None:
        raise AssertionError

    asyncio.run(AsgiDoor(outside, one)({"type": "http", "path": "/"}, receive, send))
    assert ["inner", "outer"] == seen


@pytest.mark.parametrize("lasting", [False, True], ids=["list", "generator"])
def test_an_outer_wsgi_app_has_its_own_environ_back(make: Make, lasting: bool) -> None:
    """The environ is the outer engine's again when the inner app's body has been closed."""
    one, two = make(Text("a: outer")), make(Text("a: inner"))
    begin(one)
    begin(two)
    seen: list[str] = []

    def inside(environ: dict[str, Any], start_response: object) -> Iterable[bytes]:
        def body() -> Iterator[bytes]:
            seen.append(environ["reloadcheck.config"].a)
            yield b""

        return body() if lasting else list(body())

    inner = WsgiDoor(inside, two)

    def outside(environ: dict[str, Any], start_response: object) -> list[bytes]:
        body: Any = inner(environ, lambda *_: None)
        parts = list(body)
        if lasting:
            body.close()
        seen.append(environ["reloadcheck.config"].a)
        return parts

    assert [b""] == list(WsgiDoor(outside, one)({"PATH_INFO": "/"}, lambda *_: None))
    assert ["inner", "outer"] == seen


def test_healing_is_logged(make: Make, text: Text, caplog: pytest.LogCaptureFixture) -> None:
    """When a bad edit is taken back, the log does not end with its warning."""
    live = make()
    begin(live)
    caplog.set_level("INFO", "reloadcheck")
    text.write("a: [")
    assert live.check() is Outcome.REJECTED
    text.write("a: 1\nb: 1\n")
    assert live.check() is Outcome.UNCHANGED
    levels = [(record.levelname, record.getMessage()) for record in caplog.records]
    assert "WARNING" == levels[0][0]
    assert ("INFO", "configuration as it was: version 1 serves on") == levels[-1]
