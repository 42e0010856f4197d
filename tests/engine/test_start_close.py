"""Starts and closes: nested, idempotent, again, at once after one another; threads gone after.

Long because starts and closes come in every order, sync and async.
"""

import asyncio
import signal
import threading

import pytest

from reloadcheck import ConfigError, ConfigSyntaxError, NoSnapshotError, Outcome
from reloadcheck._engine.admission import Admission
from reloadcheck._engine.api import engine_of
from reloadcheck._engine.options import Options
from reloadcheck._engine.waiter import Conclusion, Waiter
from reloadcheck._snapshots.cell import Cell
from reloadcheck._snapshots.serving import Serving
from reloadcheck.testing import FakeClock, RecordingFactory, assert_all_closed
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload, threads_named, until


def test_starts_and_closes_nest(make: Make) -> None:
    """An engine that several apps started closes with the last of them."""
    live = make()
    for _ in range(3):
        live.start()
    live.close()
    live.close()
    assert live.status().state == "serving"
    live.close()
    assert live.status().state == "closed"
    live.close()
    with pytest.raises(NoSnapshotError):
        _ = live.snapshot


def test_async_and_sync_starts_count_alike(make: Make) -> None:
    """`astart` and `start`, `aclose` and `close` undo each other."""
    live = make()

    async def main() -> None:
        await live.astart()
        await live.astart()
        await live.aclose()
        assert live.status().state == "serving"

    asyncio.run(main())
    live.start()
    live.close()
    assert live.status().state == "serving"
    live.close()
    assert live.status().state == "closed"


def test_closing_what_never_ran_does_nothing(make: Make) -> None:
    """Closing an engine that was not started starts no thread."""
    live = make()
    live.close()
    asyncio.run(live.aclose())
    assert live.status().state == "idle"


def test_a_close_after_one_too_many_does_not_count(make: Make) -> None:
    """Extra closes do not make up for later starts."""
    live = make()
    live.start()
    for _ in range(3):
        live.close()
    live.start()
    live.start()
    live.close()
    assert live.status().state == "serving"


@pytest.mark.parametrize("times", [60])
def test_start_and_close_without_resources(make: Make, times: int) -> None:
    """Closing with nothing to drain ends at once, every time."""
    live = make()
    for _ in range(times):
        Call(live.start).result()
        Call(live.close).result()
    assert live.status().state == "closed"


def test_aclose_always_returns(make: Make) -> None:
    """`aclose()` is answered however its timing falls."""

    async def main() -> None:
        for _ in range(60):
            live = make()
            await live.astart()
            await asyncio.wait_for(live.aclose(), 30)

    asyncio.run(main())


def test_a_restart_serves_and_versions_go_on(make: Make, text: Text) -> None:
    """After a close the engine can be started again: fresh resources, versions counting up."""
    live, pools = make(), RecordingFactory("pool")
    pool = live.resource("a")(pools)
    begin(live)
    live.close()
    assert_all_closed(live)
    text.write("a: 2")
    begin(live)
    assert live.snapshot[pool].arguments == (2,)
    assert live.snapshot.version == 2
    live.close()
    assert_all_closed(live)
    assert pools.log == ["+pool1", "-pool1", "+pool2", "-pool2"]


def test_a_start_right_after_a_close_serves(make: Make, text: Text) -> None:
    """A start that comes while the last close still drains gets an engine that stays."""
    live = make(drain=1000.0)
    begin(live)
    lease = live.lease()
    Call(lease.__enter__).result()
    closing = Call(live.close)
    until(lambda: live.status().state == "closing")
    Call(live.start).result()
    assert live.status().state == "serving"
    text.write("a: 2")
    assert live.check() in (Outcome.RELOADED, Outcome.UNCHANGED)
    assert live.snapshot.config["a"] == 2
    lease.__exit__(None, None, None)
    closing.result()
    assert live.status().state == "serving"
    assert live.snapshot.config["a"] == 2
    live.close()


def test_concurrent_starts_are_one(make: Make) -> None:
    """Fifty threads that start at once load once, and each start counts."""
    before = threading.enumerate()
    live, built = make(), list[int]()
    live.resource("a", name="x")(built.append)
    barrier = threading.Barrier(50)

    def start() -> None:
        barrier.wait(30)
        live.start()

    for call in [Call(start) for _ in range(50)]:
        call.result()
    assert built == [1]
    assert len(threads_named("engine", beside=before)) == 1
    for _ in range(49):
        live.close()
    assert live.status().state == "serving"
    live.close()
    assert live.status().state == "closed"


