"""Async resources: one task each, one home loop, and what happens when it ends."""

import asyncio
import contextlib
import random
import threading
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from reloadcheck import (
    BlockingCallError,
    Outcome,
    RegistrationError,
    ReloadCheck,
    ResourceClosedError,
    WrongLoopError,
)
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.testing import (
    AsyncRecordingFactory,
    FakeClock,
    RecordingFactory,
    assert_all_closed,
)

from .conftest import Make
from .rig import Call, Text, same, until


class Client:
    """An async client that knows the task and loop it was made in."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.task = asyncio.current_task()
        self.loop = asyncio.get_running_loop()
        self.open = True


class Clients:
    """An engine with one async resource on `a`, and all clients that were ever made."""

    def __init__(self, live: "ReloadCheck[Any]") -> None:
        self.live = live
        self.made: list[Client] = []
        self.closing_tasks: list[object] = []
        self.client = live.resource("a", name="client", timeout=5.0)(self._client)

    async def _client(self, a: int) -> AsyncIterator[Client]:
        client = Client(a)
        self.made.append(client)
        try:
            yield client
        finally:
            client.open = False
            self.closing_tasks.append(asyncio.current_task())

    @property
    def open(self) -> list[int]:
        """Give the values of the open ones."""
        return [client.value for client in self.made if client.open]


@pytest.fixture
def clients(make: Make) -> Clients:
    """An engine with an async resource, not started."""
    return Clients(make(window=0))


async def abegin(live: "ReloadCheck[Any]") -> None:
    """Start the engine and see its second look end."""
    await live.astart()
    assert await live.acheck() is Outcome.UNCHANGED


async def areload(live: "ReloadCheck[Any]") -> None:
    """Have an edit go live and see the look that follows end."""
    await live.acheck()
    assert await live.acheck() is Outcome.UNCHANGED


async def anever(condition: Any) -> None:
    """Wait in the loop for other threads to make it true."""
    for _ in range(5000):
        if condition():
            return
        await asyncio.sleep(0.001)
    raise AssertionError("it does not come true")


def test_one_task_builds_and_closes(clients: Clients, text: Text) -> None:
    """Build and close of one instance happen in one task of the home loop, another's in another."""
    live = clients.live

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        await areload(live)
        await anever(lambda: clients.open == [2])
        await live.aclose()
        assert [] == clients.open
        assert [one.task for one in clients.made] == clients.closing_tasks
        assert len(set(clients.closing_tasks)) == 2
        assert {one.loop for one in clients.made} == {asyncio.get_running_loop()}

    asyncio.run(main())


def test_scopes_and_task_groups_may_span_the_yield(make: Make, text: Text) -> None:
    """What must be entered and left in one task, as a task group or cancel scope, works."""
    live, log = make(window=0), list[str]()

    async def background() -> None:
        try:
            await asyncio.sleep(1000)
        finally:
            log.append("stopped")

    @live.resource("a")
    async def group(a: int) -> AsyncIterator[int]:
        async with asyncio.TaskGroup() as tasks:
            task = tasks.create_task(background())
            yield a
            task.cancel()
        log.append(f"left {a}")

    @live.resource("a")
    async def scope(a: int) -> AsyncIterator[int]:
        async with anyio.create_task_group() as tasks:
            with anyio.CancelScope():
                tasks.start_soon(anyio.sleep, 0)
                yield a
            tasks.cancel_scope.cancel()
        log.append(f"scope {a}")

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        await areload(live)
        await asyncio.to_thread(until, lambda: "left 1" in log)  # else closing is newest first
        await live.aclose()

    asyncio.run(main())
    assert ["scope 1", "stopped", "left 1", "scope 2", "stopped", "left 2"] == log


