"""Closing one after the other, to the moment; and when the engine looks at a drain again."""

from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._resources.inventory import Inventory
from reloadcheck._runtime.jobs import Job, NoThreadError
from reloadcheck._snapshots import drain as draining
from reloadcheck._snapshots.closing import NO_THREAD_PAUSE, SLOW_CLOSE, Closing
from reloadcheck._snapshots.drain import LONGEST_PAUSE, SHORTEST_PAUSE
from reloadcheck.testing import FakeClock, MemorySource
from tests.snapshots.test_unit_races import Rig
from tests.support.rig import same


class Part:
    """An instance whose close ends when the test says so."""

    def __init__(self, name: str) -> None:
        live: ReloadCheck[Any] = ReloadCheck(MemorySource("a: 1"))
        self.resource = live.resource("a", name=name, timeout=10.0)(same)
        self.needs: tuple[object, ...] = ()
        self.closed = self.cancelled = False
        self.value: object = None
        self.parts: tuple[object, ...] = ()
        self.job = Job[None](lambda: None)
        self.is_homeless = False

    def close(self, on_done: object) -> Job[None]:
        """Return the job."""
        return self.job

    def cancel(self) -> None:
        """Take note that it was given up."""
        self.cancelled = True


class Yard:
    """A closing of two parts."""

    def __init__(self) -> None:
        self.inventory = Inventory()
        self.closing = Closing(self.inventory, lambda: None)
        self.parts: list[Any] = [Part("one"), Part("two")]
        self.inventory.instances.extend(self.parts)

    @property
    def left(self) -> list[str]:
        """Return the names of what is not closed."""
        return [one.resource.name for one in self.inventory.instances]


@pytest.fixture
def yard() -> Yard:
    """Two parts to close."""
    return Yard()


@pytest.mark.parametrize(("hurried", "slow"), [(False, 1.0), (True, 0.02)])
def test_the_next_close_waits_for_the_one_before_until_it_is_slow(
    yard: Yard, hurried: bool, slow: float
) -> None:
    """Exactly that long, and shorter once all closers share what time is left."""
    one, _ = yard.parts
    assert yard.closing.may_start(5.0)
    yard.closing.start(one, 5.0, hurried=hurried)
    assert (yard.closing.busy, yard.closing.may_start(5.0 + slow / 2)) == (True, False)
    assert sorted(yard.closing.times(5.0)) == [5.0 + slow, 15.0]
    assert yard.closing.may_start(5.0 + slow)
    assert yard.closing.times(5.0 + slow) == [15.0]


def test_a_close_that_its_loop_took_along_is_over(
    yard: Yard, caplog: pytest.LogCaptureFixture
) -> None:
    """A loop that is closed before it came to it has nothing left open, and nobody waits."""
    one, _ = yard.parts
    yard.closing.start(one, 5.0, hurried=False)
    one.is_homeless = True
    yard.closing.note(5.0 + SLOW_CLOSE)
    assert (yard.closing.busy, yard.left, yard.closing.closed) == (False, ["two"], 1)
    assert (one.cancelled, caplog.text) == (False, "")


def test_the_next_close_waits_for_every_one_before(yard: Yard) -> None:
    """For the latest as for the first, which is slow by then."""
    one, two = yard.parts
    yard.closing.start(one, 5.0, hurried=False)
    yard.closing.start(two, 5.0 + SLOW_CLOSE, hurried=False)
    assert not yard.closing.may_start(5.0 + 1.5 * SLOW_CLOSE)
    assert yard.closing.may_start(5.0 + 2 * SLOW_CLOSE)


def test_a_close_that_ends_makes_way_at_once(yard: Yard) -> None:
    """It is struck from the inventory and counted, once."""
    one, _ = yard.parts
    yard.closing.start(one, 5.0, hurried=False)
    yard.closing.note(5.1)
    assert yard.left == ["one", "two"]
    one.job.finish(None)
    yard.closing.note(5.2)
    assert (yard.left, yard.closing.busy, yard.closing.may_start(5.2)) == (["two"], False, True)
    assert (yard.closing.closed, yard.closing.closes) == (1, {"one": 1})
    assert yard.closing.times(5.2) == []


def test_a_close_is_given_up_at_its_time_out(yard: Yard) -> None:
    """Not a moment earlier; it counts as closed, and its name as stuck."""
    one, _ = yard.parts
    yard.closing.start(one, 5.0, hurried=False)
    yard.closing.note(14.99)
    assert (one.cancelled, yard.closing.busy) == (False, True)
    yard.closing.note(15.0)
    assert (one.cancelled, yard.closing.busy, yard.left) == (True, False, ["two"])


def test_a_close_without_a_thread_is_tried_again(yard: Yard) -> None:
    """After a pause, and not at the very end."""
    one, two = yard.parts
    one.closed = True
    one.job.fail(NoThreadError())
    yard.closing.start(one, 5.0, hurried=False)
    assert (one.closed, yard.closing.busy, yard.left) == (False, False, ["one", "two"])
    assert yard.closing.times(5.0) == [5.0 + NO_THREAD_PAUSE]
    assert not yard.closing.may_start(5.0 + NO_THREAD_PAUSE / 2)
    assert yard.closing.may_start(5.0 + NO_THREAD_PAUSE)
    assert yard.closing.times(5.0 + NO_THREAD_PAUSE) == []
    two.job.fail(NoThreadError())
    yard.closing.start(two, 7.0, hurried=True)
    assert yard.left == ["one"]


