"""The doors' fast path: leases that are references, and the engine that is switched off.

Long because every way to leave a request gives its lease back, and each is tried.
"""

import asyncio
import contextlib
import gc
import sys
import threading
from collections.abc import Generator, Iterator
from functools import partial
from typing import Any

import pytest

from reloadcheck import Outcome, OutsideWorkError, ReloadCheck, Snapshot, current_snapshot
from reloadcheck._engine.api import engine_of
from reloadcheck._runtime.refcounts import counts_references
from reloadcheck._snapshots.cell import Cell
from reloadcheck._snapshots.serving import Serving
from reloadcheck._snapshots.snapshot import Resources
from reloadcheck._snapshots.tenancy import LiveSnapshot, NamedLease
from reloadcheck._snapshots.unit import LIFE
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.testing import FakeClock
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload, until

pytestmark = pytest.mark.skipif(
    not counts_references(), reason="without exact reference counts there is no fast path"
)


def start(status: str, headers: list[tuple[str, str]]) -> None:
    """Take the status and the headers of an answer."""


def open_up(door: Any, live: ReloadCheck[Any]) -> None:
    """Send one request, so that a door's next ones find the flag raised."""
    door({"PATH_INFO": "/first"}, start)
    Call(live.check).result()
    until(lambda: engine_of(live).cell.fresh is not None)


