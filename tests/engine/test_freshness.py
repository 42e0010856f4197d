"""The rule of the window, as one value: what the age of a result means for who asks."""

import pytest

from reloadcheck._engine.freshness import Age, Freshness
from reloadcheck._engine.options import Options


def checked(options: Options, *, begun: float, ended: float) -> Freshness:
    """Return the freshness after one check."""
    freshness = Freshness(options)
    freshness.begin(begun)
    freshness.end()
    freshness.renew(ended)
    return freshness


@pytest.mark.parametrize(
    ("now", "age"),
    [
        (11.0, Age.FRESH),
        (11.001, Age.AGEING),
        (12.5, Age.AGEING),
        (12.501, Age.IDLE),
    ],
)
def test_a_result_ages_from_the_beginning_and_idleness_from_the_end(now: float, age: Age) -> None:
    """For a window it is fresh, to the end of the next it will do, and then who comes waits."""
    assert checked(Options(window=1.0), begun=10.0, ended=10.5).age(now) is age


def test_before_any_check_and_without_checks() -> None:
    """Nothing checked is idle; with a window of nothing each asks; switched off nobody does."""
    assert Freshness(Options()).age(0.0) is Age.IDLE
    assert checked(Options(window=0), begun=1.0, ended=1.0).age(1.0) is Age.NEVER
    assert Freshness(Options(enabled=False, window=0)).age(0.0) is Age.FOREVER


def test_a_check_that_began_too_long_ago_has_not_seen_what_is_there_now() -> None:
    """To the end of a window from its beginning it counts, and not one that is over."""
    freshness = Freshness(Options(window=1.0))
    assert not freshness.has_seen(0.0)
    freshness.begin(10.0)
    assert freshness.has_seen(11.0)
    assert not freshness.has_seen(11.001)
    freshness.end()
    assert not freshness.has_seen(10.5)


def test_what_a_failed_check_came_to_answers_for_a_window() -> None:
    """Who finds nothing that serves hears it at once, for less than a window from its end."""
    freshness = checked(Options(window=1.0), begun=10.0, ended=10.5)
    assert freshness.is_answer(11.4)
    assert not freshness.is_answer(11.5)


@pytest.mark.parametrize(
    ("options", "lasts", "until"),
    [
        (Options(window=1.0), True, 11.0),
        (Options(window=0.0), False, 10.0),
        (Options(window=0.0, enabled=False), True, None),
    ],
)
def test_how_long_the_doors_may_go_on_without_asking(
    options: Options, lasts: bool, until: float | None
) -> None:
    """A window from the beginning of the check; not at all without one; for good without checks."""
    freshness = checked(options, begun=10.0, ended=10.5)
    assert (lasts, until) == (freshness.lasts, freshness.until)


@pytest.mark.parametrize(
    ("window", "settle", "seconds"),
    [(1.0, 0.25, 0.25), (0.1, 0.25, 0.1), (0.0, 0.8, 0.1), (0.0, 0.0, 0.001)],
)
def test_how_soon_an_unsettled_file_is_looked_at_again(
    window: float, settle: float, seconds: float
) -> None:
    """As soon as it may be quiet, or a window is over, but no more than eight times a settle."""
    look_after = Freshness(Options(window=window)).look_after(settle)
    assert look_after == pytest.approx(seconds)
