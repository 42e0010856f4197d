"""What every test of a trial starts from: the engines of the core on a fake clock, fixed draws."""

import random
from collections.abc import Callable

import pytest

from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make, clock, make, no_engine_thread_stays, text
from tests.support.rig import Text

from .site import Site

__all__ = ["Make", "clock", "make", "no_engine_thread_stays", "text"]


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
