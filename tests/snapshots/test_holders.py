"""A unit of work holds a resource from its first read of it, and gives it back by name."""

import asyncio
import sys
import threading
from collections.abc import Callable, Generator, Iterator
from contextvars import Context, copy_context
from typing import Any

import pytest

from reloadcheck import (
    Outcome,
    OutsideWorkError,
    ReloadCheck,
    Resource,
    ResourceClosedError,
    reload_check,
)
from reloadcheck._engine.api import host_of
from reloadcheck._snapshots.drain import LATE, SLOW
from reloadcheck._snapshots.unit import LIFE, unit_of_work
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.testing import FakeClock
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, until

DRAIN = 30.0


class Box:
    """What is built: a number that knows whether it is open."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.open = True


class Shop:
    """An engine with a pool on `a`, a search that needs it, and nothing on `b`."""

    def __init__(self, make: Make, text: Text, clock: FakeClock) -> None:
        self.live: ReloadCheck[Any] = make(window=1.0, settle=0.0, drain=DRAIN)
        self.text, self.clock = text, clock
        self.boxes: list[Box] = []
        self.pools: list[Box] = []
        self.pool: Resource[Box] = self.live.resource("a", name="pool")(self._pool)
        self.search: Resource[Box] = self.live.resource("c", needs=[self.pool], name="search")(
            self._build
        )
        text.write("a: 1\nb: 1\nc: 1")
        begin(self.live)

    def _build(self, number: int, *needs: Box) -> Iterator[Box]:
        box = Box(number)
        self.boxes.append(box)
        yield box
        assert all(need.open for need in needs)
        box.open = False

    def _pool(self, number: int) -> Iterator[Box]:
        for box in self._build(number):
            self.pools.append(box)
            yield box

    @property
    def open(self) -> list[int]:
        """Return the pools that are open."""
        return [box.number for box in self.pools if box.open]

    def edit(self, a: int, b: int = 1) -> None:
        """Have an edit go live; time passes meanwhile."""
        version = self.live.snapshot.version
        self.text.write(f"a: {a}\nb: {b}\nc: 1")
        Call(self.live.check).result(self.clock)
        assert self.live.snapshot.version == version + 1

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and have the engine look."""
        self.clock.advance(seconds)
        self.live.check()

    def fast(self) -> None:
        """Have the doors go on without asking."""
        WsgiDoor(lambda environ, start_response: [], self.live)({}, start)
        self.live.check()
        until(lambda: host_of(self.live).cell.fresh is not None)


@pytest.fixture
def shop(make: Make, text: Text, clock: FakeClock) -> Shop:
    """Version 1 of a shop, started."""
    return Shop(make, text, clock)


def start(status: str, headers: list[tuple[str, str]]) -> None:
    """Ignore what is answered."""


Body = Callable[[Any], Iterator[bytes]]
Door = Callable[[Shop, Body], Generator[bytes]]


def through_lease(shop: Shop, body: Body) -> Generator[bytes]:
    """Run in a lease."""
    with shop.live.lease() as snapshot:
        yield from body(snapshot)


def through_wsgi(shop: Shop, body: Body) -> Generator[bytes]:
    """Run in the body of a response, as a door on its fast path has it."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        return body(environ["reloadcheck.snapshot"])

    shop.fast()
    answer: Any = WsgiDoor(app, shop.live)({}, start)
    try:
        yield from answer
    finally:
        answer.close()


def through_wsgi_by_name(shop: Shop, body: Body) -> Generator[bytes]:
    """Run in the body of a response of a door that had to ask."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        return body(environ["reloadcheck.snapshot"])

    assert host_of(shop.live).cell.fresh is None
    answer: Any = WsgiDoor(app, shop.live)({}, start)
    try:
        yield from answer
    finally:
        answer.close()


def through_asgi(shop: Shop, body: Body) -> Generator[bytes]:
    """Run in a request of the ASGI door on its fast path, a step at a time."""

    class Step:
        def __await__(self) -> Any:
            yield

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in body(scope["state"]["snapshot"]):
            await Step()

    async def nothing(*_: object) -> Any: ...

    shop.fast()
    context = Context()
    running = AsgiDoor(app, shop.live)({"type": "websocket", "path": "/"}, nothing, nothing)
    coroutine: Any = running
    try:
        while True:
            context.run(coroutine.send, None)
            yield b""
    except StopIteration:
        return
    finally:
        context.run(coroutine.close)


