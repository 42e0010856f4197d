"""Which unit of work does this code run in: nested engines, tasks, threads, the end."""

import asyncio
import contextlib
import contextvars
from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import OutsideWorkError, current_snapshot
from reloadcheck._snapshots.unit import unit_of_work
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload


def test_outside_a_unit_of_work_there_is_none(make: Make) -> None:
    """Outside of one, before and after, asking is a `LookupError` that names the line to add."""
    live = make()
    begin(live)
    for ask in (live.current, current_snapshot):
        with pytest.raises(LookupError, match=r"with live\.lease\(\)"):
            ask()
    with live.lease() as snapshot:
        assert snapshot is live.current() is current_snapshot()
    for ask in (live.current, current_snapshot):
        with pytest.raises(OutsideWorkError):
            ask()


def test_engines_nest(make: Make, text: Text) -> None:
    """Each engine finds its own unit of work; the innermost is the current one."""
    one, two = make(text), make(Text("x: 1"))
    with one.lease() as first:
        with pytest.raises(OutsideWorkError):
            two.current()
        with two.lease() as second:
            assert current_snapshot() is second
            assert one.current() is first
            assert two.current() is second
            with one.lease() as third:
                assert third is first
                assert current_snapshot() is first
                assert two.current() is second
            assert current_snapshot() is second
        assert current_snapshot() is first
        with pytest.raises(OutsideWorkError):
            two.current()


def test_deep_nesting_costs_no_chain(make: Make) -> None:
    """A thousand nested units of work of two engines find their way back at any depth."""
    one, two = make(Text("a: 1")), make(Text("a: 1"))

    def nest(depth: int) -> None:
        if depth:
            with one.lease(), two.lease():
                assert one.current() is one.snapshot
                nest(depth - 1)

    nest(100)


def test_an_inner_unit_joins_the_outer(make: Make, text: Text) -> None:
    """Within a unit of work every further one of that engine sees the same version."""
    live = make(window=0)
    begin(live)
    with live.lease() as outer:
        text.write("a: 2")
        reload(live)
        with live.lease() as inner:
            assert inner is outer
        assert live.status().leases == {1: 1, 2: 0}
    with live.lease() as after:
        assert after.version == 2


def test_a_joined_unit_keeps_the_snapshot_alive_by_itself(make: Make, text: Text) -> None:
    """An inner lease that outlives the outer one holds on to the snapshot on its own account."""
    live = make()
    begin(live)

    def overlapping() -> None:
        outer, inner = live.lease(), live.lease()
        outer.__enter__()
        inner.__enter__()
        text.write("a: 2")
        reload(live)
        outer.__exit__(None, None, None)
        assert live.status().leases == {1: 1, 2: 0}
        inner.__exit__(None, None, None)

    contextvars.copy_context().run(overlapping)  # what ends out of turn leaves its context so
    assert sum(live.status().leases.values()) == 0


def test_a_task_that_outlives_its_unit_keeps_its_snapshot(make: Make, text: Text) -> None:
    """A task started in a request goes on seeing it; a lease of its own is a fresh one."""
    live = make(window=0)

    async def main() -> None:
        await live.astart()
        ended = asyncio.Event()

        async def straggler() -> tuple[int, int, int]:
            await ended.wait()
            seen = live.current().version
            async with live.lease() as fresh:
                return seen, fresh.version, live.current().version

        async with live.lease() as snapshot:
            task = asyncio.create_task(straggler())
            await asyncio.sleep(0)
            assert snapshot.version == 1
        text.write("a: 2")
        await live.acheck()
        ended.set()
        assert await task == (1, 2, 2)
        with pytest.raises(OutsideWorkError):
            live.current()
        await live.aclose()

    asyncio.run(main())


def test_tasks_do_not_see_each_other(make: Make, text: Text) -> None:
    """Units of work in concurrent tasks are apart: each has the version it began with."""
    live = make(window=0)

    async def main() -> None:
        await live.astart()
        entered, go = asyncio.Event(), asyncio.Event()

        async def old() -> int:
            async with live.lease():
                entered.set()
                await go.wait()
                return live.current().version

        task = asyncio.create_task(old())
        await entered.wait()
        text.write("a: 2")
        await live.acheck()
        async with live.lease() as snapshot:
            assert snapshot.version == live.current().version == 2
            go.set()
            assert await task == 1
            assert live.current() is snapshot
        await live.aclose()

    asyncio.run(main())


