"""From two runs of the same tests to what the doors broke. Pure, save for reading the notes."""

import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from pathlib import Path

__all__ = ["Run", "Verdict", "compare", "read"]


@dataclass(frozen=True, slots=True)
class Run:
    """How each test of a run came out, and how often a door was put around something."""

    outcomes: Mapping[str, str]
    wrapped: int

    def count(self, outcome: str) -> int:
        """Count the tests that came out so."""
        return sum(1 for one in self.outcomes.values() if one == outcome)

    def __str__(self) -> str:
        kinds = ("passed", "failed", "skipped")
        return ", ".join(f"{self.count(kind)} {kind}" for kind in kinds)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What passes bare and not behind a door: unexpected, and as the project's list says."""

    broken: tuple[str, ...]
    expected: tuple[str, ...]


def read(notes: Path) -> Run:
    """Read what a run noted; an empty run when it did not come so far."""
    outcomes: dict[str, str] = {}
    wrapped = 0
    for line in notes.read_text().splitlines() if notes.exists() else ():
        said = json.loads(line)
        if "wrapped" in said:
            wrapped = said["wrapped"]
        else:
            outcomes[said["test"]] = said["outcome"]
    return Run(outcomes, wrapped)


def compare(bare: Run, behind: Run, expected: Set[str]) -> Verdict:
    """Return what passes in the first run and not in the second, where it may also be missing."""
    broken = [
        test
        for test, outcome in bare.outcomes.items()
        if outcome == "passed" and behind.outcomes.get(test) != "passed"
    ]
    return Verdict(
        tuple(test for test in broken if test not in expected),
        tuple(test for test in broken if test in expected),
    )
