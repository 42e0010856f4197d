"""A pytest plugin inside a framework's own test run: notes how each test came out.

Writes one JSON object a line to the file that TRANSPARENCY_RESULTS names: `test` and `outcome`; and
at the end `wrapped`, how often a door was put around something.
"""

import json
import os
from pathlib import Path

import pytest

from . import doors

_outcomes: dict[str, str] = {}


def pytest_configure() -> None:
    """Put the doors in place, or none, before any test is imported."""
    doors.put(os.environ["TRANSPARENCY_DOORS"])


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Take note; a test has failed when any phase of it has."""
    _note(report.nodeid, report.outcome)


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Take note of a module that cannot be imported."""
    if report.failed:
        _note(report.nodeid, "failed")


def pytest_unconfigure() -> None:
    """Write it all down."""
    write(_outcomes)


def write(outcomes: dict[str, str]) -> None:
    """Write what was noted."""
    lines = [json.dumps({"test": test, "outcome": said}) for test, said in outcomes.items()]
    lines.append(json.dumps({"wrapped": doors.wrapped()}))
    Path(os.environ["TRANSPARENCY_RESULTS"]).write_text("\n".join(lines) + "\n")


def _note(test: str, outcome: str) -> None:
    rank = ("passed", "skipped", "failed")
    _outcomes[test] = max(_outcomes.get(test, outcome), outcome, key=rank.index)
