"""A thread of ours that ends by itself is noticed, replaced with what it had, and told."""

from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import RecordingFactory
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, until
from tests.support.ways import through_lease, through_wsgi

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")


def kill_engine(live: "ReloadCheck[Any]", monkeypatch: pytest.MonkeyPatch) -> None:
    """Have the engine thread end by what no loop survives, and see it gone."""
    thread = engine_of(live).thread
    assert thread is not None

    def dies(error: BaseException) -> None:
        raise SystemExit

    def fails(*_: object, **__: object) -> None:
        raise MemoryError

    runner = thread.threads[0]
    with monkeypatch.context() as patched:
        patched.setattr(thread, "_survive", dies)
        patched.setattr(thread.scheduler, "step", fails)
        patched.setattr(thread, "_conclude", fails)
        thread.admission.post(lambda: None)
        runner.join(30)
    assert not runner.is_alive()


@pytest.mark.parametrize("notices", ["lease", "check", "status", "request"])
def test_a_dead_engine_thread_is_replaced(
    make: Make, text: Text, monkeypatch: pytest.MonkeyPatch, notices: str, clock: Any
) -> None:
    """Whoever asks next has another one started, which goes on with what serves."""
    live, pools = make(), RecordingFactory("pool")
    pool = live.resource("a")(pools)
    begin(live)
    through_wsgi(live)
    assert live.check() is Outcome.UNCHANGED
    kill_engine(live, monkeypatch)
    clock.advance(10.0)
    text.write("a: 2")
    if notices == "lease":
        Call(lambda: through_lease(live)).result(clock)
    elif notices == "request":
        Call(lambda: through_wsgi(live)).result(clock)
    elif notices == "check":
        Call(live.check).result(clock)
    else:
        live.status()
    until(lambda: live.snapshot.version == 2, clock)
    assert live.snapshot[pool].arguments == (2,)
    assert "the engine thread ended by itself and was replaced (so far: 1)" in live.status().remarks


def test_who_waits_when_the_engine_thread_dies_is_answered(
    make: Make, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A check that was under way is made again by the next thread, and its waiters hear of it."""
    live = make()
    begin(live)
    text.gate.clear()
    waiting = Call(live.check)
    assert text.waiting.wait(30)
    kill_engine(live, monkeypatch)
    text.gate.set()
    text.write("a: 2")
    assert live.status().state == "serving"  # which notices
    assert waiting.result() is Outcome.RELOADED
    assert live.snapshot.version == 2


def test_a_close_after_the_engine_thread_has_died_closes(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the dead thread had is closed all the same."""
    live, pools = make(), RecordingFactory("pool")
    live.resource("a")(pools)
    begin(live)
    kill_engine(live, monkeypatch)
    Call(live.close).result()
    assert live.status().state == "closed"
    assert pools.log == ["+pool1", "-pool1"]


def test_where_no_thread_is_to_be_had_the_status_says_so(
    make: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looking at the status raises nothing and says that nobody looks after the configuration."""
    import threading

    def start(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    live = make()
    begin(live)
    kill_engine(live, monkeypatch)
    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", start)
        (remark,) = live.status().remarks
    assert remark == "the engine thread has ended by itself and cannot be replaced at present"


def test_a_mistake_of_ours_without_memory_to_tell_it(
    make: Make, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The loop survives its own error path, and makes the check again that was lost."""
    from reloadcheck._engine import thread as module

    live = make()
    begin(live)
    thread = engine_of(live).thread
    assert thread is not None
    fails = iter([MemoryError(), MemoryError()])

    def fail(*given: Any, **more: Any) -> Any:
        for error in fails:
            raise error
        return real(*given, **more)

    def no_memory(error: BaseException) -> None:
        raise MemoryError

    real = thread.admission.conclude
    monkeypatch.setattr(thread.admission, "conclude", fail)
    monkeypatch.setattr(module, "report_failure_inside", no_memory)
    text.write("a: 2")
    assert Call(live.check).result() in (Outcome.RELOADED, Outcome.UNCHANGED)
    assert live.snapshot.version == 2
    assert thread.mishaps == ()
