"""How foreign code is waited for where it ends as it seldom does: loops gone, units over."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

import asyncio
import contextvars
import logging
import sys
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from reloadcheck._config.veil import Veil
from reloadcheck._observe.listeners import Listeners
from reloadcheck._runtime import pause
from reloadcheck._runtime.deadline import Deadline
from reloadcheck._runtime.event_loops import other_library
from reloadcheck._runtime.jobs import Job
from reloadcheck._runtime.log import log
from reloadcheck._runtime.loop_task import LoopGoneError, LoopTask
from reloadcheck._snapshots.pair import Pair, begin_ticket, end_ticket
from reloadcheck._snapshots.unit import LIFE, READS, drop, hold, release
from reloadcheck.types import Board, Layer, Origin


async def _nothing() -> None:
    """Do nothing."""


def _ignore() -> None:
    """Say nothing."""


def test_a_task_of_a_loop_that_is_closed_is_cancelled_and_asked_in_vain() -> None:
    """Nothing can be awaited there any more, which is told to whoever asks."""
    loop = asyncio.new_event_loop()
    task = LoopTask(loop, "pool", _nothing, _ignore)
    loop.close()
    task.cancel()
    job = Job[None](_ignore)
    task.do(_nothing, job)
    assert isinstance(job.error, LoopGoneError)


def test_work_that_was_given_up_but_came_to_an_end_ends_its_task() -> None:
    """What it has opened is closed by the task itself; nobody else knows of it."""
    closed: list[str] = []

    async def leave() -> None:
        closed.append("closed")

    async def go() -> None:
        gone = asyncio.Event()
        task = LoopTask(asyncio.get_running_loop(), "pool", leave, gone.set)
        job = Job[None](_ignore)

        async def work() -> None:
            job.abandon()

        task.do(work, job)
        await asyncio.wait_for(gone.wait(), 60)
        later = Job[None](_ignore)
        task.do(_nothing, later)
        await asyncio.sleep(0)
        assert isinstance(later.error, LoopGoneError)
        task.cancel()
        await asyncio.sleep(0)

    asyncio.run(go())
    assert closed == ["closed"]


def test_a_task_that_has_not_begun_is_cancelled_without_harm() -> None:
    """There is nothing to cancel."""

    async def go() -> None:
        task = LoopTask(asyncio.get_running_loop(), "pool", _nothing, _ignore)
        task.cancel()
        await asyncio.sleep(0)
        assert task.error is None

    asyncio.run(go())


def test_work_in_a_loop_that_is_closed_over_it_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its coroutine is thrown away: whoever waits for it hears that its loop is gone."""
    loop = asyncio.new_event_loop()
    task = LoopTask(loop, "pool", _nothing, _ignore)
    job = Job[None](_ignore)

    async def for_ever() -> None:
        await asyncio.Event().wait()

    async def begin() -> Any:
        await task._queue.put((for_ever, job, False))
        turn = task._turn()
        turn.send(None)
        return turn

    turn = loop.run_until_complete(begin())
    loop.close()
    turn.close()
    assert isinstance(job.error, LoopGoneError)


def test_a_deadline_that_is_over_leaves_nothing() -> None:
    """It says so as a time-out does."""
    with pytest.raises(TimeoutError):
        Deadline(0.0).left()
    assert Deadline(60.0).left() > 0


def test_no_other_library_than_asyncio_is_known_outside_of_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Trio is named where the code runs under it."""
    trio: Any = ModuleType("trio")
    trio.lowlevel = SimpleNamespace(in_trio_run=lambda: False)
    monkeypatch.setitem(sys.modules, "trio", trio)
    assert other_library() is None
    trio.lowlevel.in_trio_run = lambda: True
    assert other_library() == "trio"


def test_under_gevent_a_nap_is_taken_once_it_has_worked_for_a_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its shortest sleep is a millisecond: one a portion would make parsing slow."""
    now, naps = [10.0], list[float]()

    def sleep(seconds: float) -> None:
        naps.append(seconds)

    sleep.__module__ = "gevent.hub"
    monkeypatch.setattr(pause, "time", SimpleNamespace(sleep=sleep, perf_counter=lambda: now[0]))
    nap = pause.Nap()
    nap()
    nap()
    assert len(naps) == 1
    now[0] += pause.TURN
    nap()
    assert len(naps) == 2