@pytest.fixture(
    params=[through_lease, through_wsgi, through_wsgi_by_name, through_asgi],
    ids=lambda way: way.__name__.removeprefix("through_"),
)
def door(request: pytest.FixtureRequest) -> Door:
    """A way to be a unit of work that is taken step by step."""
    found: Door = request.param
    return found


def test_who_has_read_nothing_delays_no_rotation(
    shop: Shop, door: Door, caplog: pytest.LogCaptureFixture
) -> None:
    """Three in a row are live while a stream is open; nothing is forced, and nothing is told."""

    def body(snapshot: Any) -> Iterator[bytes]:
        while True:
            yield b"tick"

    stream = door(shop, body)
    next(stream)
    for a in (2, 3, 4):
        begun = shop.clock.monotonic()
        shop.edit(a)
        assert shop.clock.monotonic() - begun < LATE  # which would be next, and the drain then
        assert next(stream) is not None
    until(lambda: shop.open == [4])
    assert shop.live.status().forced_closes == 0
    assert [record for record in caplog.records if record.levelname == "WARNING"] == []
    assert next(stream) is not None
    stream.close()


def test_who_has_read_it_keeps_it_open(shop: Shop, door: Door) -> None:
    """From the first read to the end of the unit of work, whatever a third instance waits for."""

    def body(snapshot: Any) -> Iterator[bytes]:
        yield b""
        box = snapshot[shop.pool]
        while box.open:
            yield b""

    stream = door(shop, body)
    next(stream)
    next(stream)
    shop.edit(2)
    shop.text.write("a: 3\nb: 1\nc: 1")
    assert shop.live.check() is Outcome.DEFERRED
    shop.pass_time(DRAIN - 1)
    assert shop.open == [1, 2]
    assert shop.live.status().resources[0].leases == 1
    next(stream)
    stream.close()
    until(lambda: shop.open == [3], shop.clock)
    assert shop.live.status().forced_closes == 0


def test_what_was_needed_by_what_was_read_stays_open_too(shop: Shop, door: Door) -> None:
    """Who has read the search keeps the pool that it was built on."""

    def body(snapshot: Any) -> Iterator[bytes]:
        assert snapshot.resources["search"].open
        while True:
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    shop.pass_time(DRAIN - 1)
    assert shop.open == [1, 2]
    stream.close()
    until(lambda: shop.open == [2], shop.clock)


def test_a_late_reader_gets_its_own_version(shop: Shop, door: Door) -> None:
    """Who is about to read when another version goes live is not let down."""

    def body(snapshot: Any) -> Iterator[bytes]:
        yield b""
        box = snapshot[shop.pool]
        while True:
            assert (box.number, box.open) == (1, True)
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    shop.pass_time(LATE - 0.5)
    next(stream)
    shop.pass_time(DRAIN - LATE)
    next(stream)
    assert shop.open == [1, 2]
    stream.close()


def test_who_reads_too_late_hears_that_it_is_closed(shop: Shop, door: Door) -> None:
    """Never another version's resource; the configuration is the unit's own to its end."""
    answers: list[object] = []

    def body(snapshot: Any) -> Iterator[bytes]:
        yield b""
        with pytest.raises(ResourceClosedError, match="pool"):
            snapshot[shop.pool]
        answers.append(snapshot.config.a)
        yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    shop.pass_time(LATE + 0.1)
    until(lambda: shop.open == [2], shop.clock)
    next(stream)
    assert answers == [1]
    stream.close()


def test_what_is_carried_over_may_be_read_at_any_time(shop: Shop, door: Door) -> None:
    """However old the unit of work is; and from then on it holds it."""

    def body(snapshot: Any) -> Iterator[bytes]:
        yield b""
        box = snapshot[shop.pool]
        while True:
            assert (box.number, box.open) == (1, True)
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(1, b=2)
    shop.pass_time(DRAIN + 1)
    shop.pass_time(DRAIN + 1)
    next(stream)
    shop.edit(2, b=2)
    shop.pass_time(DRAIN - 1)
    next(stream)
    stream.close()
    until(lambda: shop.open == [2], shop.clock)


