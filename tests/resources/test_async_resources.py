"""Async resources: one task each, and nothing of it left when something goes wrong.

Long because build, probe and close can each fail, hang and be cancelled.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from typing import Any

import anyio
import pytest

from reloadcheck import Outcome, ReloadCheck, ResourceClosedError
from reloadcheck.testing import FakeClock
from tests.support.clients import Clients, abegin, areload, auntil
from tests.support.fixtures import Make
from tests.support.rig import SECONDS, Call, Text, until


def test_one_task_builds_and_closes(clients: Clients, text: Text) -> None:
    """Build and close of one instance happen in one task of the home loop, another's in another."""
    live = clients.live

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        await areload(live)
        await auntil(lambda: clients.open == [2])
        await live.aclose()
        assert clients.open == []
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
    assert log == ["scope 1", "stopped", "left 1", "scope 2", "stopped", "left 2"]


@pytest.mark.parametrize("kind", ["TaskGroup", "anyio"])
def test_a_resource_whose_own_task_fails_is_built_anew_and_says_why(
    make: Make, text: Text, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Its holder is told; the next unit of work has a new one; one WARNING names the cause."""
    live, fail = make(window=0, secrets=["a"]), list[asyncio.Event]()
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
            await auntil(lambda: live.status().resources[0].instances == 0)
            with pytest.raises(ResourceClosedError, match="task of the resource's own has failed"):
                snapshot.resources["client"]
        async with live.lease() as snapshot:
            assert first is not snapshot[client]
            assert snapshot.version == 1
        await live.aclose()

    asyncio.run(main())
    told = [line for line in caplog.messages if "ended by itself" in line]
    assert len(told) == 1
    assert "resource client ended by itself with ConnectionError (" in told[0]
    assert told[0].endswith("lost *** and is built anew")


def waits_at_two(live: "ReloadCheck[Any]", log: list[str]) -> None:
    """Register a factory that does not come to an end once `a` is 2, unless it is cancelled."""

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


def test_a_build_that_takes_too_long_is_cancelled(make: Make, text: Text, clock: FakeClock) -> None:
    """At its time-out an async build is cancelled where it waits, and cleans up after itself."""
    live, log = make(window=0), list[str]()
    waits_at_two(live, log)

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = asyncio.create_task(live.acheck())
        await auntil(lambda: log == ["waiting"])
        clock.advance(2.1)
        assert await checking is Outcome.REJECTED
        await auntil(lambda: log == ["waiting", "cancelled"])
        assert live.snapshot.version == 1
        await live.aclose()

    asyncio.run(main())


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
        await auntil(lambda: "waiting" in log)
        clock.advance(2.1)
        assert await checking is Outcome.REJECTED
        await auntil(lambda: "closed 2" in log)
        assert live.snapshot[client] == 1
        await live.aclose()

    asyncio.run(main())
    assert log == ["built 1", "waiting", "built 2", "closed 2", "closed 1"]


def test_closing_cancels_a_build_under_way(make: Make, text: Text) -> None:
    """An async factory that waits when the engine closes is cancelled, not left in the loop."""
    live, log = make(window=0), list[str]()
    waits_at_two(live, log)

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = asyncio.create_task(live.acheck())
        await auntil(lambda: log == ["waiting"])
        await live.aclose()
        await checking
        await auntil(lambda: log == ["waiting", "cancelled"])
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await auntil(lambda: all(task.done() for task in others))

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
        await auntil(lambda: log == ["probing"])
        clock.advance(2.1)
        assert await checking is Outcome.REJECTED
        await auntil(lambda: log == ["probing", "closed 2"])
        await live.aclose()

    asyncio.run(main())
    assert log == ["probing", "closed 2", "closed 1"]


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
        await auntil(lambda: log == ["closing"])
        clock.advance(2.1)
        await auntil(
            lambda: (
                [task.get_name() for task in asyncio.all_tasks()].count("reloadcheck-client") == 1
            )
        )
        await live.aclose()
        assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(main())


def test_closing_gives_up_a_probe_under_way(make: Make, text: Text) -> None:
    """What was built and is still being probed when the engine closes is closed with it."""
    live, log = make(window=0), list[str]()

    async def probe(value: int) -> None:
        if value == 2:
            log.append("probing")
            await asyncio.sleep(1000)

    @live.resource("a", probe=probe)
    async def client(a: int) -> AsyncIterator[int]:
        try:
            yield a
        finally:
            await asyncio.sleep(0)
            log.append(f"closed {a}")

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = asyncio.create_task(live.acheck())
        await auntil(lambda: log == ["probing"])
        await live.aclose()
        await checking
        assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(main())
    assert log == ["probing", "closed 2", "closed 1"]


@pytest.mark.parametrize("ended", ["by its time-out", "by a close"])
def test_an_async_probe_of_a_sync_resource_is_given_up(
    make: Make, text: Text, clock: FakeClock, ended: str
) -> None:
    """It leaves no task in the loop, and after a time-out the resource can be built again."""
    live, log = make(window=0), list[str]()

    async def probe(value: int) -> None:
        if value == 2:
            log.append("probing")
            await asyncio.sleep(1000)

    @live.resource("a", probe=probe, timeout=2.0)
    def client(a: int) -> int:
        return a

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = asyncio.create_task(live.acheck())
        await auntil(lambda: log == ["probing"])
        if ended == "by its time-out":
            clock.advance(2.1)
            assert await checking is Outcome.REJECTED
            await auntil(lambda: {asyncio.current_task()} == asyncio.all_tasks())
            text.write("a: 3")
            await areload(live)
            assert live.snapshot[client] == 3
        await live.aclose()
        await checking
        await auntil(lambda: {asyncio.current_task()} == asyncio.all_tasks())

    asyncio.run(main())


def test_a_build_that_a_held_loop_never_began_is_made_later(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """A loop that stands still beyond a factory's time-out costs that edit, not all later ones."""
    live = make(window=0, patience=3600.0)  # nobody's patience ends first

    @live.resource("a", timeout=2.0)
    async def client(a: int) -> int:
        return a

    async def main() -> None:
        await abegin(live)
        text.write("a: 2")
        checking = Call(live.check)  # in a thread, while nothing in this loop can run
        assert checking.result(clock, step=0.5) is Outcome.REJECTED
        ends = time.monotonic() + SECONDS
        while await live.acheck() is not Outcome.RELOADED:  # what was given up has to end first
            assert time.monotonic() < ends
            await asyncio.sleep(0.001)
        assert live.snapshot[client] == 2
        await live.aclose()

    asyncio.run(main())
