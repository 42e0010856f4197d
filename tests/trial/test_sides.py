"""What is counted of both versions of a trial: once each, and over the time that is said."""

import random

import pytest

from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from reloadcheck.trial.run import TROUBLE_SECONDS, TROUBLE_SHARE, Run
from reloadcheck.trial.side import LONGEST_SECONDS, SLOT_SECONDS, Side


@pytest.mark.parametrize("each_second", [10, 1000])
def test_however_many_requests_there_are_ten_seconds_are_looked_at(each_second: int) -> None:
    """A burst of failures is no outage: both versions must fail for so long."""
    side, now = Side(), 1000.0
    for number in range(each_second * 12):
        now = 1000.0 + number / each_second
        side.note(now, now >= 1011.2)
    assert 0 < side.fails(now, TROUBLE_SECONDS) < TROUBLE_SHARE
    for number in range(each_second * 4):
        now = 1012.0 + number / each_second
        side.note(now, failed=True)
    assert side.fails(now, TROUBLE_SECONDS) > TROUBLE_SHARE
    assert side.fails(now + 11.0, TROUBLE_SECONDS) == 0.0


def test_a_few_units_say_nothing() -> None:
    """Four failures of four are no outage yet, five of five may be one."""
    side = Side()
    for number in range(5):
        assert side.fails(float(number), TROUBLE_SECONDS) == 0.0
        side.note(float(number), failed=True)
    assert side.fails(5.0, TROUBLE_SECONDS) == 1.0


def test_what_is_looked_back_at_is_bounded() -> None:
    """However long a trial takes; whoever ends a little later by another clock's look counts."""
    side = Side()
    for number in range(10_000):
        side.note(number / 10, failed=False)
        side.note(number / 10 - 0.4, failed=False)
    assert len(side.recent) == LONGEST_SECONDS / SLOT_SECONDS
    assert LONGEST_SECONDS >= TROUBLE_SECONDS + SLOT_SECONDS


def test_who_comes_a_little_late_takes_no_other_time_away() -> None:
    """Two threads look at the clock, and count in another order; all ten seconds are kept."""
    side = Side()
    for _ in range(5):
        side.note(1000.0, failed=True)
    for _ in range(50):
        side.note(1008.0, failed=False)
        side.note(1007.4, failed=False)
    assert side.fails(1008.0, TROUBLE_SECONDS) == 5 / 105


def test_a_unit_that_is_slow_counts_once(clock: FakeClock) -> None:
    """Though its end and its age are seen at the same moment, by two threads."""
    run = Run(Trial(shares=(0.2,)), "digest", (2, 1), clock.monotonic, random.Random(1))
    clock.advance(5.0)
    ticket = run.draw({})
    for _ in range(2):
        run._slow(ticket)  # pyright: ignore[reportPrivateUsage]
    assert [one.bad for one in run.status().signals] == [1]
