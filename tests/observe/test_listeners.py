"""Listeners: each in its own order, told after the swap, in the way back out of it too."""

import asyncio
import threading

import pytest

from reloadcheck import Outcome, ReloadEvent
from tests.support.clients import auntil
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload, until


def test_every_swap_and_rejection_is_told_in_order(make: Make, text: Text) -> None:
    """A listener hears of each swap and each rejection, in order, with what changed."""
    live, heard = make(), list[ReloadEvent]()
    live.subscribe(heard.append)
    begin(live)
    text.write("a: 2\nc: 3")
    reload(live)
    text.write("a: [")
    assert live.check() is Outcome.REJECTED
    assert live.check() is Outcome.REJECTED
    text.write("a: 3\nc: 3")
    reload(live)
    until(lambda: len(heard) == 4)
    assert [(one.outcome, one.version) for one in heard] == [
        (Outcome.RELOADED, 1),
        (Outcome.RELOADED, 2),
        (Outcome.REJECTED, 2),
        (Outcome.RELOADED, 3),
    ]
    assert tuple(heard[1].diff.changed) == (("a",),)
    assert tuple(heard[1].diff.added) == (("c",),)
    assert tuple(heard[1].diff.removed) == (("b",),)
    assert heard[2].error is not None
    assert heard[2].digest == heard[1].digest
    assert heard[3].error is None


def test_a_listener_sees_the_new_version_serve(make: Make, text: Text) -> None:
    """It is called after the swap: what it reads through the engine is the new version."""
    live, seen = make(), list[tuple[int | None, int]]()
    live.subscribe(lambda event: seen.append((event.version, live.snapshot.version)))
    begin(live)
    text.write("a: 2")
    reload(live)
    until(lambda: len(seen) == 2)
    assert all(told is not None and told <= found for told, found in seen)
    assert seen[-1] == (2, 2)


def test_an_unsubscribed_listener_hears_no_more(make: Make, text: Text) -> None:
    """Unsubscribing works at once, twice, and for what was queued behind a slow call."""
    live, heard, gate = make(), list[int | None](), threading.Event()
    others: list[int | None] = []

    def slow(event: ReloadEvent) -> None:
        heard.append(event.version)
        gate.wait(30)

    unsubscribe = live.subscribe(slow)
    live.subscribe(lambda event: others.append(event.version))
    begin(live)
    until(lambda: heard == [1])
    text.write("a: 2")
    reload(live)
    until(lambda: others == [1, 2])
    unsubscribe()
    unsubscribe()
    gate.set()
    text.write("a: 3")
    reload(live)
    until(lambda: others == [1, 2, 3])
    assert heard == [1]


def test_one_function_subscribed_twice_is_two_listeners(make: Make, text: Text) -> None:
    """Each subscription is its own, and its unsubscription touches no other."""
    live, heard = make(), list[int | None]()

    def listen(event: ReloadEvent) -> None:
        heard.append(event.version)

    first = live.subscribe(listen)
    live.subscribe(listen)
    begin(live)
    until(lambda: heard == [1, 1])
    first()
    text.write("a: 2")
    reload(live)
    until(lambda: heard == [1, 1, 2])


def test_a_slow_listener_misses_the_oldest(
    make: Make, text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """What waits for a listener is bounded; the newest are kept, and the loss is logged."""
    live, heard, gate = make(), list[int | None](), threading.Event()

    def slow(event: ReloadEvent) -> None:
        heard.append(event.version)
        gate.wait(30)

    live.subscribe(slow)
    begin(live)
    until(lambda: heard == [1])
    for number in range(2, 112):
        text.write(f"a: {number}")
        reload(live)
    gate.set()
    until(lambda: heard[-1] == 111)
    assert len(heard) == 101
    assert [1, *range(12, 112)] == heard
    assert "a listener has not returned for 100 events" in caplog.text


def test_a_coroutine_function_runs_in_the_home_loop(make: Make, text: Text) -> None:
    """An async listener is awaited in the home loop, one event after the other."""
    live, heard = make(), list[tuple[int | None, object]]()

    async def listen(event: ReloadEvent) -> None:
        await asyncio.sleep(0)
        heard.append((event.version, asyncio.get_running_loop()))

    async def main() -> None:
        live.subscribe(listen)
        await live.astart()
        await live.acheck()
        text.write("a: 2")
        await live.acheck()
        await auntil(lambda: len(heard) == 2)
        loop = asyncio.get_running_loop()
        assert [(1, loop), (2, loop)] == heard
        await live.aclose()

    asyncio.run(main())


def test_an_async_listener_without_a_loop_is_logged(
    make: Make, caplog: pytest.LogCaptureFixture
) -> None:
    """Where there is no event loop, an async listener cannot be called; the log says so."""
    live = make()

    async def listen(event: ReloadEvent) -> None:
        raise AssertionError

    live.subscribe(listen)
    begin(live)
    until(lambda: "a listener is async and there is no event loop to run it in: " in caplog.text)


def test_a_listener_may_use_the_engine(make: Make, text: Text) -> None:
    """A listener may lease, check and unsubscribe from within its call."""
    live, seen = make(window=0), list[int]()

    def listen(event: ReloadEvent) -> None:
        with live.lease() as snapshot:
            seen.append(snapshot.version)
        live.check()
        unsubscribe()

    unsubscribe = live.subscribe(listen)
    begin(live)
    until(lambda: seen == [1])
    text.write("a: 2")
    Call(live.check).result()
    until(lambda: live.snapshot.version == 2)
    assert seen == [1]


def test_a_listener_is_told_after_a_restart(make: Make, text: Text) -> None:
    """Subscriptions are the engine's, not one run's: they outlive a close."""
    live, heard = make(), list[int | None]()
    live.subscribe(lambda event: heard.append(event.version))
    begin(live)
    live.close()
    begin(live)
    until(lambda: len(heard) == 2)
    assert heard == [1, 2]
