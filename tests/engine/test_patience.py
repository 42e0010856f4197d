"""How long a unit of work waits at most, and what makes nobody wait."""

import threading
from typing import Any

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, asked_again, begin, check_once, until
from tests.support.ways import Serve, through_lease


def test_patience_bounds_the_wait(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """A unit of work waits at most `patience` and is then served what is current."""
    text.write("a: 2")
    text.gate.clear()
    clock.advance(3.0)
    asked_again(ready)
    waiting = Call(lambda: serve(ready))
    assert text.waiting.wait(30)
    clock.advance(4.9)
    waiting.join(0.1)
    assert waiting.waits
    clock.advance(0.2)
    assert waiting.result() == 1


def test_who_waits_has_its_own_patience(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """The wait is counted from the unit of work's own coming, whenever the build began."""
    text.gate.clear()
    clock.advance(3.0)
    asked_again(ready)
    first = Call(lambda: serve(ready))
    assert text.waiting.wait(30)
    clock.advance(4.0)
    second = Call(lambda: serve(ready))
    second.join(0.05)
    clock.advance(1.5)
    assert first.result() == 1
    text.gate.set()
    assert second.result() == 1


def test_one_patience_for_all_who_come_during_a_pause(
    make: Make, clock: FakeClock, text: Text
) -> None:
    """A slow build after an idle time delays the first by `patience`, later ones not at all."""
    gate, building = threading.Event(), threading.Event()
    live = make(window=1.0, patience=2.0)

    @live.resource("a", timeout=1000.0)
    def slow(a: int) -> int:
        if a > 1:
            building.set()
            gate.wait(30)
        return a

    begin(live)
    text.write("a: 2")
    clock.advance(2.5)
    asked_again(live)
    first = Call(lambda: through_lease(live))
    assert building.wait(30)
    clock.advance(1.5)
    second = Call(lambda: through_lease(live))
    second.join(0.05)
    assert second.waits
    clock.advance(0.6)
    assert (first.result(), second.result()) == (1, 1)
    assert through_lease(live) == 1
    gate.set()
    until(lambda: live.snapshot.version == 2)


def test_patience_bounds_the_wait_for_a_build(make: Make, text: Text, clock: FakeClock) -> None:
    """A build that takes longer than `patience` does not hold up a unit of work beyond it."""
    live, gate, building = make(window=1.0, patience=5.0), threading.Event(), threading.Event()

    @live.resource("a", timeout=1000.0)
    def slow(a: int) -> int:
        if a == 2:
            building.set()
            gate.wait(30)
        return a

    live.start()
    assert live.check() is Outcome.UNCHANGED
    text.write("a: 2")
    clock.advance(3.0)
    waiting = Call(lambda: through_lease(live))
    assert building.wait(30)
    waiting.join(0.03)
    assert waiting.waits
    clock.advance(5.1)
    assert waiting.result() == 1
    gate.set()
    until(lambda: live.snapshot.version == 2)


def test_a_start_waits_for_its_build(make: Make, clock: FakeClock) -> None:
    """`patience` is for the file: the first build may take as long as its own time-outs allow."""
    live, gate, building = make(patience=5.0), threading.Event(), threading.Event()

    @live.resource("a", timeout=1000.0)
    def slow(a: int) -> int:
        building.set()
        gate.wait(30)
        return a

    starting = Call(live.start)
    assert building.wait(30)
    clock.advance(20.0)
    starting.join(0.05)
    assert starting.waits
    gate.set()
    starting.result()
    assert live.snapshot.version == 1


def test_what_was_deferred_for_patience_makes_nobody_wait(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """A source that has hung for `patience` already makes no unit of work wait again."""
    text.gate.clear()
    assert Call(ready.check).result(clock, step=0.5) is Outcome.DEFERRED
    clock.advance(5.0)
    assert Call(ready.check).result(clock, step=0.5) is Outcome.DEFERRED
    clock.advance(100.0)
    assert Call(lambda: serve(ready)).result() == 1
    text.write("a: 2")
    text.gate.set()
    until(lambda: not engine_of(ready).running().scheduler.reader.stuck)
    assert Call(ready.check).result(clock) in (Outcome.RELOADED, Outcome.UNCHANGED)
    assert ready.snapshot.version == 2
    assert ready.check() is Outcome.UNCHANGED
    text.write("a: 3")
    clock.advance(3.0)
    asked_again(ready)
    assert serve(ready) == 3


def test_what_never_settles_makes_nobody_wait(make: Make, clock: FakeClock, serve: Serve) -> None:
    """A file that is rewritten all the time holds up the first ones for `patience`, then nobody."""
    text = Text("a: 1", clock)
    live = make(text, window=1.0, patience=2.0, settle=0.25)
    Call(live.start).result(clock)
    Call(live.check).result(clock)
    admission = engine_of(live).running().admission
    for number in range(2, 60):
        text.write(f"a: {number}")
        clock.advance(0.1)
        check_once(admission)
    assert admission.gave_up_waiting
    text.write("a: 100")
    clock.advance(3.0)  # an idle time, and too short for the new stamp to be quiet at first sight
    assert Call(lambda: serve(live)).result() == 1


def test_before_patience_is_over_a_deferred_file_is_waited_for(
    ready: "ReloadCheck[Any]", text: Text, clock: FakeClock, serve: Serve
) -> None:
    """A short deferral changes nothing about who waits."""
    text.unreadable()
    assert Call(ready.check).result(clock) is Outcome.DEFERRED
    clock.advance(3.0)
    asked_again(ready)
    text.fault = None
    text.write("a: 2")
    assert serve(ready) == 2


def test_without_patience_an_engine_starts_and_takes_up_edits(make: Make, text: Text) -> None:
    """No unit of work waits then; but what is read and loaded takes the time it takes."""
    live = make(patience=0, window=0)
    live.start()
    text.write("a: 2")
    assert through_lease(live) in (1, 2)
    until(lambda: live.snapshot.config.a == 2)
