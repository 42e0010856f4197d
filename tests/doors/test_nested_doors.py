"""An app inside an app, each with an engine of its own: each sees its own configuration."""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._doors.protocols import Environ, Message, Receive, Scope, Send, StartResponse
from reloadcheck._engine.api import engine_of
from reloadcheck._engine.entrance import Entrance
from reloadcheck._snapshots.serving import Serving
from reloadcheck._snapshots.tenancy import LiveSnapshot
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, until
from tests.support.stops import acting_at_line, lines_of


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
    assert seen == ["inner", "outer"]


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

    assert list(WsgiDoor(outside, one)({"PATH_INFO": "/"}, lambda *_: None)) == [b""]
    assert seen == ["inner", "outer"]


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
    assert levels[0][0] == "WARNING"
    assert levels[-1] == (
        "INFO",
        "the configuration is good again; version 1 was never interrupted",
    )


JOIN_LINES = lines_of(
    Entrance[Any].rejoin, Entrance[Any].join, Serving[Any].of, LiveSnapshot[Any].leases
)


def swapped_meanwhile(live: ReloadCheck[Any], text: Text) -> Callable[[], None]:
    """Return what has another version swapped in, by the engine's own thread."""

    def act() -> None:
        text.write("a: 2")
        Call(live.check).result()
        assert live.snapshot.version == 2

    return act


def start_response(status: str, headers: list[tuple[str, str]]) -> None:
    """Ignore what is answered."""


@pytest.mark.parametrize("line", JOIN_LINES, ids=lambda line: f"{line[0].co_name}:{line[1]}")
def test_a_door_in_a_door_is_of_its_version(make: Make, text: Text, line: Any) -> None:
    """Whenever a swap comes, the inner door, and a lease in it, see what the outer door saw."""
    live = make()
    begin(live)
    seen: list[int] = []

    def leaf(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["reloadcheck.snapshot"].version)
        with live.lease() as snapshot:
            seen.append(snapshot.version)
        return []

    inner = WsgiDoor(leaf, live)

    def middle(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        seen.append(environ["reloadcheck.snapshot"].version)
        with acting_at_line(line, swapped_meanwhile(live, text)):
            return inner(environ, start_response)

    outer = WsgiDoor(middle, live)
    WsgiDoor(lambda environ, start_response: [], live)({}, start_response)
    assert live.check() is Outcome.UNCHANGED
    until(lambda: engine_of(live).cell.fresh is not None)
    outer({}, start_response)
    assert seen in ([1, 1, 1], [2, 2, 2])