def test_released_it_closes_and_the_configuration_stays(shop: Shop, door: Door) -> None:
    """After `release()` the resources may close, and a lease inside is of the newest version."""
    seen: list[tuple[int, int]] = []

    def body(snapshot: Any) -> Iterator[bytes]:
        assert snapshot[shop.pool].number == 1
        yield b""
        snapshot.release()
        yield b""
        while True:
            with shop.live.lease() as newest:
                assert newest[shop.pool].open
                seen.append((shop.live.current().config.a, newest[shop.pool].number))
            assert shop.live.current() is snapshot
            assert snapshot.config.a == 1
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    next(stream)
    until(lambda: shop.open == [2])  # at once: it reads no more
    for a in (3, 4):
        shop.edit(a)
        next(stream)
        until(lambda: shop.open == [a])  # noqa: B023
    assert seen == [(3, 3), (4, 4)]
    assert shop.live.status().leases[1] == 1
    stream.close()
    until(lambda: shop.live.status().leases == {4: 0}, shop.clock)


def test_who_ends_or_releases_says_so(shop: Shop, door: Door) -> None:
    """What only it used closes at once, and its snapshot is let go of: no moment passes."""

    def body(snapshot: Any) -> Iterator[bytes]:
        while True:
            assert snapshot[shop.pool].open
            yield b""
            snapshot.release()
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    assert shop.open == [1, 2]
    next(stream)
    until(lambda: shop.open == [2])
    stream.close()
    until(lambda: shop.live.status().leases == {2: 0})


def test_who_ends_says_so(shop: Shop, door: Door) -> None:
    """What it has read closes at once, without a moment passing."""

    def body(snapshot: Any) -> Iterator[bytes]:
        while True:
            assert snapshot[shop.pool].open
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    assert shop.open == [1, 2]
    stream.close()
    until(lambda: shop.open == [2])


def test_what_is_read_after_a_release_is_held_again(shop: Shop, door: Door) -> None:
    """To read is to hold, also after a release."""

    def body(snapshot: Any) -> Iterator[bytes]:
        snapshot.release()
        box = snapshot[shop.pool]
        while True:
            assert box.open
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    shop.pass_time(DRAIN - 1)
    next(stream)
    stream.close()
    until(lambda: shop.open == [2], shop.clock)


def test_a_release_has_its_own_place(shop: Shop) -> None:
    """Outside a unit of work of the snapshot it says so; after the unit's end it does nothing."""
    with pytest.raises(OutsideWorkError, match="no unit of work of this snapshot"):
        shop.live.snapshot.release()
    kept: list[Context] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        kept.append(copy_context())
        return []

    shop.fast()
    WsgiDoor(app, shop.live)({}, start)
    kept[0].run(shop.live.snapshot.release)
    unit: Any = kept[0].run(unit_of_work.get)
    assert (unit[LIFE], shop.live.status().leases) == (False, {1: 0})


def test_a_thread_without_the_context_is_covered_by_its_request(shop: Shop, door: Door) -> None:
    """Whose it is cannot be told: all units of work on its snapshot hold what it reads."""

    def body(snapshot: Any) -> Iterator[bytes]:
        box = Call(lambda: snapshot[shop.pool]).result()
        while True:
            assert box.open
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    shop.pass_time(DRAIN - 1)
    next(stream)
    stream.close()
    until(lambda: shop.open == [2], shop.clock)


def test_what_a_lease_inside_has_read_the_unit_around_it_holds(shop: Shop, door: Door) -> None:
    """It is one snapshot, and code around may go on with what was read inside."""

    def body(snapshot: Any) -> Iterator[bytes]:
        with shop.live.lease() as joined:
            assert joined is snapshot
            box = joined[shop.pool]
        while True:
            assert box.open
            yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    shop.pass_time(DRAIN - 1)
    next(stream)
    stream.close()
    until(lambda: shop.open == [2], shop.clock)