@pytest.mark.parametrize("kind", ["TaskGroup", "anyio"])
def test_a_resource_whose_own_task_fails_is_built_anew_and_says_why(
    make: Make, text: Text, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its holder is told; the next unit of work has a new one; one WARNING names the cause."""
    live, fail = make(window=0), list[asyncio.Event]()
    text.write("a: canary1\nb: 1")

    async def background(a: str) -> None:
        await fail[-1].wait()
        raise ConnectionError(f"lost {a}")

    @live.resource("a")
    async def client(a: str) -> AsyncIterator[object]:
        fail.append(asyncio.Event())
        if kind == "anyio":
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(background, a)
                yield object()
                tasks.cancel_scope.cancel()
        else:
            async with asyncio.TaskGroup() as group:
                task = group.create_task(background(a))
                yield object()
                task.cancel()

    async def main() -> None:
        await abegin(live)
        async with live.lease() as snapshot:
            first = snapshot[client]
            fail[-1].set()
            await anever(lambda: live.status().resources[0].instances == 0)
            with pytest.raises(ResourceClosedError, match="task of the resource's own has failed"):
                snapshot.resources["client"]
        async with live.lease() as snapshot:
            assert first is not snapshot[client]
            assert snapshot.version == 1
        await live.aclose()

    asyncio.run(main())
    told = [line for line in caplog.messages if "ended by itself" in line]
    assert 1 == len(told)
    assert "resource client ended by itself with ConnectionError (" in told[0]
    assert told[0].endswith("lost *** and is built anew")


def test_a_loop_that_ends_is_no_failure_of_its_resources(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """What ended with its loop is built in the next one without a WARNING."""

    async def use() -> None:
        async with clients.live.lease() as snapshot:
            assert snapshot[clients.client].open

    for _ in range(3):
        asyncio.run(use())
    assert 3 == len(clients.made)
    clients.live.close()
    assert "ended by itself" not in caplog.text


def test_closing_over_a_loop_that_is_gone_warns_of_nothing(
    clients: Clients, caplog: pytest.LogCaptureFixture
) -> None:
    """A loop closed over its tasks cannot close its resources: that is no closer's failure."""
    loop = asyncio.new_event_loop()
    loop.run_until_complete(abegin(clients.live))
    tasks = asyncio.all_tasks(loop)
    loop.close()
    clients.live.close()
    assert 1 == sum(one.closes for one in clients.live.status().resources)
    assert "closing resource" not in caplog.text
    for task in tasks:  # nobody can await it any more
        with contextlib.suppress(BaseException):
            task.get_coro().throw(GeneratorExit)


def test_a_build_that_takes_too_long_is_cancelled(make: Make, text: Text, clock: FakeClock) -> None:
    """At its time-out an async build is cancelled where it waits, and cleans up after itself."""
    live, log = make(window=0), list[str]()

    @live.resource("a", timeout=2.0)
    async def slow(a: int) -> int:
        try:
            if a == 2:
                log.append("waiting")
                await asyncio.sleep(1000)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        return a

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = asyncio.create_task(live.acheck())
        await anever(lambda: log == ["waiting"])
        clock.advance(2.1)
        assert await checking is Outcome.REJECTED
        await anever(lambda: log == ["waiting", "cancelled"])
        assert live.snapshot.version == 1
        await live.aclose()

    asyncio.run(main())


def test_closing_cancels_a_build_under_way(make: Make, text: Text) -> None:
    """An async factory that waits when the engine closes is cancelled, not left in the loop."""
    live, log = make(window=0), list[str]()

    @live.resource("a")
    async def slow(a: int) -> int:
        try:
            if a == 2:
                log.append("waiting")
                await asyncio.sleep(1000)
        except asyncio.CancelledError:
            log.append("cancelled")
            raise
        return a

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = asyncio.create_task(live.acheck())
        await anever(lambda: log == ["waiting"])
        await live.aclose()
        await checking
        await anever(lambda: log == ["waiting", "cancelled"])
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await anever(lambda: all(task.done() for task in others))

    asyncio.run(main())


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
    assert ready.wait(5)
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
    assert [] == clients.open
    assert len(clients.made) == 2


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
    assert [] == clients.open
    old = live.snapshot
    until(lambda: live.status().resources[0].instances == 0)
    with pytest.raises(ResourceClosedError):
        old[clients.client]
    assert asyncio.run(second()) == 1
    assert asyncio.run(second()) == 1
    assert [] == clients.open
    assert len(clients.made) == 3
    live.close()


def test_sync_resources_stay_when_the_home_loop_ends(make: Make) -> None:
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
    assert (1, 2, 2) == (len(pools.built), len(clients.built), len(apis.built))
    Call(live.close).result()
    assert_all_closed(live)
    assert not [*pools.open, *clients.open, *apis.open]


def test_a_loop_for_each_request(clients: Clients, text: Text) -> None:
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
    assert [(1, 1)] * 5 + [(2, 2)] * 3 == seen
    assert [] == clients.open
    Call(live.close).result()


def test_blocking_calls_in_the_home_loop_are_refused(clients: Clients) -> None:
    """What would wait for the loop it blocks raises and names its async twin; never a hang."""
    live = clients.live

    async def main(started: bool) -> None:
        if started:
            await live.astart()
        for call, twin in (
            (live.start, "await live.astart()"),
            (live.check, "await live.acheck()"),
            (live.close, "await live.aclose()"),
            (live.lease().__enter__, "async with live.lease()"),
        ):
            with pytest.raises(BlockingCallError) as caught:
                call()
            assert twin in str(caught.value)
        if started:
            await live.aclose()

    asyncio.run(main(started=False))
    asyncio.run(main(started=True))


def test_blocking_calls_are_fine_without_async_factories(make: Make, text: Text) -> None:
    """With sync resources alone, a blocking call in a loop is slow at worst, and allowed."""
    live = make(window=0)
    live.resource("a", name="x")(same)

    async def main() -> None:
        live.start()
        with live.lease() as snapshot:
            assert snapshot.resources["x"] == 1
        assert live.check() is Outcome.UNCHANGED
        live.close()

    asyncio.run(main())


def test_blocking_calls_from_another_thread_are_fine(clients: Clients) -> None:
    """A worker thread of an async application may block: the loop is free to build."""
    live = clients.live

    async def main() -> None:
        await live.astart()

        def work() -> int:
            with live.lease() as snapshot:
                assert live.check() is Outcome.UNCHANGED
                return snapshot.version

        assert await asyncio.to_thread(work) == 1
        await live.aclose()

    asyncio.run(main())


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


def test_the_first_live_loop_is_home(clients: Clients) -> None:
    """Any unit of work's loop can become home, also by `acheck` or a lease."""
    live = clients.live

    async def main() -> None:
        assert await live.acheck() is Outcome.RELOADED
        async with live.lease() as snapshot:
            assert snapshot[clients.client].loop is asyncio.get_running_loop()
        await live.aclose()

    asyncio.run(main())
    assert [] == clients.open


def test_a_thousand_cancelled_requests(clients: Clients, text: Text) -> None:
    """Requests cancelled at any moment of a reload tear nothing and leak nothing."""
    live, torn, served = clients.live, list[object](), list[int]()
    chance = random.Random(11)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        snapshot = scope["state"]["snapshot"]
        for _ in range(3):
            if snapshot.config["a"] != snapshot[clients.client].value:
                torn.append(snapshot)
            if not snapshot[clients.client].open:
                torn.append("closed")
            await asyncio.sleep(0)
        served.append(snapshot.version)

    async def nothing(*_: Any) -> Any:
        return {}

    door = ReloadCheckMiddleware(app, live)

    async def main() -> None:
        await live.astart()
        for number in range(2, 52):
            text.write(f"a: {number}")
            tasks = [
                asyncio.create_task(door({"type": "http", "path": "/"}, nothing, nothing))
                for _ in range(25)
            ]
            doomed = tasks[:20]
            while doomed:
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                doomed.pop(chance.randrange(len(doomed))).cancel()
            results = await asyncio.gather(*tasks, return_exceptions=True)
            errors = [one for one in results if isinstance(one, Exception)]
            assert [] == errors
        await areload(live)
        await anever(lambda: len(clients.open) == 1)
        assert 0 == sum(live.status().leases.values())
        await live.aclose()
        assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(main())
    assert [] == torn
    assert [] == clients.open
    assert len(served) >= 250
    assert len(clients.made) == 51


def test_a_cancelled_start_and_check_stop_nothing(clients: Clients, text: Text) -> None:
    """Whoever waits may be cancelled: the work goes on for the others."""
    live = clients.live

    async def main() -> None:
        text.gate.clear()
        starting = asyncio.create_task(live.astart())
        other = asyncio.create_task(live.astart())
        await anever(text.waiting.is_set)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        text.gate.set()
        await other
        assert live.snapshot.version == 1
        await live.aclose()
        assert live.status().phase in ("closed", "closing")

    asyncio.run(main())


def test_a_probe_that_hangs_is_cancelled_and_its_resource_closed(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """An async probe is given up at its time-out, and what it tried closes at once."""
    live, log = make(window=0), list[str]()

    async def probe(value: int) -> bool:
        if value == 2:
            log.append("probing")
            await asyncio.sleep(1000)
        return True

    @live.resource("a", probe=probe, timeout=2.0)
    async def client(a: int) -> AsyncIterator[int]:
        try:
            yield a
        finally:
            log.append(f"closed {a}")

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = asyncio.create_task(live.acheck())
        await anever(lambda: log == ["probing"])
        clock.advance(2.1)
        assert await checking is Outcome.REJECTED
        await anever(lambda: log == ["probing", "closed 2"])
        await live.aclose()

    asyncio.run(main())
    assert ["probing", "closed 2", "closed 1"] == log


def test_a_build_that_ignores_its_cancellation_is_closed_when_it_ends(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """What an abandoned async factory makes all the same is closed, never published."""
    live, log = make(window=0), list[str]()

    @live.resource("a", timeout=2.0)
    async def client(a: int) -> AsyncIterator[int]:
        if a == 2:
            log.append("waiting")
            with contextlib.suppress(asyncio.CancelledError):
                await asyncio.sleep(1000)
        log.append(f"built {a}")
        try:
            yield a
        finally:
            log.append(f"closed {a}")

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = asyncio.create_task(live.acheck())
        await anever(lambda: "waiting" in log)
        clock.advance(2.1)
        assert await checking is Outcome.REJECTED
        await anever(lambda: "closed 2" in log)
        assert live.snapshot[client] == 1
        await live.aclose()

    asyncio.run(main())
    assert ["built 1", "waiting", "built 2", "closed 2", "closed 1"] == log


def test_a_closer_that_hangs_is_cancelled(make: Make, text: Text, clock: FakeClock) -> None:
    """An async closer is given up at its time-out and leaves no task in the loop."""
    live, log = make(window=0), list[str]()

    @live.resource("a", timeout=2.0)
    async def client(a: int) -> AsyncIterator[int]:
        yield a
        if a == 1:
            log.append("closing")
            await asyncio.sleep(1000)

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        await areload(live)
        await anever(lambda: log == ["closing"])
        clock.advance(2.1)
        await anever(
            lambda: (
                [task.get_name() for task in asyncio.all_tasks()].count("reloadcheck-client") == 1
            )
        )
        await live.aclose()
        assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(main())
