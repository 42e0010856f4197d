"""Workers and writers that are killed at random points: the short form of `tests.stores.kills`."""

import subprocess
import sys

import pytest

from tests.stores.kills import Child, LieError, Torture
from tests.support.servers import ROOT


def test_kill_9_at_random_points_loses_nothing_and_serves_nothing_wrong() -> None:
    """Twenty kills amid edits and orders; `python -m tests.stores.kills` has five hundred."""
    command = [sys.executable, "-m", "tests.stores.kills", "20", "sqlite"]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout
    assert ": 20 kills, " in done.stdout


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("start 3", "a worker started with 3, which was banned"),
        ("ended ValueError: x", "a worker ended by itself: ValueError: x"),
    ],
)
def test_what_is_wrong_is_noticed(line: str, words: str) -> None:
    """A judge that lets everything pass would prove nothing."""
    torture = Torture.__new__(Torture)
    child = Child("worker", 0, 0, frozenset({3}), lines=["start 2", line])
    with pytest.raises(LieError, match=words):
        torture.judge(child)
