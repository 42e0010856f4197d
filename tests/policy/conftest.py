"""What every test of rules and contracts starts from: engines on a fake clock, shop and signers."""

from pathlib import Path

import pytest

from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make, make, text
from tests.support.steady import SteadyClock

from .shop import MONDAY_NOON, Shop
from .signing import Signers, signers
from .site import site

__all__ = ["Make", "make", "signers", "site", "text"]


@pytest.fixture
def clock() -> FakeClock:
    """It is Monday noon."""
    return SteadyClock(MONDAY_NOON)


@pytest.fixture
def shop(make: Make, tmp_path: Path, clock: FakeClock, signers: Signers) -> Shop:
    """The shop, not started."""
    return Shop(make, tmp_path, clock, signers)
