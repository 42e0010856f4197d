"""Which loop is home, and what becomes of its resources when it ends."""

import asyncio
import contextlib
import threading
from typing import Any

import pytest

from reloadcheck import Outcome, RegistrationError, Resource, ResourceClosedError, WrongLoopError
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.testing import (
    AsyncRecordingFactory,
    FakeClock,
    RecordingFactory,
    assert_all_closed,
)
from tests.support.clients import Clients, abegin
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, until


def test_the_first_live_loop_is_home(clients: Clients) -> None:
    """Any unit of work's loop can become home, also by `acheck` or a lease."""
    live = clients.live

    async def main() -> None:
        assert await live.acheck() in (Outcome.RELOADED, Outcome.UNCHANGED)  # it starts by itself
        async with live.lease() as snapshot:
            assert snapshot[clients.client].loop is asyncio.get_running_loop()
        await live.aclose()

    asyncio.run(main())
    assert clients.open == []


def test_another_loop_gets_no_foreign_object(clients: Clients) -> None:
    """In another loop the config works and the async resource raises, naming the remedy."""
    live = clients.live
    ready, done = threading.Event(), threading.Event()

    async def home() -> None:
        await live.astart()
        ready.set()
        while not done.is_set():
            await asyncio.sleep(0.001)
        async with live.lease() as snapshot:
            assert snapshot[clients.client].loop is asyncio.get_running_loop()
        await live.aclose()

    async def other() -> None:
        async with live.lease() as snapshot:
            assert snapshot.config["a"] == 1
            with pytest.raises(WrongLoopError, match="one engine for each loop"):
                snapshot[clients.client]
            with pytest.raises(WrongLoopError):
                snapshot.resources["client"]
            assert "client" in snapshot.resources

    running = Call(lambda: asyncio.run(home()))
    assert ready.wait(30)
    try:
        asyncio.run(other())
    finally:
        done.set()
    running.result()
    assert len(clients.made) == 1


def test_one_engine_in_two_runs(clients: Clients) -> None:
    """`asyncio.run` twice on one engine: started anew each time, nothing left of the first."""
    live = clients.live

    async def main() -> int:
        await live.astart()
        async with live.lease() as snapshot:
            assert snapshot[clients.client].loop is asyncio.get_running_loop()
        await live.aclose()
        return snapshot.version

    assert [asyncio.run(main()), asyncio.run(main())] == [1, 2]
    assert clients.open == []
    assert len(clients.made) == 2


def test_a_loop_for_each_request(clients: Clients, text: Text, clock: FakeClock) -> None:
    """A test client without lifespan runs each request in a loop of its own: all of them work."""
    live, seen = clients.live, list[tuple[int, int]]()

    async def app(scope: Any, receive: Any, send: Any) -> None:
        snapshot = scope["state"]["snapshot"]
        client = snapshot[clients.client]
        assert client.open
        assert client.loop is asyncio.get_running_loop()
        seen.append((snapshot.version, client.value))

    async def nothing(*_: Any) -> Any:
        return {}

    door = ReloadCheckMiddleware(app, live)

    def request() -> None:
        asyncio.run(door({"type": "http", "path": "/"}, nothing, nothing))

    for _ in range(5):
        request()
    text.write("a: 2")
    for _ in range(3):
        request()
    assert seen == [(1, 1)] * 5 + [(2, 2)] * 3
    assert clients.open == []
    Call(live.close).result(clock)


async def anew(a: int) -> int:
    """Build the part itself, in an event loop."""
    return a


def test_a_loop_for_each_request_misses_no_edit(make: Make, text: Text, clock: FakeClock) -> None:
    """The check that moves the resources to another loop looks at the sources as well."""
    live = make(window=1.0)
    client: Resource[int] = live.resource("a", name="client")(anew)
    seen: list[tuple[int, int]] = []

    async def work() -> None:
        async with live.lease() as snapshot:
            seen.append((snapshot.version, snapshot[client]))

    for number in (1, 2, 3):
        text.write(f"a: {number}")
        asyncio.run(work())
        asyncio.run(work())
        clock.advance(0.5)
    assert seen == [(1, 1)] * 2 + [(2, 2)] * 2 + [(3, 3)] * 2
    Call(live.close).result(clock)


