"""What an application marks is counted under its name, however careless the name is."""

from typing import Any

import pytest

from reloadcheck import Outcome, UsageError
from reloadcheck.trial import Trial
from tests.support.rig import until

from .site import Making, Site, signals


@pytest.mark.parametrize("name", [None, 5, ["declined"], ValueError("card 4111"), ""])
def test_a_name_is_text(site: Making, name: Any) -> None:
    """Said at the first call, with or without a trial; never for the first time in one."""
    live = site().live
    with pytest.raises(UsageError, match=r"live\.mark\(\) takes a name, as 'payment-failed'"):
        live.mark(name)


def _path(scope: Any) -> object:
    return scope["PATH_INFO"]


def _marks(shop: Site, names: list[str], *, on_candidate: bool = False) -> None:
    """Send a request for each name, which marks itself."""
    left = iter(names)

    def page(config: Any) -> tuple[int, bytes]:
        shop.live.mark(next(left))
        return 200, str(config.a).encode()

    shop.page = page
    for _ in names:
        shop.get(on_candidate=on_candidate)


@pytest.mark.parametrize("sticky", [None, _path])
def test_names_without_end_are_one(site: Making, sticky: Any) -> None:
    """Each name has a coin of its own, a line on the page, a row in the metrics and the store."""
    shop = site(trial=Trial(sticky=sticky))
    shop.edit(2)
    _marks(shop, [f"order {number} was lost" for number in range(300)])
    told = signals(shop)
    assert len(told) == 101
    assert "marked: others" in told
    if sticky is None:
        assert told["marked: others"].bad == 200


def test_those_beyond_are_judged_as_well(site: Making) -> None:
    """An edit that breaks orders is taken back though each order is marked by its own number."""
    shop = site()
    shop.edit(2)
    _marks(shop, [f"order {number} was lost" for number in range(100)])
    _marks(shop, [f"order {number} was lost" for number in range(100, 103)], on_candidate=True)
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    assert shop.live.status().code == "undone-marked"


def test_a_long_name_is_cut(site: Making) -> None:
    """A whole text where a name was asked for fills no store."""
    shop = site()
    shop.edit(2)
    _marks(shop, ["x" * 100_000])
    assert max(map(len, signals(shop))) < 150
