"""What stands in for a machine of which the doctor tells."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from reloadcheck.cli._doctor.finding import Finding, Level

PASS, WARN, FAIL = Level.PASS, Level.WARN, Level.FAIL
T = TypeVar("T")


def always(value: T) -> Callable[[object], T]:
    """Return a call that gives one value."""
    return lambda _: value


def levels(found: Sequence[Finding]) -> dict[str, Level]:
    """Return the level by check."""
    return {one.check: one.level for one in found}


def never(_: Sequence[str]) -> str:
    """Fail whoever asks systemctl."""
    raise AssertionError("systemctl was asked")
