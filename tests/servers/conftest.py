"""Prints what the tests of the servers measured, at the end of the test run.

It travels in the tests' reports, so that it arrives from other processes too.
"""

import pytest

from .catalog import SERVERS
from .verdict import HEAD

__all__ = ["measured", "pytest_terminal_summary"]

MEASURED = "measured on servers"


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> list[tuple[str, object]]:
    """Return the list that takes what is to be printed: `measured.append((MEASURED, line))`."""
    properties: list[tuple[str, object]] = request.node.user_properties
    return properties


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print it, if anything was measured."""
    reports = [one for kind in ("passed", "failed") for one in terminalreporter.getreports(kind)]
    lines = [
        str(line)
        for report in reports
        if isinstance(report, pytest.TestReport) and report.when == "call"
        for name, line in report.user_properties
        if name == MEASURED
    ]
    if lines:
        terminalreporter.section("servers")
        for line in (HEAD, *sorted(lines, key=_place)):
            terminalreporter.line(line)


def _place(line: str) -> int:
    """Return a row's place in the table; other lines come last."""
    names = [kind.name for kind in SERVERS]
    name = line[:26].rstrip()
    return names.index(name) if name in names else len(names)