def test_a_handler_of_the_log_that_raises_ends_nothing() -> None:
    """Not even one that exits."""

    class Bad(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise SystemExit(3)

    logger, bad = logging.getLogger("reloadcheck"), Bad()
    logger.addHandler(bad)
    try:
        log(logging.ERROR, "said")
    finally:
        logger.removeHandler(bad)


def test_a_ticket_that_began_in_another_context_is_left_there() -> None:
    """As a generator's, which is closed elsewhere."""
    ticket: Any = SimpleNamespace()
    token = contextvars.copy_context().run(begin_ticket, ticket)
    end_ticket(token)
    own = begin_ticket(ticket)
    end_ticket(own)


class _Version:
    """A live snapshot of which a test says whether it can be entered."""

    before = SimpleNamespace(home=None)
    retired = False
    hold = "hold"

    def __init__(self, *, enters: bool = True) -> None:
        self.enters = enters
        self.held: list[str] = []

    def enter(self, lease: Any) -> bool:
        """Take a lease, if it goes on."""
        return self.enters

    def join(self, lease: Any) -> None:
        """Take one more."""
        self.held.append("joined")

    def leave(self, key: object) -> None:
        """Return one back."""
        self.held.append("left")


class _Units:
    """Who hears of each unit; all are drawn to the candidate."""

    def draw(self, scope: Any) -> Any:
        """Draw one."""
        return SimpleNamespace(on_candidate=True, ended=_ignore)


@pytest.mark.parametrize("enters", [True, False])
def test_a_unit_that_is_drawn_as_the_trial_ends_stays_where_it_is(enters: bool) -> None:
    """On the version that it holds already, and is counted there."""
    current: Any = _Version()
    candidate: Any = _Version(enters=enters)
    units: Any = _Units()
    pair = Pair[Any](current, candidate, units)
    lease: Any = SimpleNamespace(key="k")
    chosen, ticket = pair.drawn(lease, current, {})
    assert (chosen is candidate, ticket.on_candidate) == (enters, enters)
    assert current.held == (["left"] if enters else ["joined"])
    empty = Pair[Any](None, None, units)
    assert empty.admit({}) is None


class _Life:
    """What a unit lasts by that keeps no reads of its own; ends it while somebody reads."""

    reads = None
    lasts = True
    wake = None
    released = None


class _Ending(list[Any]):
    """A unit that another thread ends in the middle of an append."""

    def append(self, value: Any) -> None:
        """Append, and be ended."""
        super().append(value)
        self[LIFE] = False


def test_a_unit_that_ends_while_it_reads_holds_nothing() -> None:
    """It does not clear what it holds a second time: whoever reads does."""
    unit = _Ending(["snapshot", _Life(), None, None])
    assert hold(unit, "pool") is False
    assert unit[READS:] == []
    assert hold(unit, "pool") is False
    lasting: list[Any] = ["snapshot", _Life(), None, None]
    assert [hold(lasting, "pool"), hold(lasting, "pool")] == [True, True]
    assert lasting[READS:] == ["pool"]
    drop(lasting, "pool")
    drop(unit, "pool")
    assert lasting[READS:] == []


class _Ended(list[Any]):
    """A unit that another thread ends, and clears, in the middle of a release."""

    def append(self, value: Any) -> None:
        """Append, and be ended and cleared."""
        super().append(value)
        del self[READS:]


def test_a_unit_that_ends_while_it_is_released_stays_ended() -> None:
    """Its own mark is gone: it is not to live on as one that was released."""
    unit = _Ended(["snapshot", _Life(), None, True, "pool"])
    release(unit)
    assert unit[LIFE] is False
    over = _Ending(["snapshot", _Life(), None, True, "pool"])
    release(over)
    assert (over[LIFE], over[READS:]) == (False, [])


def test_listeners_are_free_again_in_a_forked_child() -> None:
    """What its parent had still to tell is not told twice."""
    listeners = Listeners()
    listeners.add(lambda event: None)
    (one,) = listeners._subscriptions
    event: Any = object()
    one.queue.append(event)
    one.busy = True
    listeners.forget_parent()
    assert (list(one.queue), one.busy) == ([], False)


def test_what_is_shown_in_a_debugger_quotes_no_value() -> None:
    """A board and a layer show how much they hold."""
    assert repr(Board(7, {})) == "Board(0 records, revision 7)"
    assert repr(Layer({"a": "canary"}, lambda _: Origin("x"))) == "Layer(1 keys)"
    veil = Veil()
    veil.learn({"password": b"canary-bytes-9d1c"})
    assert "canary" not in veil.text("it was canary-bytes-9d1c")
