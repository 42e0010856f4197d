"""A shop with a pool, on a fake clock; no thread of its engine stays."""

import pytest

from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Text, begin

from .pools import Pools
from .shop import Door, Shop, through_asgi, through_lease, through_wsgi, through_wsgi_by_name

__all__ = ["door", "pools", "shop"]


@pytest.fixture
def shop(make: Make, text: Text, clock: FakeClock) -> Shop:
    """Version 1 of a shop, started."""
    return Shop(make, text, clock)


@pytest.fixture(
    params=[through_lease, through_wsgi, through_wsgi_by_name, through_asgi],
    ids=lambda way: way.__name__.removeprefix("through_"),
)
def door(request: pytest.FixtureRequest) -> Door:
    """A way to be a unit of work that is taken step by step."""
    found: Door = request.param
    return found


@pytest.fixture
def pools(make: Make, text: Text) -> Pools:
    """A started engine with a pool."""
    pools = Pools(make, text)
    begin(pools.live)
    return pools