def test_a_task_that_outlives_its_request_holds_nothing(shop: Shop) -> None:
    """It goes on seeing the snapshot, whose resources close after the drain of the others."""

    async def main() -> tuple[int, bool]:
        tasks: list[asyncio.Task[int]] = []
        gate = asyncio.Event()

        async def outlast(snapshot: Any) -> int:
            await gate.wait()
            assert shop.live.current() is snapshot
            with pytest.raises(ResourceClosedError):
                snapshot[shop.pool]
            return int(snapshot.config.a)

        async def app(scope: Any, receive: Any, send: Any) -> None:
            snapshot = scope["state"]["snapshot"]
            assert snapshot[shop.pool].open
            tasks.append(asyncio.create_task(outlast(snapshot)))

        async def nothing(*_: object) -> Any: ...

        await AsgiDoor(app, shop.live)({"type": "http", "path": "/"}, nothing, nothing)
        await asyncio.to_thread(shop.edit, 2)
        await asyncio.to_thread(until, lambda: shop.open == [2])
        gate.set()
        return await tasks[0], True

    assert asyncio.run(main()) == (1, True)


def test_two_threads_of_a_request_hold_what_each_has_read(shop: Shop) -> None:
    """The first read of one does not undo that of the other."""
    both = threading.Barrier(2)
    names: list[str] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        snapshot = environ["reloadcheck.snapshot"]

        def read(name: str) -> None:
            both.wait()
            names.append(name)
            assert snapshot.resources[name].open

        contexts = [copy_context() for _ in range(2)]
        calls = [
            Call(lambda context=context, name=name: context.run(read, name))  # type: ignore[misc]
            for context, name in zip(contexts, ("pool", "search"), strict=True)
        ]
        for call in calls:
            call.result()
        status = {one.name: one.leases for one in shop.live.status().resources}
        assert status == {"pool": 1, "search": 1}
        return []

    shop.fast()
    WsgiDoor(app, shop.live)({}, start)
    assert sorted(names) == ["pool", "search"]
    assert {one.leases for one in shop.live.status().resources} == {0}


@pytest.mark.parametrize("tool", ["stack", "trace"])
def test_whoever_looks_at_frames_takes_no_lease(shop: Shop, tool: str) -> None:
    """Reporters of errors read the variables of every frame; the lease ends with the request."""
    kept: list[object] = []

    def look() -> None:
        frame: Any = sys._getframe(1)  # pyright: ignore[reportPrivateUsage]
        while frame is not None:
            kept.append((frame, dict(frame.f_locals)))
            frame = frame.f_back

    def trace(frame: Any, event: str, argument: object) -> Any:
        kept.append(len(frame.f_locals))
        return trace

    def app(environ: Any, start_response: Any) -> list[bytes]:
        assert environ["reloadcheck.snapshot"][shop.pool].open
        look()
        return []

    async def app_async(scope: Any, receive: Any, send: Any) -> None:
        assert scope["state"]["snapshot"][shop.pool].open
        look()

    async def nothing(*_: object) -> Any: ...

    shop.fast()
    before = sys.gettrace()
    if tool == "trace":
        sys.settrace(trace)
    try:
        WsgiDoor(app, shop.live)({"PATH_INFO": "/"}, start)
        asyncio.run(AsgiDoor(app_async, shop.live)({"type": "http", "path": "/"}, nothing, nothing))
    finally:
        sys.settrace(before)
    assert kept
    assert {one.leases for one in shop.live.status().resources} == {0}
    assert shop.live.status().leases == {1: 0}
    shop.edit(2)
    until(lambda: shop.open == [2])


