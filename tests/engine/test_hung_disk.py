"""A disk that hangs, a clock that jumps, a file that is away: the engine goes on."""

import threading

import pytest

from reloadcheck import Outcome
from reloadcheck.testing import FakeClock
from reloadcheck.types import Code
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, asked_again, begin, config, reload, until

# --------------------------------------------------------------------------- a hung disk


def test_a_hung_disk_stops_nobody_and_holds_one_thread(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """While the disk hangs, checks end after `patience`, no second thread hangs, and it heals."""
    live = make(patience=2.0)
    begin(live)
    text.gate.clear()
    looks = text.stamped
    first = Call(live.check)
    assert text.waiting.wait(30)
    clock.advance(2.1)
    assert first.result() is Outcome.DEFERRED
    until(lambda: live.status().outcome is Outcome.DEFERRED)
    for _ in range(5):
        clock.advance(10.0)
        assert Call(live.check).result() is Outcome.DEFERRED
    assert looks + 1 == text.stamped
    readers = [t for t in threading.enumerate() if t.name == "reloadcheck-reader"]
    assert len(readers) == 1
    assert "disk" in str(live.status().error)
    text.write("a: 2")
    text.gate.set()
    until(lambda: Call(live.check).result() is Outcome.RELOADED)


def test_an_old_version_that_drains_while_the_disk_hangs_is_no_failure_inside(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """What is to be let go of waits for the reader; the status goes on naming the disk."""
    live = make(patience=2.0)
    begin(live)
    with live.lease():
        text.write("a: 2")
        reload(live)
        text.gate.clear()
        hanging = Call(live.check)
        assert text.waiting.wait(30)
        clock.advance(2.1)
        assert hanging.result() is Outcome.DEFERRED
    until(lambda: list(live.status().leases) == [2])
    for _ in range(3):
        clock.advance(10.0)
        assert Call(live.check).result() is Outcome.DEFERRED
        assert live.status().code == Code.HANGING
    text.gate.set()
    until(lambda: Call(live.check).result() is Outcome.UNCHANGED)


def test_a_hung_disk_does_not_hold_up_closing(make: Make, text: Text, clock: FakeClock) -> None:
    """An engine whose disk hangs closes all the same."""
    live = make(patience=1000.0)
    begin(live)
    clock.advance(5.0)
    text.gate.clear()
    checking = Call(live.check)
    assert text.waiting.wait(30)
    Call(live.close).result()
    assert checking.result() is Outcome.DEFERRED
    assert live.status().state == "closed"
    text.gate.set()


def test_a_wall_clock_that_jumps_changes_no_cadence(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """Windows are measured on the monotonic clock: an operator may set the other one."""
    live = make(window=1.0)
    begin(live)
    looks = text.stamped
    for wall in (0.0, 4e9, 1e9):
        clock.set_wall(wall)
        with live.lease():
            pass
    assert looks == text.stamped
    text.write("a: 2")
    clock.advance(2.5)
    with live.lease() as snapshot:
        assert snapshot.version == 2
    asked_again(live)


def test_a_torn_read_is_tried_again(make: Make, clock: FakeClock) -> None:
    """A file that changes under the reader is not given up: it settles, and is read again."""
    text = Text("a: 1", clock)
    live = make(text, settle=0.25, patience=50.0)
    Call(live.start).result(clock)
    assert Call(live.check).result(clock) is Outcome.UNCHANGED
    text.write("a: 2")
    text.torn = 3
    assert Call(live.check).result(clock) is Outcome.RELOADED
    assert config(live) == {"a": 2}


def test_a_file_that_is_away_for_a_moment_is_no_news(
    make: Make, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """An editor renames away and creates: what is missing for a moment is no news."""
    text = Text("a: 1", clock)
    live = make(text, settle=0.25, patience=50.0)
    Call(live.start).result(clock)
    assert Call(live.check).result(clock) is Outcome.UNCHANGED
    text.unreadable("is missing")
    looks = text.stamped
    checking = Call(live.check)
    until(lambda: text.stamped > looks)
    checking.join(0.02)
    assert checking.waits
    text.fault = None
    assert checking.result(clock) is Outcome.UNCHANGED
    assert [r for r in caplog.records if r.levelname == "WARNING"] == []
