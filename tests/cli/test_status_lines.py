"""What `status` prints of what one process told: each line that an answer can have."""

import io
import json
from collections.abc import Mapping
from datetime import date
from typing import Any

from reloadcheck.cli._output import Page
from reloadcheck.cli._status_lines import show

TOLD: Mapping[str, Any] = {
    "state": "serving",
    "standing": "ok",
    "version": 7,
    "digest": "a" * 64,
    "checks": 3,
    "reloads": 2,
    "rejections": 1,
    "forced_closes": 0,
}


def _printed(**told: object) -> list[str]:
    out = io.StringIO()
    show(Page(out, {}), {**TOLD, **told})
    return out.getvalue().splitlines()


def test_a_process_that_serves_nothing_yet_says_so() -> None:
    """Its state and no version, no digest."""
    assert _printed(version=None, state="starting", standing="fail")[0] == (
        "FAILED: starting, nothing is served yet"
    )
    process = {"application": "shop", "host": "web1", "pid": 9}
    lines = _printed(version=None, state="starting", standing="fail", process=process)
    assert lines[0] == "FAILED: shop on web1, pid 9, starting, nothing is served yet"


def test_remarks_are_told_where_no_reason_tells_them() -> None:
    """A remark is not said twice: the reasons have it already."""
    assert "remark    two files set a" in _printed(remarks=["two files set a"])
    reasons = ["two files set a"]
    lines = _printed(remarks=["two files set a"], reasons=reasons, standing="warn")
    assert [line for line in lines if "two files" in line] == ["why       two files set a"]


def test_what_to_do_stands_below_what_it_is_about() -> None:
    """Below an edit's error; an order, told last, is not mistaken for its store's fault."""
    two = {"standing": "warn", "reasons": ["the first", "the second"], "remedy": "mend it"}
    of_edit = _printed(**two, error="the first")[1:4]
    assert [line.split("  ")[0] for line in of_edit] == ["why", "to do", "why"]
    of_order = _printed(**two)[1:4]
    assert [line.split("  ")[0] for line in of_order] == ["why", "why", "to do"]


def test_what_is_still_in_use_of_an_older_version() -> None:
    """By whom, for how long, and whether anybody will read it; a forged entry is left out."""
    by_name = {"resource": "db", "version": 6, "holders": ["queue", "mail"], "closes_in": 11.6}
    unread = {"resource": "log", "version": 5, "leases": 2, "unread": True}
    assert [line for line in _printed(draining=[by_name, "odd", unread]) if "old" in line] == [
        "old       db of version 6 is used by queue, mail; closed in 12 s",
        "old       log of version 5 may yet be read by 2 in progress",
    ]


def test_a_trial_tells_its_signals_and_what_was_made_again() -> None:
    """How many of the bad are on the candidate, and what differed first; what is forged is not."""
    trial = {
        "phase": "trying",
        "version": 8,
        "share": 0.05,
        "units": 20,
        "baseline_units": 400,
        "signals": [
            {"name": "status 500", "on_candidate": 3, "bad": 4, "luck": 0.012},
            "odd",
            {"name": "slow", "on_candidate": 1, "bad": 1},
        ],
        "shadow": {"compared": 40, "differing": 2, "first": "status of /cart"},
    }
    lines = _printed(trial=trial)
    begin = lines.index("trial     trying version 8: 5% of all; 20 units on it, 400 before it")
    assert [line.strip() for line in lines[begin + 1 : begin + 4]] == [
        "status 500: 3 of 4; luck 0.012",
        "slow: 1 of 1",
        "40 made again on both, 2 differ: status of /cart",
    ]
    same = {**trial, "signals": [], "shadow": {"compared": 40, "differing": 0}}
    assert "40 made again on both, 0 differ" in [line.strip() for line in _printed(trial=same)]


def test_json_spells_what_it_has_no_word_for() -> None:
    """A set as a list, a date as ISO 8601 has it, another object by its kind alone."""
    out = io.StringIO()
    Page(out, {}).json({"a": {1}, "b": frozenset({2}), "c": date(2026, 11, 30), "d": Page(out, {})})
    assert json.loads(out.getvalue()) == {"a": [1], "b": [2], "c": "2026-11-30", "d": "Page"}