def test_threads_are_daemons_and_gone_after_the_close(make: Make, text: Text) -> None:
    """All threads are daemons with a name of ours, and none is left after the close."""
    before = set(threading.enumerate())
    live = make()
    begin(live)
    mine = set(threading.enumerate()) - before
    assert {thread.name for thread in mine} == {"reloadcheck-engine", "reloadcheck-reader"}
    assert all(thread.daemon for thread in mine)
    live.close()
    assert [thread for thread in mine if thread.is_alive()] == []


def test_a_failed_start_raises_and_a_later_one_works(make: Make, text: Text) -> None:
    """A bad configuration fails the start and leaves no thread; mended, the next one serves."""
    text.write("a: [")
    before = threading.enumerate()
    live = make()
    for _ in range(2):
        with pytest.raises(ConfigSyntaxError, match=r"app\.yaml:1:"):
            live.start()
        assert live.status().version is None
        until(lambda: threads_named("engine", "reader", beside=before) == [])
    text.write("a: 1")
    live.start()
    assert live.status().state == "serving"
    live.close()
    assert live.status().state == "closed"


def test_a_failed_start_does_not_count(make: Make, text: Text) -> None:
    """Only starts that succeeded are undone by a close."""
    text.write("a: [")
    live = make()
    with pytest.raises(ConfigSyntaxError):
        live.start()
    text.write("a: 1")
    live.start()
    live.close()
    assert live.status().state == "closed"


def test_closing_answers_who_waits(make: Make, text: Text) -> None:
    """Whoever waits for a check when the engine closes is let go, with an error or what serves."""
    live = make()
    begin(live)
    text.gate.clear()
    waiting = [Call(live.check) for _ in range(5)]
    assert text.waiting.wait(30)
    Call(live.close).result()
    assert {call.result() for call in waiting} == {Outcome.DEFERRED}
    text.gate.set()


def test_no_signal_handler_is_installed(make: Make) -> None:
    """Signals stay the application's and the server's."""
    before = [signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)]
    live = make()
    begin(live)
    assert before == [
        signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
    ]


def test_an_engine_that_is_dropped_can_be_collected(make: Make) -> None:
    """A closed engine is kept alive by nothing of this package."""
    import gc
    import weakref

    from reloadcheck import ReloadCheck

    live = ReloadCheck(Text("a: 1"), environ={})
    live.start()
    live.close()
    gone = weakref.ref(live)
    del live
    gc.collect()
    assert gone() is None


def test_memory_of_old_versions_is_freed(make: Make, text: Text) -> None:
    """An old snapshot is freed once nobody holds it: nothing inside keeps it."""
    import gc
    import weakref

    live = make()

    @live.resource("a")
    def thing(a: int) -> object:
        return object()

    begin(live)
    old = weakref.ref(live.snapshot)
    for number in range(2, 5):
        text.write(f"a: {number}")
        reload(live)
    until(lambda: (gc.collect(), old() is None)[1])


@pytest.mark.parametrize(
    ("thread", "error", "words"),
    [
        ("reloadcheck-engine", RuntimeError, "can't start new thread"),
        ("reloadcheck-reader", ConfigError, "can't start new thread|RuntimeError"),
    ],
    ids=["engine", "reader"],
)
def test_a_thread_that_cannot_start_is_tried_again(
    make: Make,
    monkeypatch: pytest.MonkeyPatch,
    thread: str,
    error: type[Exception],
    words: str,
) -> None:
    """Where the system gives no thread, the call fails; it does not hang, and a later one works."""
    live, real = make(), threading.Thread.start

    def start(self: threading.Thread) -> None:
        if self.name == thread:
            raise RuntimeError("can't start new thread")
        real(self)

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        for _ in range(2):
            with pytest.raises(error, match=words):
                Call(live.start).result()
    Call(live.start).result()
    assert live.status().state == "serving"


def test_a_closed_desk_says_that_it_is_closed(clock: FakeClock) -> None:
    """Who asks an engine that has just closed hears that, and not what its last check came to."""
    serving: Serving[object] = Serving(clock, Cell())
    admission = Admission(serving, clock, Options(), needs_loop=False)
    admission.begin()
    admission.conclude(Conclusion(Outcome.UNCHANGED), tired=False)
    closed = Conclusion(Outcome.DEFERRED, NoSnapshotError("closed"))
    admission.close(closed)
    answer = admission.admit(arm=False)
    assert isinstance(answer, Waiter)
    assert answer.wait() is closed
    assert admission.ask().wait() is closed


def test_a_stop_is_seen_at_once(make: Make) -> None:
    """A start right behind a close, with no time between them, never gets the dying engine."""
    live = make()
    begin(live)
    for _ in range(20):
        dying = engine_of(live).stop()
        live.start()
        assert dying is not None
        dying.join()
        assert live.status().state == "serving"
        assert live.snapshot.config["a"] == 1