def test_a_slow_drain_is_told_while_there_is_time(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """Once in the log after some seconds: by whom it is used, and how long yet; and in status."""

    @reload_check(shop.live)
    def nightly() -> Generator[Box]:
        yield shop.live.current()[shop.pool]

    stream = nightly()
    box = next(stream)
    shop.edit(2)
    (draining,) = shop.live.status().draining
    assert (draining.resource, draining.version, draining.leases) == ("pool", 1, 1)
    assert draining.holders == ()
    shop.pass_time(SLOW - 1)
    assert "is still used" not in caplog.text
    for _ in range(3):
        shop.pass_time(1.0)
    (told,) = [one.getMessage() for one in caplog.records if one.levelname == "WARNING"]
    name = f"{__name__}.test_a_slow_drain_is_told_while_there_is_time.<locals>.nightly"
    assert told.startswith("resource pool of version 1 is still used 5.")
    assert "by 1 unit of work" in told
    assert told.endswith(f": {name}")
    (draining,) = shop.live.status().draining
    assert draining.seconds + draining.closes_in == pytest.approx(DRAIN)
    assert draining.holders == (name,)
    assert box.open
    stream.close()
    until(lambda: shop.open == [2])
    assert shop.live.status().draining == ()


def test_time_that_nobody_had_does_not_count(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that was stopped for longer than the drain goes on as if it had not been."""
    thread = host_of(shop.live).thread
    assert thread is not None
    real = [0.0]
    monkeypatch.setattr(thread.drain, "_real", lambda: real[0])
    with shop.live.lease() as snapshot:
        box = snapshot[shop.pool]
        shop.edit(2)
        shop.pass_time(1.0)
        real[0] += 2 * DRAIN
        shop.pass_time(2 * DRAIN)
        assert box.open
        (draining,) = shop.live.status().draining
        assert draining.seconds < 10
        shop.pass_time(DRAIN - 10)
        assert box.open
    until(lambda: shop.open == [2])
    assert shop.live.status().forced_closes == 0


def test_without_exact_counts_all_units_on_a_snapshot_hold_what_one_has_read(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Too much is held there, never too little."""
    monkeypatch.setattr("reloadcheck._snapshots.snapshot.COUNTS_REFERENCES", False)
    reader, other = shop.live.lease(), shop.live.lease()
    assert Call(lambda: reader.__enter__()[shop.pool].open).result()
    Call(other.__enter__).result()
    shop.edit(2)
    reader.give_back()
    shop.pass_time(DRAIN - 1)
    assert shop.open == [1, 2]
    other.give_back()
    until(lambda: shop.open == [2])


def test_what_a_request_left_behind_is_no_unit_of_work(shop: Shop) -> None:
    """A state that still has the snapshot of an ended request gets the newest, after a check."""
    states: list[int] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        states.append(environ["reloadcheck.config"].a)
        return []

    door = WsgiDoor(app, shop.live)
    environ: dict[str, Any] = {}
    door(environ, start)
    shop.text.write("a: 2\nb: 1\nc: 1")
    shop.clock.advance(10.0)
    Call(lambda: door(environ, start)).result(shop.clock)
    assert states == [1, 2]
    assert sum(shop.live.status().leases.values()) == 0


def test_a_body_that_is_closed_is_known_no_longer(shop: Shop) -> None:
    """Its environ is let go of, with all that the request left in it."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        return iter([b""])

    shop.fast()
    hold = host_of(shop.live).cell.fresh
    assert hold is not None
    body: Any = WsgiDoor(app, shop.live)({}, start)
    assert len(hold.known) == 1
    body.close()
    assert hold.known == {}
    body.close()


def test_what_an_inner_door_has_read_the_outer_one_holds(shop: Shop) -> None:
    """A request is one unit of work, through however many doors: code around goes on with it."""
    found: list[Box] = []

    def leaf(environ: Any, start_response: Any) -> list[bytes]:
        found.append(environ["reloadcheck.snapshot"][shop.pool])
        return []

    inner = WsgiDoor(leaf, shop.live)

    def middle(environ: Any, start_response: Any) -> Iterator[bytes]:
        inner(environ, start_response)
        while True:
            assert found[0].open
            yield b""

    shop.fast()
    body: Any = WsgiDoor(middle, shop.live)({}, start)
    next(body)
    shop.edit(2)
    shop.pass_time(DRAIN - 1)
    next(body)
    body.close()
    until(lambda: shop.open == [2])


def test_a_lease_in_a_task_that_outlives_its_request_is_of_the_newest(shop: Shop) -> None:
    """The request has ended, so there is nothing to join."""
    contexts: list[Context] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        contexts.append(copy_context())
        return []

    def outlast() -> int:
        with shop.live.lease() as snapshot:
            return int(snapshot.config.a)

    shop.fast()
    WsgiDoor(app, shop.live)({}, start)
    with shop.live.lease():  # keeps version 1 alive
        shop.edit(2)
        assert contexts[0].run(outlast) == 2


def test_close_waits_for_who_has_read_nothing_too(make: Make) -> None:
    """A unit of work ends before its engine does, whether it reads or not, unless it released."""
    live = make(drain=DRAIN)
    begin(live)
    lease = live.lease()
    snapshot = Call(lease.__enter__).result()
    closing = Call(live.close)
    closing.join(0.05)
    assert closing.waits
    assert snapshot.config.a == 1
    lease.give_back()
    closing.result()
