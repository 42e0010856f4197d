"""A unit of work holds a resource from its first read of it, and gives it back by name.

Long because a resource can be read from many places of a unit of work, and each is tried.
"""

import asyncio
import gc
import sys
import threading
from collections.abc import Iterator
from contextvars import copy_context
from typing import Any

import pytest

from reloadcheck import (
    Outcome,
    ResourceClosedError,
)
from reloadcheck._resources.instance import Instance
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor
from tests.support.rig import Call, until

from .shop import DRAIN, Box, Door, Shop, ignore, stays_open_to_its_end, through_wsgi


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
        assert shop.clock.monotonic() - begun < 2.0  # the drain would be next
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
    shop.pass_time(DRAIN - 1.0)
    next(stream)
    assert shop.open == [1, 2]
    assert shop.live.status().forced_closes == 0
    stream.close()
    until(lambda: shop.open == [2], shop.clock)


@pytest.mark.parametrize("why", ["the drain is over", "an edit needs its place"])
def test_who_reads_too_late_hears_that_it_is_closed(shop: Shop, door: Door, why: str) -> None:
    """Never another version's resource; the configuration is the unit's own to its end."""
    answers: list[object] = []

    def body(snapshot: Any) -> Iterator[bytes]:
        yield b""
        with pytest.raises(ResourceClosedError, match=r"'pool' is closed: .* had not read it yet"):
            snapshot[shop.pool]
        answers.append(snapshot.config.a)
        yield b""

    stream = door(shop, body)
    next(stream)
    shop.edit(2)
    if why == "the drain is over":
        shop.pass_time(DRAIN + 0.1)
        until(lambda: shop.open == [2], shop.clock)
    else:
        shop.edit(3)
    next(stream)
    assert answers == [1]
    assert shop.live.status().forced_closes == 0
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


def test_a_thread_without_the_context_is_covered_by_its_request(shop: Shop, door: Door) -> None:
    """Whose it is cannot be told: all units of work on its snapshot hold what it reads."""

    def body(snapshot: Any) -> Iterator[bytes]:
        box = Call(lambda: snapshot[shop.pool]).result()
        while True:
            assert box.open
            yield b""

    stream = door(shop, body)
    next(stream)
    stays_open_to_its_end(shop, stream)


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
    stays_open_to_its_end(shop, stream)


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
    WsgiDoor(app, shop.live)({}, ignore)
    assert sorted(names) == ["pool", "search"]
    assert {one.leases for one in shop.live.status().resources} == {0}


@pytest.mark.parametrize("tool", ["stack", "trace", "objects", "referents"])
def test_whoever_looks_at_everything_takes_no_lease(shop: Shop, tool: str) -> None:
    """Reporters of errors read each frame, debuggers keep each object; the request ends it."""
    kept: list[object] = []

    def look() -> None:
        if tool in ("objects", "referents"):
            objects = gc.get_objects()
            kept.append(objects)
            if tool == "referents":  # what is not tracked itself, as measurers of memory do
                whole: list[object] = [
                    one for one in objects if issubclass(type(one), list | dict | Instance)
                ]
                found = {id(one): one for one in gc.get_referents(*whole)}
                kept.append([one for one in found.values() if type(one) is object])
            return
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
        WsgiDoor(app, shop.live)({"PATH_INFO": "/"}, ignore)
        asyncio.run(AsgiDoor(app_async, shop.live)({"type": "http", "path": "/"}, nothing, nothing))
    finally:
        sys.settrace(before)
    assert kept
    assert {one.leases for one in shop.live.status().resources} == {0}
    assert shop.live.status().leases == {1: 0}
    assert shop.live.snapshot[shop.pool].open  # in no unit's own context
    shop.edit(2)
    until(lambda: shop.open == [2])


@pytest.mark.parametrize("generation", [0, 1, 2, None])
def test_who_keeps_each_object_hides_no_lease(shop: Shop, generation: int | None) -> None:
    """Who has read it keeps it open, whichever part of all objects a debugger keeps as well."""

    def body(snapshot: Any) -> Iterator[bytes]:
        box = snapshot[shop.pool]
        while box.open:
            yield b""

    stream = through_wsgi(shop, body)
    next(stream)
    gc.collect(1)
    kept = [gc.get_objects(generation), gc.get_objects(generation)]
    assert shop.live.status().leases == {1: 1}
    shop.edit(2)
    shop.pass_time(DRAIN - 1)
    assert shop.open == [1, 2]
    assert kept
    stream.close()
    until(lambda: shop.open == [2], shop.clock)


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
    body: Any = WsgiDoor(middle, shop.live)({}, ignore)
    next(body)
    shop.edit(2)
    shop.pass_time(DRAIN - 1)
    next(body)
    body.close()
    until(lambda: shop.open == [2])