def test_a_plain_thread_sees_none_and_a_context_carries_it(make: Make) -> None:
    """A new thread is outside any unit of work, unless it is handed the context."""
    live = make()
    begin(live)
    with live.lease() as snapshot:
        with pytest.raises(OutsideWorkError):
            Call(live.current).result()
        context = contextvars.copy_context()
        assert Call(lambda: context.run(live.current)).result() is snapshot

        async def main() -> object:
            return await asyncio.to_thread(live.current)

        assert asyncio.run(main()) is snapshot


def test_leaving_in_another_context_leaves_none_behind(make: Make) -> None:
    """A lease that ends in another context than it began in ends all the same."""
    live = make()
    begin(live)
    lease = live.lease()
    contextvars.copy_context().run(lease.__enter__)
    lease.__exit__(None, None, None)
    assert sum(live.status().leases.values()) == 0
    with pytest.raises(OutsideWorkError):
        live.current()


def test_a_generator_body_sees_its_unit_of_work(make: Make, text: Text) -> None:
    """A WSGI body that is a generator sees its request's snapshot until it is closed."""
    live = make(window=0)
    seen: list[int] = []

    def app(environ: dict[str, Any], start_response: Any) -> Iterator[bytes]:
        seen.append(live.current().version)
        yield b"a"
        seen.append(live.current().version)
        yield b"b"

    door = ReloadCheckMiddleware(app, live)
    body: Any = door({"PATH_INFO": "/"}, lambda *_: None)
    iterator = iter(body)
    assert next(iterator) == b"a"
    text.write("a: 2")
    Call(live.check).result()
    Call(live.check).result()
    assert live.snapshot.version == 2
    assert next(iterator) == b"b"
    assert live.status().leases == {1: 1, 2: 0}
    body.close()
    body.close()
    assert seen == [1, 1]
    assert sum(live.status().leases.values()) == 0
    with pytest.raises(OutsideWorkError):
        live.current()


def test_a_body_whose_close_raises_gives_its_lease_back(make: Make) -> None:
    """Whatever the application's body does at its close, the unit of work ends."""
    live = make(window=0)

    class Body:
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"x"])

        def close(self) -> None:
            raise ZeroDivisionError

    def app(environ: dict[str, Any], start_response: Any) -> Body:
        return Body()

    door = ReloadCheckMiddleware(app, live)
    body: Any = door({"PATH_INFO": "/"}, lambda *_: None)
    with pytest.raises(ZeroDivisionError):
        body.close()
    assert sum(live.status().leases.values()) == 0
    with pytest.raises(OutsideWorkError):
        live.current()


def test_an_application_that_raises_gives_its_lease_back(make: Make) -> None:
    """The application's own exception passes untouched, and the unit of work ends."""
    live = make(window=0)

    def app(environ: dict[str, Any], start_response: Any) -> list[bytes]:
        raise ZeroDivisionError(live.current().version)

    door = ReloadCheckMiddleware(app, live)
    with pytest.raises(ZeroDivisionError, match="1"):
        door({"PATH_INFO": "/"}, lambda *_: None)
    assert sum(live.status().leases.values()) == 0
    with pytest.raises(OutsideWorkError):
        live.current()


def test_a_straggler_does_not_join_what_others_still_hold(make: Make, text: Text) -> None:
    """A task whose own unit has ended gets a fresh lease, though the old snapshot is still held."""
    live = make(window=0)
    begin(live)
    other = live.lease()
    Call(other.__enter__).result()
    with live.lease():
        context = contextvars.copy_context()
    text.write("a: 2")
    reload(live)

    def straggler() -> tuple[int, int]:
        with live.lease() as fresh:
            return fresh.version, live.current().version

    assert context.run(straggler) == (2, 2)
    assert live.status().leases == {1: 1, 2: 0}
    other.__exit__(None, None, None)


def test_the_chain_is_no_longer_than_there_are_engines(make: Make) -> None:
    """However deep units of work nest, each engine stands in the chain once."""
    one, two = make(Text("a: 1")), make(Text("a: 1"))
    with contextlib.ExitStack() as stack:
        for _ in range(50):
            stack.enter_context(one.lease())
            stack.enter_context(two.lease())
        unit, length = unit_of_work.get(), 0
        while unit is not None:
            unit, length = unit[2], length + 1
    assert length == 2
