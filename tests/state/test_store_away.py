"""A store that is unreachable, running and at a start: each row of what is promised then."""

import logging
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ConfigError, DirectorySource, ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.testing import FakeClock, MemoryStore
from tests.support.load import until

Engine = ReloadCheck[Any]


class Away:
    """One application on one host, its mirror, and a store that can be cut off from it."""

    def __init__(self, directory: Path, *, mirrored: bool = True) -> None:
        self.file = directory / "config.yaml"
        self.mirror = directory / "mirror.json" if mirrored else None
        self.board = MemoryStore()
        self.orders = Orders(self.board.peer(), app="shop")
        self.engines: list[Engine] = []
        self.store = self.board

    def write(self, text: str) -> None:
        """Edit the file."""
        self.file.write_text(text)

    def start(self, *, away: bool = False, **options: Any) -> Engine:
        """Start a worker, cut off from the store or not."""
        self.store = MemoryStore(mirror=self.mirror)
        self.store.share(self.board)
        if away:
            self.store.lose()
        options = {"settle": 0, "window": 0.1, **options}
        live: Engine = ReloadCheck(self.file, store=self.store, app="shop", **options)
        self.engines.append(live)
        live.start()
        return live

    def lived(self, *texts: str) -> Engine:
        """Start a worker that has served these contents, one edition each."""
        self.write(texts[0])
        live = self.start()
        for edition, text in enumerate(texts, 1):
            self.write(text)
            self._reach(live, edition)
        return live

    def _reach(self, live: Engine, edition: int) -> None:
        until(lambda: bool(live.check()) and self.editions() >= edition)

    def editions(self) -> int:
        """Return how many editions the history has."""
        return max([row.entry.edition or 0 for row in self.orders.history()], default=0)

    def mirrors(self, word: str) -> None:
        """Wait until the mirror holds a word."""
        mirror = self.mirror
        assert mirror is not None
        until(lambda: mirror.exists() and word in mirror.read_text())

    def close(self) -> None:
        """End all workers; what was cut off stays so."""
        for live in self.engines:
            live.close()
        self.engines.clear()


@pytest.fixture
def away(tmp_path: Path) -> Iterator[Away]:
    """A host with a mirror."""
    away = Away(tmp_path)
    yield away
    away.close()


def _follows(live: Engine, value: object) -> None:
    until(lambda: bool(live.check()) and live.snapshot.config["a"] == value)


def _stays(live: Engine, value: object) -> None:
    for _ in range(8):
        live.check()
        assert live.snapshot.config["a"] == value
        time.sleep(0.05)


def test_a_store_that_is_away_is_seen_by_who_asks_for_the_status(away: Away) -> None:
    """It is amber, with the reason: history and orders are not to be had."""
    live = away.lived("a: 1")
    assert live.status().standing == "ok"
    away.store.lose()
    until(lambda: live.status().standing == "warn")
    (reason,) = live.status().reasons
    assert reason.startswith("the store is away, and nothing is written to it: ")
    away.store.heal()
    until(lambda: live.status().standing == "ok")


def test_history_alone_running(away: Away) -> None:
    """Edits go live, and are in the history afterwards."""
    live = away.lived("a: 1")
    away.store.lose()
    away.write("a: 2")
    _follows(live, 2)
    away.store.heal()
    until(lambda: away.editions() == 2)


def test_history_alone_at_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, waits: list[float]
) -> None:
    """The file serves after two seconds at most, no later than `patience`; joined later."""
    away = Away(tmp_path, mirrored=False)
    away.write("a: 1")
    store = MemoryStore()
    store.freeze()
    live: Engine = ReloadCheck(
        away.file, store=store, app="shop", settle=0, patience=0.2, clock=FakeClock()
    )
    live.start()
    assert 0 < sum(waits) <= 0.2
    assert live.snapshot.config.a == 1
    orders = Orders(store.peer(), app="shop")
    store.heal()
    until(lambda: len(orders.history()) == 1)
    live.close()
    assert not caplog.records


def test_without_a_mirror_orders_are_unknown_at_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """The file serves, and one ERROR says so; the order holds once it can be read."""
    away = Away(tmp_path, mirrored=False)
    away.lived("a: 1", "a: 2")
    away.orders.rollback(why="x", by="dora")
    away.close()
    live = away.start(away=True)
    assert live.snapshot.config.a == 2
    until(lambda: "its orders are unknown" in caplog.text)
    assert [one.levelname for one in caplog.records if "unknown" in one.getMessage()] == ["ERROR"]
    away.store.heal()
    _follows(live, 1)
    away.close()


def test_an_order_in_force_running(away: Away) -> None:
    """It is in memory: a store that is gone lifts no pin."""
    live = away.lived("a: 1")
    away.orders.pin(why="x", by="dora")
    until(lambda: getattr(live.status().store, "hold", None) == "pin")
    away.store.lose()
    away.write("a: 2")
    _stays(live, 1)
    away.store.heal()
    away.orders.unpin(why="x", by="dora")
    _follows(live, 2)


