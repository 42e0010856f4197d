"""The soak's verdict: what is not as it must be is said, and nothing else."""

from dataclasses import replace
from typing import Any

import pytest

from .report import Refusal, Report, Row, SideRow

ROW = Row(
    resource="pool",
    requests=100,
    errors=[],
    torn=0,
    outlasted=3,
    changes=5,
    builds=5,
    generations=2,
    connections=8,
    most=8,
    late=0.02,
    leaked=0,
    slowest=0.1,
)
REFUSAL = Refusal("pool", 7, 0.8, waited=False, named=True, quoted=False)
SIDE = SideRow(
    server="uvicorn",
    edits=9,
    reloads=8,
    waited=1,
    fresh=0.6,
    bound=0.6,
    slowest=0.1,
    refusals=[REFUSAL],
    served_refused=0,
    early=0,
    forced=0,
    memory=(90.0, 92.0),
)


def verdict(row: Row = ROW, side: SideRow = SIDE, seconds: float = 600.0) -> list[str]:
    """Return what a report of these two finds."""
    return Report(seconds, [row], [side], looks=10, left_out=0).problems


def test_a_good_run_has_no_problem() -> None:
    """Two pools' connections, one of them closed at once, are as it must be."""
    assert verdict() == []


def test_an_edit_that_waited_for_its_turn_may_be_refused_later() -> None:
    """The time-out is that of a build, which cannot begin before an instance has drained."""
    waited = replace(REFUSAL, seconds=10.1, waited=True)
    assert verdict(side=replace(SIDE, refusals=[waited])) == []


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"requests": 0}, "never asked"),
        ({"errors": ["refused"]}, "1 errors, the first: refused"),
        ({"torn": 1}, "two versions"),
        ({"outlasted": 0}, "outlasted"),
        ({"builds": 6}, "built 6 times for 5 changes"),
        ({"builds": 1}, "built 1 times"),
        ({"generations": 3}, "3 instances at once"),
        ({"generations": 1}, "1 instances at once"),
        ({"connections": 9}, "9 connections, 8 are two pools"),
        ({"connections": 0}, "0 connections"),
        ({"late": 0.7}, "closed 0.70 s after its last user"),
        ({"leaked": 1}, "1 leaked"),
    ],
)
def test_what_is_off_with_a_resource_is_said(change: dict[str, Any], words: str) -> None:
    """Each number of a row has a bound."""
    (problem,) = verdict(row=replace(ROW, **change))
    assert problem.startswith("pool: ")
    assert words in problem


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"fresh": 1.3}, "live after 1.30 s"),
        ({"early": 1}, "1 closed under a user"),
        ({"forced": 1}, "1 at the drain deadline"),
        ({"refusals": []}, "no wrong credentials"),
        ({"refusals": [replace(REFUSAL, seconds=10.1)]}, "wrong credentials of pool"),
        ({"refusals": [replace(REFUSAL, named=False)]}, "wrong credentials of pool"),
        ({"refusals": [replace(REFUSAL, quoted=True)]}, "wrong credentials of pool"),
        ({"served_refused": 1}, "1 rejected edits were served"),
        ({"memory": (90.0, 94.1)}, "memory grew from 90.0 to 94.1 MiB"),
        ({"reloads": 6}, "6 reloads for 9 edits, 1 of which waited"),
    ],
)
def test_what_is_off_with_a_server_is_said(change: dict[str, Any], words: str) -> None:
    """Each number of a server has a bound."""
    (problem,) = verdict(side=replace(SIDE, **change))
    assert problem.startswith("uvicorn: ")
    assert words in problem


def test_a_pace_that_was_not_kept_is_said() -> None:
    """A soak at half the load is no soak."""
    assert Report(600.0, [ROW], [SIDE], looks=10, left_out=1).problems == []
    (problem,) = Report(600.0, [ROW], [SIDE], looks=10, left_out=2).problems
    assert "2 requests left out" in problem


@pytest.mark.parametrize("change", [{"memory": (90.0, 94.1)}, {"reloads": 6}])
def test_a_short_run_is_not_judged_by_it(change: dict[str, Any]) -> None:
    """A server is still warming up then, and its edits come faster than it may look."""
    assert verdict(side=replace(SIDE, **change), seconds=30.0) == []


def test_the_table_ends_with_the_verdict() -> None:
    """Whoever reads only the last line knows."""
    good = Report(600.0, [ROW], [SIDE], looks=10, left_out=0).table()
    bad = Report(600.0, [replace(ROW, leaked=2)], [SIDE], looks=10, left_out=0).table()
    assert good.splitlines()[-1].endswith("nothing is off")
    assert bad.splitlines()[-1].endswith("pool: 2 leaked")
