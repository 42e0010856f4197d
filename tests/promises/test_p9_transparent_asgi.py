"""P9. Transparent: wrapping an ASGI app changes nothing else about it."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from reloadcheck import ConfigSyntaxError, FrozenDict, ReloadCheck, SourceError
from reloadcheck._doors.protocols import ASGIApp, Message, Receive, Scope, Send
from reloadcheck.asgi import ReloadCheckMiddleware
from tests.support import config
from tests.support.calls import ask, body, scope
from tests.support.manners_asgi import APPS

Live = ReloadCheck[FrozenDict]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """An engine that is switched off, as these tests edit nothing."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(1))
    live = ReloadCheck(file, settle=0.0, drain=0.0, environ={}, enabled=False)
    yield live
    live.close()


async def silent() -> Message:
    """Receive nothing, ever."""
    await asyncio.Event().wait()
    raise AssertionError


async def deaf(message: Message) -> None:
    """Take a message and do nothing with it."""


def leases(live: Live) -> int:
    """Count the units of work that hold a snapshot."""
    return sum(live.status().leases.values())


@pytest.mark.parametrize("name", sorted(APPS.keys() - {"error", "error-in-body"}))
def test_the_messages_are_the_same(name: str, live: Live) -> None:
    """What is sent is what the app sends, message by message."""

    async def main() -> None:
        bare = await ask(APPS[name])
        assert await ask(ReloadCheckMiddleware(APPS[name], live)) == bare

    asyncio.run(main())
    assert leases(live) == 0


@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_the_app_gets_the_servers_own_channels(kind: str, live: Live) -> None:
    """`receive`, `send` and the scope are the server's, and state that was there stays."""
    got: list[object] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        got.extend([scope, receive, send])

    given = {**scope(kind, "/"), "state": {"of the lifespan": 1}}
    asyncio.run(call(ReloadCheckMiddleware(app, live), given, silent, deaf))
    assert got[0] is given
    assert got[1] is silent
    assert got[2] is deaf
    assert given["state"].keys() == {"of the lifespan", "config", "snapshot"}


async def call(app: ASGIApp, given: Scope, receive: Receive, send: Send) -> None:
    """Call an app; a coroutine function for `asyncio.run`."""
    await app(given, receive, send)


def test_scopes_of_other_types_pass_untouched(live: Live) -> None:
    """An extension's scope gets no state, and starts no engine."""
    given = {"type": "carrier-pigeon"}
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)

    asyncio.run(call(ReloadCheckMiddleware(app, live), given, silent, deaf))
    assert seen[0] is given
    assert given == {"type": "carrier-pigeon"}
    assert live.status().state == "idle"


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt])
def test_what_the_app_raises_is_what_the_server_gets(kind: type[BaseException], live: Live) -> None:
    """The same object, without a context of ours; no lease is left."""
    error = kind("the app's own")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise error

    with pytest.raises(kind) as caught:
        asyncio.run(call(ReloadCheckMiddleware(app, live), scope("http", "/"), silent, deaf))
    assert caught.value is error
    assert error.__context__ is None
    assert leases(live) == 0


def test_a_cancelled_request_is_cancelled(live: Live) -> None:
    """The app sees it, may clean up in its unit of work, and the caller gets it back."""
    seen: list[int] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await receive()
        finally:
            await asyncio.sleep(0)
            seen.append(live.current().version)

    async def main() -> None:
        wrapped = ReloadCheckMiddleware(app, live)
        task = asyncio.create_task(call(wrapped, scope("http", "/"), silent, deaf))
        while not leases(live):
            await asyncio.sleep(0)
        task.cancel("by the server")
        with pytest.raises(asyncio.CancelledError, match="by the server"):
            await task
        assert task.cancelled()

    asyncio.run(main())
    assert (seen, leases(live)) == ([1], 0)


def test_a_disconnect_reaches_the_app(live: Live) -> None:
    """`http.disconnect` is the app's to see, in mid-response as before."""
    seen: list[str] = []

    async def receive() -> Message:
        return {"type": "http.disconnect"}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        seen.append((await receive())["type"])

    asyncio.run(call(ReloadCheckMiddleware(app, live), scope("http", "/"), receive, deaf))
    assert seen == ["http.disconnect"]


