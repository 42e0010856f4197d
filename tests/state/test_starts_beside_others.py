"""Who starts beside others: their edition first, and then what its own file says."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._state import feed
from reloadcheck._state.store_orders import Orders
from reloadcheck.stores import SQLiteStore
from tests.support.load import until

Engine = ReloadCheck[Any]


class Site:
    """Workers of one application, each over a file of its own."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.orders = Orders(SQLiteStore(directory / "store.db"), app="shop")
        self.engines: list[Engine] = []

    def write(self, name: str, text: str) -> None:
        """Edit the file of that name."""
        (self.directory / name).write_text(text)

    def start(self, name: str, window: float = 0.1) -> Engine:
        """Start a worker on the file of that name."""
        live: Engine = ReloadCheck(
            self.directory / name,
            store=self.directory / "store.db",
            app="shop",
            settle=0,
            window=window,
        )
        self.engines.append(live)
        live.start()
        return live

    def reaches(self, edition: int) -> None:
        """Wait until the history has an edition, and somebody who serves it."""
        until(lambda: self.orders.state().edition == edition)
        until(lambda: {edition} <= {one.edition for one in self.orders.members().values()})


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A worker that serves edition 2, whose file is `ahead.yaml`."""
    site = Site(tmp_path)
    site.write("ahead.yaml", "a: 1")
    ahead = site.start("ahead.yaml")
    site.reaches(1)
    site.write("ahead.yaml", "a: 2")
    until(lambda: bool(ahead.check()) and ahead.snapshot.config.a == 2)
    site.reaches(2)
    yield site
    for live in site.engines:
        live.close()


def test_an_edit_that_nobody_has_seen_is_live(site: Site) -> None:
    """Though all who could have seen it end before they look: a rolling restart in mid-edit."""
    site.write("new.yaml", "a: 3")
    starting = site.start("new.yaml")
    until(lambda: bool(starting.check()) and starting.snapshot.config.a == 3)
    site.reaches(3)


def test_a_bad_file_is_told(site: Site) -> None:
    """What all serve is served, and what is wrong with the file is said."""
    site.write("bad.yaml", "a: [")
    starting = site.start("bad.yaml")
    assert starting.snapshot.config.a == 2
    until(lambda: bool(starting.check()) and starting.status().code == "syntax")
    assert starting.snapshot.config.a == 2


def test_a_file_that_lags_is_passed_over_and_believed_after_a_while(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A volume's copy catches up within 90 seconds; one that stays is what somebody wants."""
    site.write("behind.yaml", "a: 1")
    starting = site.start("behind.yaml")
    for _ in range(10):
        starting.check()
        assert starting.snapshot.config.a == 2
    assert site.orders.state().edition == 2
    monkeypatch.setattr(feed, "_LAGS_SECONDS", 0.0)
    until(lambda: bool(starting.check()) and starting.snapshot.config.a == 1)
    site.reaches(3)
