"""What a unit of work gives back, by `release()` or at its end, closes then and not later."""

import asyncio
from collections.abc import Iterator
from contextvars import Context, copy_context
from typing import Any

import pytest

from reloadcheck import (
    OutsideWorkError,
    ResourceClosedError,
)
from reloadcheck._engine.api import engine_of
from reloadcheck._snapshots.unit import LIFE, unit_of_work
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor
from tests.support.fixtures import Make
from tests.support.rig import Call, begin, until

from .shop import DRAIN, Door, Shop, ignore, stays_open_to_its_end


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
    stays_open_to_its_end(shop, stream)


def test_a_release_has_its_own_place(shop: Shop) -> None:
    """Outside a unit of work of the snapshot it says so; after the unit's end it does nothing."""
    with pytest.raises(OutsideWorkError, match="no unit of work of this snapshot"):
        shop.live.snapshot.release()
    kept: list[Context] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        kept.append(copy_context())
        return []

    shop.fast()
    WsgiDoor(app, shop.live)({}, ignore)
    kept[0].run(shop.live.snapshot.release)
    unit: Any = kept[0].run(unit_of_work.get)
    assert (unit[LIFE], shop.live.status().leases) == (False, {1: 0})


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


def test_what_a_request_left_behind_is_no_unit_of_work(shop: Shop) -> None:
    """A state that still has the snapshot of an ended request gets the newest, after a check."""
    states: list[int] = []

    def app(environ: Any, start_response: Any) -> list[bytes]:
        states.append(environ["reloadcheck.config"].a)
        return []

    door = WsgiDoor(app, shop.live)
    environ: dict[str, Any] = {}
    door(environ, ignore)
    shop.text.write("a: 2\nb: 1\nc: 1")
    shop.clock.advance(10.0)
    Call(lambda: door(environ, ignore)).result(shop.clock)
    assert states == [1, 2]
    assert sum(shop.live.status().leases.values()) == 0


def test_a_body_that_is_closed_is_known_no_longer(shop: Shop) -> None:
    """Its environ is let go of, with all that the request left in it."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        return iter([b""])

    shop.fast()
    hold = engine_of(shop.live).cell.fresh
    assert hold is not None
    body: Any = WsgiDoor(app, shop.live)({}, ignore)
    assert len(hold.known) == 1
    body.close()
    assert hold.known == {}
    body.close()


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
    WsgiDoor(app, shop.live)({}, ignore)
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
