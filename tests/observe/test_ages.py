"""How long ago something was is said by one rule, whoever says it."""

import pytest

from reloadcheck._observe.ages import ago, in_letters

AGES = [
    (-3.0, "0 s ago", "0s"),
    (0.9, "0 s ago", "0s"),
    (119.9, "119 s ago", "119s"),
    (120.0, "2 minutes ago", "2m"),
    (7_199.0, "119 minutes ago", "119m"),
    (7_200.0, "2 hours ago", "2h"),
    (172_799.0, "47 hours ago", "47h"),
    (172_800.0, "2 days ago", "2d"),
]
"""Seconds, in words, in letters."""


@pytest.mark.parametrize(("seconds", "words", "letters"), AGES)
def test_an_age_is_told_in_the_largest_unit_of_which_there_are_two(
    seconds: float, words: str, letters: str
) -> None:
    """In words and in letters alike; never in the future, which only a clock set back makes."""
    assert (ago(seconds), in_letters(seconds)) == (words, letters)
    assert len(letters) <= 4
