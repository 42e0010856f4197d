"""The short form of the command that tries a hundred thousand harmless edits."""

import pytest

from .harmless import RATES, undone


@pytest.mark.parametrize("name", ["0 %", "0.1 %", "2 %", "bursts"])
def test_whole_harmless_trials_are_hardly_ever_undone(name: str) -> None:
    """Over 300 trials at each way to fail, at most two: one in a thousand is the bound."""
    assert name in RATES
    assert undone(name, 300) <= 2
