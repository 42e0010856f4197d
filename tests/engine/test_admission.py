"""Who waits: within a window nobody, up to two windows nobody, after more than two one check."""

import asyncio
import threading
from typing import Any

import pytest

from reloadcheck import ConfigSyntaxError, Outcome, Problem, ReloadCheck, SourceError
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, asked_again, begin, until
from tests.support.ways import Serve, through_asgi, through_lease, through_wsgi


def test_within_the_window_nobody_asks(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """A check's result is fresh for a window: no unit of work in it causes a look at the source."""
    text.write("a: 2")
    checks = ready.status().checks
    clock.advance(0.999)
    assert {serve(ready) for _ in range(50)} == {1}
    assert ready.check() is Outcome.RELOADED
    assert ready.check() is Outcome.UNCHANGED
    assert checks + 2 <= ready.status().checks <= checks + 3  # these two, and one after the reload


def test_in_the_second_window_nobody_waits_and_one_check_runs(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """After one window and before two, all go on with what serves while a single check runs."""
    text.write("a: 2")
    looks = text.stamped
    text.gate.clear()
    clock.advance(1.5)
    asked_again(ready)
    assert {serve(ready) for _ in range(50)} == {1}
    assert text.waiting.wait(30)
    clock.advance(1.0)
    assert {serve(ready) for _ in range(50)} == {1}
    assert text.stamped == looks + 1
    text.gate.set()
    until(lambda: ready.snapshot.version == 2)
    assert serve(ready) == 2


def test_at_exactly_two_windows_nobody_waits(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """The second window belongs to those who do not wait, its end included."""
    text.gate.clear()
    clock.advance(2.0)
    asked_again(ready)
    assert Call(lambda: serve(ready)).result() == 1


def test_after_two_windows_the_first_sees_the_edit(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """After a pause of more than two windows the first unit of work already sees the edit."""
    text.write("a: 2")
    clock.advance(2.001)
    asked_again(ready)
    assert serve(ready) == 2


def test_after_two_windows_somebody_waits_for_the_check(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """An idle application's first unit of work is not served before its check has concluded."""
    text.write("a: 2")
    text.gate.clear()
    clock.advance(2.5)
    asked_again(ready)
    first = Call(lambda: serve(ready))
    assert text.waiting.wait(30)
    second = Call(lambda: serve(ready))
    assert first.waits
    assert second.waits
    text.gate.set()
    assert (first.result(), second.result()) == (2, 2)


def test_a_file_that_is_back_is_waited_for(make: Make, clock: FakeClock, text: Text) -> None:
    """However long a file was away, the first after a pause sees the one that is there again."""
    live = make(window=1.0, patience=2.0, settle=0.25)
    Call(live.start).result(clock)
    Call(live.check).result(clock)
    text.fault = SourceError(Problem("does not exist", "app.yaml"))
    for _ in range(4):
        Call(live.check).result(clock)
        clock.advance(1.5)
    assert live.status().outcome is Outcome.DEFERRED
    text.fault = None
    text.write("a: 2")
    clock.advance(10.0)
    asked_again(live)
    assert Call(lambda: through_lease(live)).result(clock) == 2


@pytest.mark.parametrize("pause", [1.5, 2.5, 1000.0])
def test_five_hundred_threads_at_the_edge_cause_one_check(
    ready: "ReloadCheck[Any]", clock: FakeClock, serve: Serve, pause: float
) -> None:
    """There is a single flight: 500 units of work at the edge of a window cause one check."""
    checks = ready.status().checks
    clock.advance(pause)
    asked_again(ready)
    barrier = threading.Barrier(500)

    def one() -> int:
        barrier.wait(30)
        return serve(ready)

    calls = [Call(one) for _ in range(500)]
    assert {call.result() for call in calls} == {1}
    until(lambda: ready.status().checks > checks)
    ready.check()
    assert checks + 2 == ready.status().checks  # theirs, and the one just asked for


@pytest.mark.parametrize("pause", [1.5, 2.5])
def test_five_hundred_tasks_at_the_edge_cause_one_check(
    make: Make, clock: FakeClock, pause: float
) -> None:
    """There is a single flight for tasks of an event loop too, and all of them are served."""
    live = make(window=1.0)

    async def main() -> None:
        await live.astart()
        await through_asgi(live)
        await live.acheck()
        checks = live.status().checks
        clock.advance(pause)
        asked_again(live)
        seen = await asyncio.gather(*(through_asgi(live) for _ in range(500)))
        assert set(seen) == {1}
        while live.status().checks == checks:
            await asyncio.sleep(0.001)
        await live.acheck()
        assert checks + 2 == live.status().checks
        await live.aclose()

    asyncio.run(main())


def test_window_zero_waits_for_a_check_begun_afterwards(
    make: Make, text: Text, serve: Serve
) -> None:
    """With `window=0` a unit of work sees every edit made before it came."""
    live = make(window=0)
    live.start()
    assert serve(live) == 1
    text.gate.clear()
    first = Call(lambda: serve(live))
    assert text.waiting.wait(30)  # its check has seen the source by now
    text.write("a: 2")
    second = Call(lambda: serve(live))
    second.join(0.05)
    assert second.waits
    text.gate.set()
    assert second.result() == 2
    assert first.result() in (1, 2)


def test_window_zero_checks_for_each(make: Make, text: Text, serve: Serve) -> None:
    """With `window=0` no unit of work is served on another one's check."""
    live = make(window=0)
    live.start()
    serve(live)
    live.check()
    looks = text.stamped
    assert [serve(live) for _ in range(5)] == [1] * 5
    assert text.stamped == looks + 5


def test_an_unsettled_file_is_looked_at_without_a_request(clock: FakeClock, make: Make) -> None:
    """One request that sees an unfinished edit is enough: the engine looks again by itself."""
    text = Text("a: 1", clock)
    live = make(text, window=1.0, settle=0.25)
    Call(live.start).result(clock)
    text.write("a: 2")
    clock.advance(1.5)
    assert through_lease(live) == 1
    until(lambda: live.snapshot.version == 2, clock)


def test_a_finished_edit_is_live_in_window_plus_settle(clock: FakeClock, make: Make) -> None:
    """On a busy application an edit is live after `window + settle` at the latest."""
    text = Text("a: 1", clock)
    live = make(text, window=1.0, settle=0.25)
    Call(live.start).result(clock)
    through_wsgi(live)
    clock.advance(30.0)
    live.check()
    text.write("a: 2")
    edited = clock.monotonic()
    while through_wsgi(live) == 1:
        checks = live.status().checks
        clock.advance(0.05)
        live.status()
        if live.status().checks == checks:
            threading.Event().wait(0.005)
        assert clock.monotonic() - edited < 1.5


def test_who_comes_while_it_settles_waits_with_the_others(
    make: Make, clock: FakeClock, serve: Serve
) -> None:
    """Fifty more units of work during the settling of one wait with it and cause no check."""
    text = Text("a: 1", clock)
    live = make(text, window=1.0, settle=0.25, patience=50.0)
    Call(live.start).result(clock)
    serve(live)
    assert Call(live.check).result(clock) is Outcome.UNCHANGED
    clock.advance(30.0)
    asked_again(live)
    text.write("a: 2")
    checks = live.status().checks
    first = Call(lambda: serve(live))
    until(lambda: live.status().checks == checks + 1 and live.status().outcome is Outcome.DEFERRED)
    others = [Call(lambda: serve(live)) for _ in range(50)]
    thread = engine_of(live).thread
    assert thread is not None
    until(lambda: len(thread.admission.waiters) == 51)
    assert {call.result(clock) for call in [first, *others]} == {2}
    assert Call(live.check).result(clock) is Outcome.UNCHANGED
    assert live.status().checks <= checks + 4  # unsettled, good, the look after it, the last


def test_switched_off_nothing_is_looked_at_again(make: Make, text: Text, clock: FakeClock) -> None:
    """Off means off: loaded once, never looked at again, whatever is asked and however long."""
    live = make(enabled=False)
    begin(live)
    through_wsgi(live)  # the first request has the engine note, once, that it serves some
    assert live.check() is Outcome.UNCHANGED
    looks = text.stamped
    text.write("a: 2")
    for _ in range(5):
        clock.advance(100.0)
        checks = live.status().checks
        assert through_wsgi(live) == through_lease(live) == 1
        assert checks == live.status().checks
        assert live.check() is Outcome.UNCHANGED
    assert text.stamped == looks


def test_with_nothing_to_serve_a_bad_file_is_looked_at_once_a_window(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """Requests that fail for want of a configuration do not each read the disk."""
    text.write("a: [")
    live = make(window=1.0)
    for _ in range(20):
        with pytest.raises(ConfigSyntaxError):
            through_lease(live)
    assert live.status().checks == 1
    clock.advance(1.1)
    text.write("a: 1")
    assert through_lease(live) == 1


def test_a_waiter_whose_loop_is_gone_stops_nobody(
    make: Make, text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """An event loop that closes while one waits in it disturbs neither engine nor others."""
    live = make()
    text.gate.clear()

    async def main() -> None:
        waiting = asyncio.create_task(live.astart())
        while not text.waiting.is_set():
            await asyncio.sleep(0.001)
        waiting.cancel()

    asyncio.run(main())
    starting = Call(live.start)
    text.gate.set()
    starting.result()
    assert live.status().state == "serving"
    assert "failed inside" not in caplog.text