def test_a_close_is_put_off_with_everything_else(yard: Yard) -> None:
    """By the time that nobody had."""
    one, _ = yard.parts
    yard.closing.start(one, 5.0, hurried=False)
    yard.closing.put_off(100.0)
    assert sorted(yard.closing.times(5.0)) == [105.0 + SLOW_CLOSE, 115.0]


@pytest.mark.parametrize(
    ("seconds", "pause"),
    [(0.0, SHORTEST_PAUSE), (0.2, 0.05), (2.0, 0.5), (4.0, LONGEST_PAUSE), (20.0, LONGEST_PAUSE)],
)
def test_a_drain_costs_a_look_now_and_then(clock: FakeClock, seconds: float, pause: float) -> None:
    """While what was replaced is used the engine thread sleeps, ever longer, up to a second."""
    rig = Rig(clock)
    unit = rig.fast()
    unit.append(rig.instance.hold)
    rig.serving.end()
    rig.drain.step()
    clock.advance(seconds)
    assert rig.drain.step() == pytest.approx(clock.monotonic() + pause)
    assert rig.closed == []


def test_a_drain_looks_at_the_very_moment_of_a_deadline(clock: FakeClock) -> None:
    """At the end of what is kept for late readers where room is made, and at the deadline."""
    rig = Rig(clock)
    unit = rig.fast()
    retired_at = clock.monotonic()
    rig.serving.end()
    rig.drain.make_room(rig.pool, 5.0)
    clock.advance(4.9)
    assert rig.drain.step() == pytest.approx(retired_at + 5.0)
    unit.append(rig.instance.hold)
    clock.advance(25.0)
    assert rig.drain.step() == pytest.approx(retired_at + 30.0)
    clock.advance(0.09)
    rig.drain.step()
    assert not rig.instance.closed
    clock.advance(0.01 + 1e-9)
    rig.drain.step()
    assert (rig.instance.closed, rig.instance.forced, rig.drain.forced) == (True, True, {"pool": 1})


def test_room_is_made_no_sooner_than_asked(clock: FakeClock) -> None:
    """What an edit needs the place of is kept for late readers that long, and no longer."""
    rig = Rig(clock)
    unit = rig.fast()
    retired_at = clock.monotonic()
    rig.serving.end()
    assert rig.drain.make_room(rig.pool, 1.0) == pytest.approx(retired_at + 1.0)
    clock.advance(0.99)
    rig.drain.step()
    assert not rig.instance.closed
    clock.advance(0.01 + 1e-9)
    rig.drain.step()
    assert (rig.instance.closed, rig.instance.forced) == (True, False)
    assert unit is not None


def test_no_room_is_made_where_somebody_reads(clock: FakeClock) -> None:
    """What is used closes at its deadline, whatever waits for it."""
    rig = Rig(clock)
    unit = rig.fast()
    unit.append(rig.instance.hold)
    rig.serving.end()
    assert rig.drain.make_room(rig.pool, 1.0) is None
    clock.advance(2.0)
    rig.drain.step()
    assert not rig.instance.closed


def test_time_lost_is_told_from_a_long_sleep(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Only what exceeds the sleep that was asked for, and by more than a second, was lost."""
    rig = Rig(clock)
    real = [0.0]
    monkeypatch.setattr(rig.drain, "_real", lambda: real[0])
    unit = rig.fast()
    unit.append(rig.instance.hold)
    rig.serving.end()
    retired_at = clock.monotonic()
    asked = rig.drain.step()
    assert asked is not None
    sleep = asked - clock.monotonic()
    real[0] += sleep + draining.FROZEN - 0.01
    rig.drain.step()
    assert rig.instance.retired_at == retired_at
    put_off: list[float] = []
    monkeypatch.setattr(rig.drain.closing, "put_off", put_off.append)
    real[0] += sleep + draining.FROZEN
    rig.drain.step()
    assert put_off == [pytest.approx(draining.FROZEN)]
    assert rig.instance.retired_at == pytest.approx(retired_at + draining.FROZEN)
    assert rig.live_snapshot.retired_at == pytest.approx(retired_at + draining.FROZEN)


def test_late_readers_are_waited_for_no_longer_than_users(clock: FakeClock) -> None:
    """Where the drain is the shorter time, it bounds both."""
    rig = Rig(clock)
    unit = rig.fast()
    rig.drain.hurry(clock.monotonic() + 2.0)
    rig.serving.end()
    clock.advance(1.99)
    rig.drain.step()
    assert not rig.instance.closed
    clock.advance(0.01 + 1e-9)
    rig.drain.step()
    assert (rig.instance.closed, rig.instance.forced) == (True, False)
    assert unit is not None


@pytest.mark.parametrize(("seconds", "hurried"), [(1.5, False), (2.0, True), (2.5, True)])
def test_closers_share_what_is_left_from_the_very_moment_on(
    clock: FakeClock, monkeypatch: pytest.MonkeyPatch, seconds: float, hurried: bool
) -> None:
    """A closer waits for the one before it up to the deadline of all, and no more at it."""
    rig = Rig(clock)
    begun: list[bool] = []

    def start(_: object, at: float, *, hurried: bool) -> None:
        del at
        begun.append(hurried)

    def may_start(_: float) -> bool:
        return not begun

    monkeypatch.setattr(rig.drain.closing, "start", start)
    monkeypatch.setattr(rig.drain.closing, "may_start", may_start)
    rig.drain.hurry(clock.monotonic() + 2.0)
    rig.serving.end()
    clock.advance(seconds)
    rig.drain.step()
    assert begun == [hurried]