def empty(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer nothing."""
    return []


async def empty_async(*_: object) -> None:
    """Answer nothing."""


def leases(live: ReloadCheck[Any]) -> dict[int, int]:
    """Return the leases of each live snapshot."""
    return dict(live.status().leases)


@pytest.fixture
def slow(make: Make) -> ReloadCheck[Any]:
    """An engine whose flag stays raised, for its window is long."""
    live = make(window=100.0)

    @live.resource("a")
    def one(a: int) -> Iterator[int]:
        yield a

    begin(live)
    return live


def test_a_request_on_the_fast_path_is_one_lease(slow: ReloadCheck[Any], text: Text) -> None:
    """It is counted while it lasts, on the current snapshot and on a retired one."""
    seen: list[dict[int, int]] = []

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        seen.append(leases(slow))
        text.write("a: 2")
        reload(slow)
        seen.append(leases(slow))
        return []

    open_up(WsgiDoor(empty, slow), slow)
    WsgiDoor(app, slow)({"PATH_INFO": "/"}, start)
    assert seen == [{1: 1}, {1: 1, 2: 0}]
    until(lambda: leases(slow) == {2: 0})


def test_a_kept_traceback_keeps_no_lease(slow: ReloadCheck[Any]) -> None:
    """An error tracker that stores what the application raised does not stop a drain."""

    def app(*_: object) -> list[bytes]:
        raise ZeroDivisionError

    async def app_async(*_: object) -> None:
        raise ZeroDivisionError

    open_up(WsgiDoor(empty, slow), slow)
    with pytest.raises(ZeroDivisionError) as kept:
        WsgiDoor(app, slow)({"PATH_INFO": "/"}, start)
    with pytest.raises(ZeroDivisionError) as kept_async:
        asyncio.run(call(AsgiDoor(app_async, slow)))
    assert (leases(slow), kept.tb is not None, kept_async.tb is not None) == ({1: 0}, True, True)


async def call(door: Any) -> None:
    """Send one request through an ASGI door."""

    async def nothing(*_: object) -> Any: ...

    await door({"type": "http", "path": "/", "method": "GET"}, nothing, nothing)


def test_a_body_that_is_dropped_gives_its_lease_back(
    slow: ReloadCheck[Any], text: Text, clock: FakeClock
) -> None:
    """A server that forgets to close a body does not keep the old version until its deadline."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        return iter([b"x"])

    door = WsgiDoor(app, slow)
    open_up(WsgiDoor(empty, slow), slow)
    body: Any = Call(lambda: door({"PATH_INFO": "/"}, start)).result()
    text.write("a: 2")
    reload(slow)
    assert leases(slow) == {1: 1, 2: 0}
    begun, known = clock.monotonic(), body._unit[LIFE].known
    assert known == {id(body._environ): (body._environ, body._unit)}
    del body
    gc.collect()
    assert known == {}
    until(lambda: leases(slow) == {2: 0}, clock)
    assert clock.monotonic() - begun < 5


@pytest.mark.parametrize("fast", [True, False], ids=["by reference", "by name"])
def test_a_body_that_is_thrown_away_leaves_no_unit_behind(
    slow: ReloadCheck[Any], fast: bool
) -> None:
    """The thread that asked for it is outside of any unit of work again."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        yield b"a"

    if fast:
        open_up(WsgiDoor(empty, slow), slow)
    body: Any = WsgiDoor(app, slow)({"PATH_INFO": "/"}, start)
    assert current_snapshot() is slow.snapshot
    assert next(body) == b"a"
    del body
    gc.collect()
    with pytest.raises(OutsideWorkError):
        current_snapshot()
    assert leases(slow) == {1: 0}


def test_who_iterates_a_body_holds_its_lease(slow: ReloadCheck[Any]) -> None:
    """Also where only the iterator is kept: nothing ends under the application's generator."""

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        yield b"a"
        yield b"b"

    open_up(WsgiDoor(empty, slow), slow)
    seen: list[tuple[bytes, dict[int, int]]] = []

    def serve() -> None:
        chunks = iter(WsgiDoor(app, slow)({"PATH_INFO": "/"}, start))
        seen.extend((chunk, leases(slow)) for chunk in chunks)

    Call(serve).result()
    assert seen == [(b"a", {1: 1}), (b"b", {1: 1})]
    until(lambda: leases(slow) == {1: 0})


def test_a_coroutine_that_is_dropped_gives_its_lease_back(slow: ReloadCheck[Any]) -> None:
    """A request whose task is never finished is no lease once it is gone."""

    class Never:
        def __await__(self) -> Generator[None]:
            yield

    async def app(*_: object) -> None:
        await Never()

    open_up(WsgiDoor(empty, slow), slow)
    running = AsgiDoor(app, slow)({"type": "http", "path": "/", "method": "GET"}, *(2 * [None]))  # type: ignore[arg-type]
    with contextlib.suppress(StopIteration):
        running.send(None)
    assert leases(slow) == {1: 1}
    running.close()
    assert leases(slow) == {1: 0}


@pytest.mark.usefixtures("outliving")
@pytest.mark.parametrize("kind", ["asgi", "wsgi"])
def test_the_warning_names_requests_that_only_their_frames_tell_of(
    slow: ReloadCheck[Any],
    text: Text,
    clock: FakeClock,
    caplog: pytest.LogCaptureFixture,
    kind: str,
) -> None:
    """At the drain deadline the log says which request holds on, though it left no other trace."""

    def outlast() -> None:
        slow.current().resources["one"]
        text.write("a: 2")
        reload(slow)
        clock.advance(31)
        until(lambda: "s of drain (its next use fails)" in caplog.text)

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        outlast()
        return []

    async def app_async(*_: object) -> None:
        await asyncio.to_thread(outlast)

    async def main() -> None:
        await call(AsgiDoor(empty_async, slow))  # it is in this loop that tasks are looked at
        await asyncio.to_thread(open_up, WsgiDoor(empty, slow), slow)
        await call(AsgiDoor(app_async, slow))

    if kind == "wsgi":
        open_up(WsgiDoor(empty, slow), slow)
        environ = {"PATH_INFO": "/export", "REQUEST_METHOD": "POST"}
        WsgiDoor(app, slow)(environ, start)
        assert "still use it: POST /export" in caplog.text
    else:
        asyncio.run(main())
        assert "still use it: GET /" in caplog.text


def test_naming_who_holds_on_takes_no_lease(
    make: Make, text: Text, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Two resources whose drain ends at different times tell the same number of users."""
    live = make(window=100.0)

    def one(part: int) -> Iterator[int]:
        yield part

    for name, drain in (("a", 10), ("b", 20)):
        live.resource(name, name=name, drain=drain)(one)

    async def app(*_: object) -> None:
        assert [*live.current().resources.values()]
        await release.wait()

    def is_told(times: int) -> bool:
        return caplog.text.count(": 3 units of work still use it") == times

    async def main() -> None:
        await call(AsgiDoor(empty_async, live))
        await asyncio.to_thread(open_up, WsgiDoor(empty, live), live)
        streams = [asyncio.create_task(call(AsgiDoor(app, live))) for _ in range(3)]
        await asyncio.sleep(0)
        text.write("a: 2\nb: 2")
        await asyncio.to_thread(reload, live)
        for told in (1, 2):
            clock.advance(11)
            await asyncio.to_thread(until, partial(is_told, told))
            assert leases(live)[1] == 3
        release.set()
        await asyncio.gather(*streams)

    release = asyncio.Event()
    asyncio.run(main())


def test_leases_by_reference_are_never_missed(make: Make, text: Text) -> None:
    """Whatever thread enters while another one swaps: no snapshot is released under a request."""
    live = make(window=100.0, drain=1000.0)
    released: set[int] = set()
    wrong: list[int] = []
    stop = threading.Event()

    @live.resource("a")
    def one(a: int) -> Iterator[int]:
        yield a
        released.add(a)

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        snapshot: Snapshot[Any] = environ["reloadcheck.snapshot"]
        wrong.extend(snapshot.version for _ in range(5) if snapshot.config["a"] in released)
        return []

    door = WsgiDoor(app, live)
    begin(live)
    open_up(door, live)

    def hammer() -> None:
        while not stop.is_set():
            door({"PATH_INFO": "/"}, start)

    interval = sys.getswitchinterval()
    threads = [threading.Thread(target=hammer) for _ in range(2)]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for number in range(2, 42):
            text.write(f"a: {number}")
            until(lambda: Call(live.check).result() is not Outcome.DEFERRED)
    finally:
        stop.set()
        sys.setswitchinterval(interval)
        for thread in threads:
            thread.join()
    assert wrong == []
    until(lambda: leases(live) == {live.snapshot.version: 0})
    until(lambda: len(released) == live.snapshot.version - 1)


def test_counting_takes_no_offer_for_a_lease() -> None:
    """What the engine itself refers to is no lease; a variable more is one."""
    cell: Cell[Any] = Cell()
    serving: Serving[Any] = Serving(FakeClock(), cell)
    snapshot = Snapshot({"a": 1}, 1, "", 0.0, Resources({}), None)
    live_snapshot = LiveSnapshot(snapshot, (), None, lambda: None)
    assert live_snapshot.leases() == 0
    hold = live_snapshot.hold
    assert (live_snapshot.leases(), serving.leases(live_snapshot)) == (1, 1)
    cell.fresh = hold
    assert (live_snapshot.leases(), serving.leases(live_snapshot)) == (2, 1)
    live_snapshot.enter(NamedLease("someone"))
    assert (live_snapshot.leases(), serving.leases(live_snapshot)) == (3, 2)
    cell.fresh = None
    live_snapshot.abandon()
    assert (live_snapshot.leases(), hold.snapshot) == (0, snapshot)


def test_switched_off_the_flag_is_raised_by_the_first_request(make: Make) -> None:
    """There is no check to come that would raise it; nor does it ever go down."""
    live = make(enabled=False, window=0.0)
    begin(live)
    assert engine_of(live).cell.fresh is None
    WsgiDoor(empty, live)({"PATH_INFO": "/"}, start)
    until(lambda: engine_of(live).cell.fresh is not None)


def test_a_door_cannot_be_subclassed() -> None:
    """What would silently do nothing is refused, and the error says what to do instead."""
    for door in (AsgiDoor, WsgiDoor):
        with pytest.raises(TypeError, match="wrap what it gives"):
            type("Mine", (door,), {})
