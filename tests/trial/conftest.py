"""What every test of a trial starts from: the engines of the core on a fake clock, fixed draws."""

import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from tests.support.fixtures import Make, clock, make, outliving, text
from tests.support.rig import Text

from .crew import Crew
from .site import Site

__all__ = ["Make", "clock", "make", "outliving", "text"]


class Draw(random.Random):
    """Draws that a test has chosen: `falls` for whom the candidate is, then never."""

    def __init__(self) -> None:
        super().__init__(1)
        self.next: list[bool] = []

    def random(self) -> float:
        """Return what falls on any share, or on none."""
        return 0.0 if self.next and self.next.pop(0) else 0.999


@pytest.fixture
def draw() -> Draw:
    """Draws of the test's own."""
    return Draw()


@pytest.fixture
def site(make: Make, text: Text, clock: FakeClock, draw: Draw) -> Callable[..., Site]:
    """Make a small site behind both doors, whose edits are tried."""

    def making(**options: object) -> Site:
        return Site(make, text, clock, draw, **options)

    return making


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Callable[..., Crew]]:
    """Return how to make one; it is ended with the test."""
    made: list[Crew] = []

    def make(*, together: Any = None, fallback: Path | None = None, **options: Any) -> Crew:
        words: dict[str, Any] = {"watch": 0.0, **options}
        trial = Trial(shares=(0.2,), **words)
        made.append(Crew(tmp_path, trial, together, fallback=fallback))
        return made[-1]

    yield make
    for one in made:
        for store in one.stores:
            store.heal()
        for live in one.lives:
            live.close()
