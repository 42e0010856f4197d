"""Django's test runner, which also notes how each test came out, as the plugin for pytest does."""

import os
import unittest
from importlib import import_module
from typing import Any

from . import doors, notes

__all__ = ["Runner"]

_DiscoverRunner: Any = import_module("django.test.runner").DiscoverRunner
_outcomes: dict[str, str] = {}


class _Result(unittest.TextTestResult):
    """A result that keeps the outcome of each test by its id."""

    def addSuccess(self, test: unittest.TestCase) -> None:
        super().addSuccess(test)
        _outcomes.setdefault(test.id(), "passed")

    def addSkip(self, test: unittest.TestCase, reason: str) -> None:
        super().addSkip(test, reason)
        _outcomes[test.id()] = "skipped"

    def addExpectedFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addExpectedFailure(test, err)
        _outcomes[test.id()] = "skipped"

    def addError(self, test: unittest.TestCase, err: Any) -> None:
        super().addError(test, err)
        _outcomes[test.id()] = "failed"

    def addFailure(self, test: unittest.TestCase, err: Any) -> None:
        super().addFailure(test, err)
        _outcomes[test.id()] = "failed"

    def addSubTest(self, test: unittest.TestCase, subtest: unittest.TestCase, err: Any) -> None:
        super().addSubTest(test, subtest, err)
        if err is not None:
            _outcomes[test.id()] = "failed"


class Runner(_DiscoverRunner):  # type: ignore[misc]
    """Runs behind the doors that TRANSPARENCY_DOORS names."""

    def get_resultclass(self) -> type[unittest.TextTestResult]:
        """Return the class that takes notes."""
        return _Result

    def run_suite(self, suite: unittest.TestSuite, **kwargs: Any) -> Any:
        """Put the doors in place, run, and write the notes down."""
        doors.put(os.environ["TRANSPARENCY_DOORS"])
        try:
            return _DiscoverRunner.run_suite(self, suite, **kwargs)
        finally:
            notes.write(_outcomes)