def test_an_edit_taken_up_between_two_loops_fails_no_request(
    make: Make, text: Text, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What cannot be built because its loop has ended is no bad edit: the next loop builds it."""
    live = make(window=1.0)
    client: Resource[int] = live.resource("a", name="client")(anew)

    async def work() -> int:
        async with live.lease() as snapshot:
            return snapshot[client]

    assert asyncio.run(work()) == 1
    text.write("a: 2")
    assert Call(live.check).result() is Outcome.DEFERRED
    assert asyncio.run(work()) == 2
    assert "rejected" not in caplog.text
    Call(live.close).result(clock)


def test_an_async_factory_without_a_loop_fails_and_says_so(clients: Clients) -> None:
    """A WSGI application with an async factory fails at its first load and says so."""
    live = clients.live
    for _ in range(2):
        with pytest.raises(RegistrationError, match="resource 'client' is async and there is no"):
            live.start()

    async def main() -> None:
        await live.astart()
        async with live.lease() as snapshot:
            assert snapshot[clients.client].value == 1
        await live.aclose()

    asyncio.run(main())


def test_a_home_loop_that_ends_drops_its_resources(clients: Clients) -> None:
    """The next loop builds the async resources anew, same version, and closes what it built."""
    live = clients.live

    async def first() -> None:
        await live.astart()

    async def second() -> int:
        async with live.lease() as snapshot:
            client = snapshot[clients.client]
            assert client.open
            assert client.loop is asyncio.get_running_loop()
            assert clients.open == [1]
        return snapshot.version

    asyncio.run(first())
    assert clients.open == []
    old = live.snapshot
    until(lambda: live.status().resources[0].instances == 0)
    with pytest.raises(ResourceClosedError):
        old[clients.client]
    assert asyncio.run(second()) == 1
    assert asyncio.run(second()) == 1
    assert clients.open == []
    assert len(clients.made) == 3
    live.close()


def test_sync_resources_stay_when_the_home_loop_ends(make: Make, clock: FakeClock) -> None:
    """Only what lived in the loop is dropped, with what was built on it; the rest is the same."""
    live = make(window=0)
    pools, clients, apis = (
        RecordingFactory("pool"),
        AsyncRecordingFactory("client"),
        RecordingFactory("api"),
    )
    live.resource("a")(pools)
    client = live.resource("a")(clients)
    live.resource("a", needs=[client])(apis)

    async def first() -> object:
        await live.astart()
        async with live.lease() as snapshot:
            return snapshot.resources["pool"]

    async def second() -> object:
        async with live.lease() as snapshot:
            assert snapshot.resources["client"] is not None
            assert snapshot.resources["api"] is not None
            return snapshot.resources["pool"]

    pool = asyncio.run(first())
    assert asyncio.run(second()) is pool
    assert (len(pools.built), len(clients.built), len(apis.built)) == (1, 2, 2)
    Call(live.close).result(clock)
    assert_all_closed(live)
    assert not [*pools.open, *clients.open, *apis.open]


def test_a_loop_that_ends_is_no_failure_of_its_resources(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """What ended with its loop is built in the next one without a WARNING."""

    async def use() -> None:
        async with clients.live.lease() as snapshot:
            assert snapshot[clients.client].open

    for _ in range(3):
        asyncio.run(use())
    assert len(clients.made) == 3
    clients.live.close()
    assert "ended by itself" not in caplog.text


def let_go(tasks: Any) -> None:
    """End what nobody can await any more; asyncio tells no later test that it was destroyed."""
    for task in tasks:
        task._log_destroy_pending = False
        with contextlib.suppress(BaseException):
            task.get_coro().throw(GeneratorExit)


def test_closing_over_a_loop_that_is_gone_warns_of_nothing(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """A loop closed over its tasks cannot close its resources: that is no closer's failure."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(abegin(clients.live))
    tasks = asyncio.all_tasks(loop)
    loop.close()
    clients.live.close()
    assert sum(one.closes for one in clients.live.status().resources) == 1
    assert "closing resource" not in caplog.text
    let_go(tasks)


def test_a_close_that_an_ending_loop_forgets_holds_nothing_up(
    clients: Clients,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Handed to a loop in its last turn it is never begun: it is over with the loop."""
    loop, handed = asyncio.new_event_loop(), threading.Event()
    loop.run_until_complete(abegin(clients.live))
    tasks, call_soon = asyncio.all_tasks(loop), loop.call_soon_threadsafe

    def noted(*given: Any, **named: Any) -> Any:
        handle = call_soon(*given, **named)
        handed.set()
        return handle

    monkeypatch.setattr(loop, "call_soon_threadsafe", noted)
    closing = Call(clients.live.close)
    assert handed.wait(30)
    loop.close()
    closing.result(clock)
    assert sum(one.closes for one in clients.live.status().resources) == 1
    assert "clos" not in caplog.text
    let_go(tasks)
