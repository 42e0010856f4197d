"""The fall-back: what serves instead of the sources while an operator says so."""

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import OptionError, OrderRefusedError, ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.cli import main
from reloadcheck.exceptions import ConfigError
from reloadcheck.stores import SQLiteStore
from tests.support.load import until

Engine = ReloadCheck[Any]


class Site:
    """Two workers of one application over one file, with a fall-back beside it."""

    def __init__(self, directory: Path) -> None:
        self.file, self.fallback = directory / "config.yaml", directory / "fallback.yaml"
        self.path = directory / "store.db"
        self.file.write_text("a: 1")
        self.fallback.write_text("a: 0\nonly: here")
        self.orders = Orders(SQLiteStore(self.path), app="shop")
        self.engines: list[Engine] = []

    def engine(self, **options: Any) -> Engine:
        """Make a worker."""
        options = {"settle": 0, "window": 0.1, "fallback": self.fallback, **options}
        live: Engine = ReloadCheck(self.file, store=self.path, app="shop", **options)
        return live

    def start(self, workers: int = 2, **options: Any) -> None:
        """Start the workers."""
        self.engines = [self.engine(**options) for _ in range(workers)]
        threads = [threading.Thread(target=live.start) for live in self.engines]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        until(lambda: len(self.orders.history()) >= 1)
        until(lambda: len(self.orders.members()) == workers)

    def serve(self, value: object) -> None:
        """Wait until every worker serves a value of `a`."""

        def serves() -> bool:
            checked = [live.check() for live in self.engines]
            return bool(checked) and {value} == {one.snapshot.config["a"] for one in self.engines}

        until(serves)

    def close(self) -> None:
        """End the workers."""
        for live in self.engines:
            live.close()
        self.engines = []


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    """A site that has not started."""
    site = Site(tmp_path)
    yield site
    site.close()


@pytest.mark.parametrize("together", [None, "all"])
def test_the_fall_back_serves_until_it_is_switched_off(site: Site, together: str | None) -> None:
    """On all workers, with edits told as pending; then the file, as it is by then."""
    site.start(together=together)
    site.orders.fallback(why="the file server is sick", by="dora")
    site.serve(0)
    live = site.engines[0]
    until(lambda: site.orders.state().edition == 2)
    assert live.snapshot.config.only == "here"
    status = live.status()
    assert (status.code, getattr(status.store, "hold", None)) == ("fallback", "fallback")
    site.file.write_text("a: 2")
    site.serve(0)
    words = "the fall-back serves by dora (the file server is sick); what the sources hold"
    until(lambda: any(words in one for one in live.status().remarks))
    site.orders.fallback(False, why="well again", by="dora")
    site.serve(2)
    assert live.status().code is None
    until(lambda: site.orders.state().edition == 3)
    rows = [(one.edition, one.cause, one.actor) for one in site.orders.entries()]
    assert rows == [
        (1, "start", None),
        (None, "fallback", "dora"),
        (2, "fallback", "dora"),
        (None, "fallback", "dora"),
        (3, "file", None),
    ]


def test_it_survives_a_restart_and_a_bad_file(site: Site) -> None:
    """The order is the store's: who starts while it is on serves the fall-back."""
    site.start()
    site.orders.fallback(why="x", by="dora")
    site.serve(0)
    site.close()
    site.file.write_text("a: [")
    site.start()
    site.serve(0)
    assert not [name for name in site.orders.wait(30) if name]


def test_an_edit_of_the_fall_back_is_live(site: Site) -> None:
    """It is followed like any source."""
    site.start()
    site.orders.fallback(why="x", by="dora")
    site.serve(0)
    site.fallback.write_text("a: -1")
    site.serve(-1)


def test_one_that_cannot_be_had_changes_nothing_and_stops_a_start(site: Site) -> None:
    """Who serves goes on and says why; a start fails, and names the order."""
    site.start()
    site.fallback.write_text("a: [")
    site.orders.fallback(why="x", by="dora")
    live = site.engines[0]
    words = "the fall-back is on by dora, and is not served here"
    until(lambda: bool(live.check()) and any(words in s for s in live.status().remarks))
    assert live.snapshot.config.a == 1
    other = site.engine()
    with pytest.raises(ConfigError, match=words):
        other.start()
    other.close()
    none = site.engine(fallback=None)
    with pytest.raises(ConfigError, match="names none: fallback="):
        none.start()
    none.close()
    site.fallback.write_text("a: 0")
    site.serve(0)


def test_a_pin_is_in_its_way(site: Site) -> None:
    """Without `force`; and switching off what is not on is refused."""
    site.start()
    site.orders.pin(why="release", by="arno")
    with pytest.raises(OrderRefusedError, match="is pinned by arno: release"):
        site.orders.fallback(why="x", by="dora")
    with pytest.raises(OrderRefusedError, match="the fall-back is not on"):
        site.orders.fallback(False, by="dora")
    site.orders.fallback(why="x", by="dora", force=True)
    site.serve(0)


def test_the_command(site: Site, capsys: pytest.CaptureFixture[str]) -> None:
    """`on` wants a reason and can wait for all workers; `off` ends it."""
    site.start()
    store = ("--store", str(site.path), "--name", "shop")
    for words in (["fallback"], ["fallback", "maybe"], ["fallback", "on"]):
        with pytest.raises(SystemExit) as stopped:
            main([*words, *store])
        assert stopped.value.code == 2
    capsys.readouterr()
    assert main(["fallback", "on", "--why", "x", "--wait", "20", "--json", *store]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["ok"], found["says"], found["behind"]) == (True, "the fall-back serves", [])
    assert {live.snapshot.config.a for live in site.engines} == {0}
    assert main(["fallback", "off", *store]) == 0
    site.serve(1)


def test_it_needs_a_store(tmp_path: Path) -> None:
    """Nothing could order it otherwise."""
    with pytest.raises(OptionError, match="needs a store"):
        ReloadCheck(tmp_path / "config.yaml", fallback=tmp_path / "fallback.yaml")


def test_no_secret_of_the_sources_is_left_behind(site: Site, tmp_path: Path) -> None:
    """Confidential sources are as they are now, under the fall-back too."""
    from reloadcheck import DirectorySource

    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "password").write_text("one")
    live: Engine = ReloadCheck(
        site.file,
        DirectorySource(secrets),
        store=site.path,
        app="shop",
        fallback=site.fallback,
        settle=0,
        window=0.1,
    )
    live.start()
    until(lambda: len(site.orders.history()) == 1)
    site.orders.fallback(why="x", by="dora")
    until(lambda: bool(live.check()) and live.snapshot.config.a == 0)
    (secrets / "password").write_text("two")
    until(lambda: bool(live.check()) and live.snapshot.config.password == "two")
    assert live.snapshot.config.a == 0
    with closing(live):
        pass