@pytest.mark.parametrize("boot", ["file", "last-good"])
def test_a_pin_at_start_is_in_the_mirror(away: Away, boot: str) -> None:
    """Served from it, though the file holds something else; followed on when the store is back."""
    away.lived("a: 1")
    away.orders.pin(why="x", by="dora")
    away.mirrors('"pin"')
    away.close()
    away.write("a: 2")
    live = away.start(away=True, boot=boot)
    assert live.snapshot.config.a == 1
    assert getattr(live.status().store, "hold", None) == "pin"
    _stays(live, 1)
    away.store.heal()
    _stays(live, 1)
    away.orders.unpin(why="x", by="dora")
    _follows(live, 2)


def test_a_rollback_at_start_is_in_the_mirror(away: Away) -> None:
    """The banned content is not served, whatever comments it has; the next good edit is."""
    away.lived("a: 1", "a: 2")
    away.orders.rollback(why="x", by="dora")
    away.mirrors('"rollback"')
    away.close()
    away.write("# again\na: 2")
    live = away.start(away=True)
    assert live.snapshot.config.a == 1
    away.write("a: 3")
    _follows(live, 3)
    away.store.heal()
    until(lambda: away.orders.state().hold is None)


def test_a_ban_at_start_is_in_the_mirror(away: Away) -> None:
    """What was accepted last serves instead of the banned file."""
    live = away.lived("a: 1", "a: 2")
    away.orders.rollback(why="x", by="dora")
    _follows(live, 1)
    away.write("a: 5")
    _follows(live, 5)
    until(lambda: away.orders.state().hold is None)
    away.mirrors('"hold":null')
    away.mirrors('"edition":4')
    away.close()
    away.write("a: 2")
    assert away.start(away=True).snapshot.config.a == 5


def test_a_freeze_at_start_is_in_the_mirror(away: Away) -> None:
    """Nothing goes live, neither what was edited meanwhile nor any edit after it."""
    away.lived("a: 1")
    away.orders.freeze(why="x", by="dora")
    away.mirrors('"x"')
    away.close()
    away.write("a: 2")
    live = away.start(away=True)
    _stays(live, 1)
    away.write("a: 3")
    _stays(live, 1)
    assert live.status().code == "frozen"


def test_the_last_good_at_start_is_in_the_mirror(away: Away) -> None:
    """`boot="last-good"` needs no store; without it a bad file fails the start."""
    away.lived("a: 1")
    away.mirrors('"edition":1')
    away.close()
    away.write("a: [")
    assert away.start(away=True, boot="last-good").snapshot.config.a == 1
    with pytest.raises(ConfigError):
        away.start(away=True)


def test_orders_that_changed_meanwhile_hold_when_the_store_is_back(away: Away) -> None:
    """The mirror is as old as the last look of this host."""
    away.lived("a: 1", "a: 2")
    away.mirrors('"edition":2')
    away.close()
    away.orders.rollback(why="x", by="dora")
    live = away.start(away=True)
    assert live.snapshot.config.a == 2
    away.store.heal()
    until(lambda: live.snapshot.config.a == 1)  # woken, with no request


def test_a_damaged_mirror_is_as_none(away: Away, caplog: pytest.LogCaptureFixture) -> None:
    """It is told, the file serves, and the next look writes it anew."""
    away.lived("a: 1")
    away.orders.pin(why="x", by="dora")
    away.mirrors('"pin"')
    away.close()
    mirror = away.mirror
    assert mirror is not None
    mirror.write_text(mirror.read_text().replace("dora", "mona"))
    away.write("a: 2")
    live = away.start(away=True)
    assert live.snapshot.config.a == 2
    assert [one.levelno for one in caplog.records if "is damaged" in one.getMessage()] == [
        logging.ERROR
    ]
    away.store.heal()
    _follows(live, 1)
    away.mirrors('"dora"')


def test_no_secret_is_in_a_mirror(tmp_path: Path) -> None:
    """Confidential sources are never kept, and nothing that looks secret where it is judged."""
    secrets, mirror = tmp_path / "secrets", tmp_path / "mirror"
    secrets.mkdir()
    (secrets / "password").write_text("canary-one")
    (tmp_path / "config.yaml").write_text("a: 1\ntoken: canary-two\n")
    store = MemoryStore(content=None, mirror=mirror)
    live: Engine = ReloadCheck(
        tmp_path / "config.yaml", DirectorySource(secrets), store=store, app="shop", settle=0
    )
    live.start()
    until(lambda: mirror.exists() and '"edition":1' in mirror.read_text())
    live.close()
    assert "canary" not in mirror.read_text()


def test_a_roll_back_that_an_edit_ended_stays_ended(away: Away) -> None:
    """Though the store cannot be told yet: a banned content does not bring the older one back."""
    live = away.lived("a: 1", "a: 2")
    away.orders.rollback(why="x", by="dora")
    _follows(live, 1)
    away.store.lose()
    away.write("a: 3")
    _follows(live, 3)
    away.write("a: 2")
    _stays(live, 3)
    away.store.heal()
    until(lambda: away.orders.state().hold is None)
    _stays(live, 3)