Lifespan = Callable[[Scope, Receive, Send], Coroutine[Any, Any, None]]


async def run_lifespan(
    app: ASGIApp, between: Callable[[], Awaitable[None]], sent: list[Message] | None = None
) -> list[Message]:
    """Run an app's lifespan as a server does; give what it sent."""
    sent = [] if sent is None else sent
    answered = asyncio.Event()
    incoming: asyncio.Queue[Message] = asyncio.Queue()

    async def send(message: Message) -> None:
        sent.append(message)
        answered.set()

    incoming.put_nowait({"type": "lifespan.startup"})
    task = asyncio.create_task(
        call(app, {"type": "lifespan", "asgi": {}, "state": {}}, incoming.get, send)
    )
    waiting = asyncio.create_task(answered.wait())
    await asyncio.wait([task, waiting], return_when=asyncio.FIRST_COMPLETED)
    waiting.cancel()
    if sent and sent[-1]["type"] == "lifespan.startup.complete":
        await between()
        incoming.put_nowait({"type": "lifespan.shutdown"})
    await task
    return sent


async def _accepts(scope: Scope, receive: Receive, send: Send) -> None:
    assert (await receive())["type"] == "lifespan.startup"
    scope["state"]["kept"] = 1
    await send({"type": "lifespan.startup.complete"})
    assert (await receive())["type"] == "lifespan.shutdown"
    await send({"type": "lifespan.shutdown.complete"})


async def _fails_to_start(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.failed", "message": "no database"})


async def _fails_to_stop(scope: Scope, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "lifespan.startup.complete"})
    await receive()
    await send({"type": "lifespan.shutdown.failed", "message": "still busy"})


@pytest.mark.parametrize("app", [_accepts, _fails_to_start, _fails_to_stop])
def test_a_lifespan_is_told_as_the_app_tells_it(app: Lifespan, live: Live) -> None:
    """Started before the app's start-up completes, closed after its shutdown, with no word more."""
    phases: list[str] = []

    async def between() -> None:
        phases.append(live.status().state)

    async def main() -> None:
        bare = await run_lifespan(app, lambda: asyncio.sleep(0))
        assert await run_lifespan(ReloadCheckMiddleware(app, live), between) == bare

    asyncio.run(main())
    assert phases == (["serving"] if app is not _fails_to_start else [])
    assert live.status().state == "closed"


def test_an_app_that_rejects_the_lifespan_stays_rejected(live: Live) -> None:
    """The server sees the app's own exception, and the first request starts the engine."""
    error = NotImplementedError("no lifespan")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            raise error
        await APPS["plain"](scope, receive, send)

    async def main() -> None:
        wrapped = ReloadCheckMiddleware(app, live)
        with pytest.raises(NotImplementedError) as caught:
            await run_lifespan(wrapped, lambda: asyncio.sleep(0))
        assert caught.value is error
        assert live.status().state == "idle"
        assert body(await ask(wrapped)) == b"plain"
        assert live.status().state == "serving"

    asyncio.run(main())


def test_a_bad_configuration_fails_the_lifespan_with_its_sentence(tmp_path: Path) -> None:
    """The server is told why, then told by the exception, and the app's start-up never runs."""
    file = tmp_path / "config.yaml"
    config.write(file, "number: [1\n")
    live = ReloadCheck(file, settle=0.0, environ={})
    began: list[str] = []
    sent: list[Message] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        began.append((await receive())["type"])

    wrapped = ReloadCheckMiddleware(app, live)
    with pytest.raises(ConfigSyntaxError, match=":1:9: "):
        asyncio.run(run_lifespan(wrapped, lambda: asyncio.sleep(0), sent))
    assert [message["type"] for message in sent] == ["lifespan.startup.failed"]
    assert sent[0]["message"].startswith(f"{file}:1:9: ")
    assert began == []
    assert live.status().state == "closed"


def test_a_test_client_hears_of_a_bad_configuration(tmp_path: Path) -> None:
    """Entering Starlette's TestClient raises the cause instead of hanging at its exit."""
    app = ReloadCheckMiddleware(Starlette(), ReloadCheck(tmp_path / "none.yaml", environ={}))
    with pytest.raises(SourceError, match="does not exist"), TestClient(app):
        raise AssertionError("the client was entered")
