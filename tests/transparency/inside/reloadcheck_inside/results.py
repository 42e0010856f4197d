"""A pytest plugin inside a framework's own test run: notes how each test came out."""

import os

import pytest

from . import doors, notes

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
    notes.write(_outcomes)


def _note(test: str, outcome: str) -> None:
    rank = ("passed", "skipped", "failed")
    _outcomes[test] = max(_outcomes.get(test, outcome), outcome, key=rank.index)
