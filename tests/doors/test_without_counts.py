"""Where references are not counted exactly, a door's leases have names, and hold as much."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._runtime import refcounts
from reloadcheck._snapshots import serving, snapshot
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload, until

closed: list[int] = []


@pytest.fixture
def live(make: Make, monkeypatch: pytest.MonkeyPatch) -> ReloadCheck[Any]:
    """An engine with a resource, on an interpreter that counts nothing."""
    for module in (serving, snapshot):
        monkeypatch.setattr(module, "COUNTS_REFERENCES", False)
    monkeypatch.setattr(refcounts, "_OWN", 0)
    closed.clear()
    live = make(window=100.0, drain=1000.0)

    @live.resource("a", name="one")
    def one(a: int) -> Iterator[int]:
        yield a
        closed.append(a)

    begin(live)
    return live


def test_a_streamed_response_keeps_its_version(live: ReloadCheck[Any], text: Text) -> None:
    """Its resource is open while it lasts, though it is read after an edit; then it goes."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        found = environ["reloadcheck.snapshot"]
        start_response("200 OK", [])
        yield str(found.config["a"]).encode()
        yield str(found.resources["one"]).encode()

    def ask() -> Any:
        return WsgiDoor(app, live)({"PATH_INFO": "/"}, lambda *_: None)

    ask().close()
    begin(live)  # elsewhere the next request would be a reference from here on
    body = ask()
    parts = [next(body)]
    text.write("a: 2")
    Call(lambda: reload(live)).result()
    newer = ask()
    assert b"".join(newer) == b"22"
    newer.close()
    assert (closed, live.status().leases) == ([], {1: 1, 2: 0})
    parts += list(body)
    body.close()
    until(lambda: closed == [1])
    assert parts == [b"1", b"1"]


def test_a_request_of_an_event_loop_keeps_its_version(live: ReloadCheck[Any], text: Text) -> None:
    """While it awaits, edits go live, and what it reads afterwards is still of its own."""
    seen: list[int] = []

    async def main() -> None:
        edited = asyncio.Event()

        async def app(scope: Any, receive: Any, send: Any) -> None:
            await edited.wait()
            found = scope["state"]["snapshot"]
            seen.extend((found.config["a"], found.resources["one"]))

        scope: dict[str, Any] = {
            "type": "http",
            "path": "/",
            "headers": [],
            "method": "GET",
            "state": {},
        }
        asked: Any = AsgiDoor(app, live)(scope, None, None)  # type: ignore[arg-type]
        request = asyncio.create_task(asked)
        await asyncio.sleep(0)
        text.write("a: 2")
        await asyncio.to_thread(reload, live)
        assert closed == []
        edited.set()
        await request

    asyncio.run(main())
    until(lambda: closed == [1])
    assert seen == [1, 1]
