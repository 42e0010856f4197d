"""What the doctor says: of one thing, that it is well, doubtful or broken, and the remedy."""

from dataclasses import dataclass
from enum import StrEnum

__all__ = ["Finding", "Level", "failed", "passed", "warned"]


class Level(StrEnum):
    """How bad it is; only `fail` makes the command's status 1."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"


@dataclass(frozen=True, slots=True)
class Finding:
    """One finding; `check` is the stable name of what was looked at."""

    level: Level
    check: str
    said: str
    remedy: str | None = None


def passed(check: str, said: str) -> Finding:
    """Say that something is well."""
    return Finding(Level.PASS, check, said)


def warned(check: str, said: str, remedy: str) -> Finding:
    """Say that something is doubtful, and what to do about it."""
    return Finding(Level.WARN, check, said, remedy)


def failed(check: str, said: str, remedy: str) -> Finding:
    """Say that something is broken, and what to do about it."""
    return Finding(Level.FAIL, check, said, remedy)
