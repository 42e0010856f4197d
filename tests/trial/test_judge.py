"""A harmless candidate is hardly ever judged guilty; a guilty one is, after a few bad units."""

import math
import random

import pytest

from reloadcheck.trial import Judge

from .harmless import SHARES_AT, guilty


@pytest.mark.parametrize("name", SHARES_AT)
def test_a_harmless_candidate_is_hardly_ever_guilty(name: str) -> None:
    """Over 4,000 trials with up to 30 bad units each, at most one in a thousand, whatever comes.

    How often units fail does not enter, only where the bad ones fall. So error rates of 0, 0.1, 2
    or 50 %, and rates that jump, are all among these: they say how many bad units there are. The
    command beside this tries as many more as one likes.
    """
    assert guilty(name, 4_000) <= 4


def test_order_does_not_matter() -> None:
    """The same bad units in another order come to the same luck."""
    random_ = random.Random(7)
    units = [(random_.random() < 0.4, random_.choice((0.01, 0.2))) for _ in range(50)]
    first, second = Judge(), Judge()
    for one in units:
        first.add(*one)
    random_.shuffle(units)
    for one in units:
        second.add(*one)
    assert math.isclose(first.luck, second.luck, rel_tol=1e-9)
    assert (first.bad, first.on_candidate) == (second.bad, second.on_candidate)


@pytest.mark.parametrize(("share", "most"), [(0.2, 6), (0.01, 3), (0.5, 13)])
def test_what_always_fails_is_found_after_a_few(share: float, most: int) -> None:
    """Where every bad unit is on the candidate, a handful is enough."""
    judge, count = Judge(), 0
    while judge.luck > 0.001:
        judge.add(True, share)
        count += 1
    assert count <= most


def test_an_outage_of_everybody_blames_nobody() -> None:
    """Where what serves fails as well, the candidate is not blamed, however much fails."""
    random_, judge, least = random.Random(3), Judge(), 1.0
    for _ in range(20_000):
        judge.add(random_.random() < 0.2, 0.2)
        least = min(least, judge.luck)
    assert least > 0.001


def test_the_numbers_stay_finite() -> None:
    """A million bad units on either side neither overflow nor divide by nothing."""
    guilty, innocent = Judge(), Judge()
    for _ in range(20_000):
        guilty.add(True, 0.01)
        innocent.add(False, 0.5)
    assert 0.0 < guilty.luck < 1e-300
    assert innocent.luck == 1.0
    assert guilty.odds == "1 in 1,000,000,000"


def test_nothing_bad_is_no_luck() -> None:
    """Without a bad unit there is nothing to judge by."""
    assert Judge().luck == 1.0
    assert Judge().odds == "1 in 1"


@pytest.mark.parametrize(
    ("failing", "seconds", "requests"), [(1.0, 4.5, 6.5), (0.2, 8.0, 7.0), (0.05, 22.0, 8.0)]
)
def test_power(failing: float, seconds: float, requests: float) -> None:
    """At 50 requests a second and 0.1 % failing anyway, undone in seconds, after a few failures.

    With shares of 1 % for three seconds and then 20 %, averaged over 400 simulated trials.
    """
    random_ = random.Random(11)
    took, failed = list[float](), list[int]()
    for _ in range(400):
        judge, unit, lost = Judge(), 0, 0
        while judge.luck > 0.001:
            unit += 1
            share = 0.01 if unit < 150 else 0.2
            on_candidate = random_.random() < share
            if random_.random() < (failing if on_candidate else 0.001):
                judge.add(on_candidate, share)
                lost += on_candidate
        took.append(unit / 50)
        failed.append(lost)
    assert sum(took) / len(took) <= seconds
    assert sum(failed) / len(failed) <= requests


@pytest.mark.parametrize(("times", "undone"), [(1.3, range(8)), (10.0, range(120, 121))])
def test_power_over_slowness(times: float, undone: range) -> None:
    """Of 120 trials of a minute, where a tenth of what serves is slow: noise is let through.

    An edit on which all is slow is found each time, one that is slow a little more often hardly.
    """
    random_ = random.Random(12)
    assert sum(_is_slow(random_, times) for _ in range(120)) in undone


def _is_slow(random_: random.Random, times: float) -> bool:
    judge, units = Judge(), [0, 0]
    for unit in range(3000):
        share = 0.01 if unit < 150 else 0.2
        on_candidate = random_.random() < share
        units[on_candidate] += 1
        if unit >= 150 and random_.random() < 0.1 * (times if on_candidate else 1.0):
            judge.add(on_candidate, share)
        others = (judge.bad - judge.on_candidate) / (units[False] or 1)
        common = judge.on_candidate / (units[True] or 1) >= 2 * others
        if on_candidate and common and judge.luck <= 0.001:
            return True
    return False
