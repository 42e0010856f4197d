"""Who calls from an event loop: blocking calls that would hang, tasks that are cancelled."""

import asyncio
import random
from typing import Any

import pytest

from reloadcheck import BlockingCallError, Outcome
from reloadcheck.asgi import ReloadCheckMiddleware
from tests.support.clients import Clients, areload, auntil
from tests.support.fixtures import Make
from tests.support.rig import Text, same


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
            assert errors == []
        await areload(live)
        await auntil(lambda: len(clients.open) == 1)
        assert sum(live.status().leases.values()) == 0
        await live.aclose()
        assert {asyncio.current_task()} == asyncio.all_tasks()

    asyncio.run(main())
    assert torn == []
    assert clients.open == []
    assert len(served) >= 250
    assert len(clients.made) == 51


def test_a_cancelled_start_and_check_stop_nothing(clients: Clients, text: Text) -> None:
    """Whoever waits may be cancelled: the work goes on for the others."""
    live = clients.live

    async def main() -> None:
        text.gate.clear()
        starting = asyncio.create_task(live.astart())
        other = asyncio.create_task(live.astart())
        await auntil(text.waiting.is_set)
        starting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await starting
        text.gate.set()
        await other
        assert live.snapshot.version == 1
        await live.aclose()
        assert live.status().state in ("closed", "closing")

    asyncio.run(main())
