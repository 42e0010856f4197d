"""Prints what the tests of the servers measured, at the end of the test run."""

import pytest

__all__ = ["MEASURED", "pytest_terminal_summary"]

MEASURED = pytest.StashKey[list[str]]()


@pytest.fixture
def measured(request: pytest.FixtureRequest) -> list[str]:
    """Give the list of lines that are printed at the end, to be added to."""
    return request.config.stash.setdefault(MEASURED, [])


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print it, if anything was measured."""
    lines = config.stash.get(MEASURED, None)
    if lines is not None:
        terminalreporter.section("servers")
        for line in lines:
            terminalreporter.line(line)
