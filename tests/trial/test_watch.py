"""How many failures after a promotion are more than luck explains."""

import pytest

from reloadcheck.trial.watch import Watch


def _failures(before: int, seconds: float, each: float) -> int:
    """Return how many failures it takes, one each so many seconds, until it is guilty."""
    watch = Watch(before, seconds, 100.0)
    while not watch.is_guilty and watch.failed < 1000:
        watch.fail(100.0 + each * watch.failed)
    return watch.failed


@pytest.mark.parametrize("seconds", [0.0, 1.0, 60.0, 600.0])
def test_a_handful_of_failures_undoes_nothing(seconds: float) -> None:
    """However quiet it was before: six at once are luck, at one chance in a thousand."""
    assert _failures(0, seconds, 0.0) > 6


def test_a_burst_where_all_was_quiet_is_guilty() -> None:
    """A pool of one, as soon as everybody waits for it."""
    assert _failures(0, 60.0, 0.01) == 8


def test_what_failed_as_often_before_is_innocent() -> None:
    """One failure a second before and after, for as long as the watch lasts."""
    watch = Watch(60, 60.0, 100.0)
    for second in range(60):
        watch.fail(101.0 + second)
    assert not watch.is_guilty


def test_a_clock_that_stands_counts_a_second() -> None:
    """What fails in the first moment is not held against a time of nothing."""
    watch = Watch(100, 0.0, 100.0)
    for _ in range(100):
        watch.fail(100.0)
    assert not watch.is_guilty
