"""What of a configuration a store of the network keeps, where it is asked to judge."""

import logging
from pathlib import Path

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.testing import MemoryStore
from tests.support.load import until

SECRET = [
    "password: canary",
    "database: {url: 'postgresql://me:canary@db/shop'}",
    "a: 1\n# password: canary",
    "a: 1 # was postgresql://me:canary@db/shop",
]
HARMLESS = [
    "a: 1\npool: {size: 4}",
    "# see https://wiki.test/config: owner is the shop team\nurl: postgresql://db/shop",
    "password: null",
]


def _kept(tmp_path: Path, text: str, content: bool | None) -> tuple[bool, MemoryStore]:
    file = tmp_path / "config.yaml"
    file.write_text(text)
    store = MemoryStore(content=content)
    live = ReloadCheck(file, store=store, app="shop", settle=0, window=0.1)
    live.start()
    orders = Orders(store.peer(), app="shop")
    until(lambda: len(orders.history()) == 1)
    live.close()
    return orders.history()[0].entry.kept, store


@pytest.mark.parametrize("text", SECRET)
def test_nothing_that_looks_secret_is_kept(
    tmp_path: Path, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Not in a value, a URL or a comment; it is told once, and the history goes on."""
    kept, store = _kept(tmp_path, text, None)
    assert not kept
    assert "canary" not in str(vars(store._shared))  # pyright: ignore[reportPrivateUsage]
    told = [one for one in caplog.records if "keeps no content" in one.getMessage()]
    assert [one.levelno for one in told] == [logging.WARNING]


@pytest.mark.parametrize("text", HARMLESS)
def test_what_is_harmless_is_kept(tmp_path: Path, text: str) -> None:
    """So that it can be rolled back to."""
    assert _kept(tmp_path, text, None)[0]


def test_who_says_so_keeps_all_or_nothing(tmp_path: Path) -> None:
    """`content=True` and `False` ask nobody."""
    assert _kept(tmp_path, SECRET[0], True)[0]
    assert not _kept(tmp_path, HARMLESS[0], False)[0]
