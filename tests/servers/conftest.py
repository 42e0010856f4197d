"""Prints the table of the servers that were tried, at the end of the test run."""

import pytest

from .verdict import Result, table

__all__ = ["TRIED", "pytest_terminal_summary"]

TRIED = pytest.StashKey[dict[str, Result]]()


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print it, if any were tried."""
    results = config.stash.get(TRIED, None)
    if results is not None:
        terminalreporter.section("servers")
        for line in table(results.values()):
            terminalreporter.line(line)
