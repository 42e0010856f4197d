"""A snapshot knows its number in the store, and so does what is logged in a unit of work."""

import logging
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Orders, ReloadCheck
from reloadcheck.logs import ConfigVersionFilter, add_config_version
from reloadcheck.testing import MemoryStore
from tests.support.rig import until


@pytest.fixture
def store() -> MemoryStore:
    """A store of one worker."""
    return MemoryStore()


@pytest.fixture
def live(tmp_path: Path, store: MemoryStore) -> Iterator[ReloadCheck[Any]]:
    """An engine with the first edition."""
    file = tmp_path / "config.yaml"
    file.write_text("a: 1\n")
    live: ReloadCheck[Any] = ReloadCheck(file, store=store, app="shop", settle=0, window=0.1)
    live.start()
    until(lambda: live.snapshot.edition == 1)
    yield live
    live.close()


def test_each_snapshot_has_its_own_number(
    live: ReloadCheck[Any], store: MemoryStore, tmp_path: Path
) -> None:
    """The one before keeps it, and what serves again by an order has the order's."""
    first = live.snapshot
    (tmp_path / "config.yaml").write_text("a: 2\n")
    until(lambda: bool(live.check()) and live.snapshot.edition == 2)
    second = live.snapshot
    Orders(store.peer(), app="shop").rollback(1, why="too many")
    until(lambda: bool(live.check()) and live.snapshot.edition == 3)
    assert (first.edition, second.edition, live.snapshot.config.a) == (1, 2, 1)


def test_who_never_left_speaks_of_the_edition_that_came_back(
    live: ReloadCheck[Any], store: MemoryStore, tmp_path: Path
) -> None:
    """Edition 3 is 1 again: who went and who stayed serve 3, and neither drifts."""
    (tmp_path / "another.yaml").write_text("a: 1\n")
    stayed: ReloadCheck[Any] = ReloadCheck(
        tmp_path / "another.yaml", store=store.peer(), app="shop", settle=0, window=0.1
    )
    stayed.start()
    with closing(stayed):
        until(lambda: stayed.snapshot.edition == 1)
        snapshot, orders = stayed.snapshot, Orders(store.peer(), app="shop")
        (tmp_path / "config.yaml").write_text("a: 2\n")
        until(lambda: bool(live.check()) and live.snapshot.edition == 2)
        assert stayed.snapshot.edition == 1
        assert [one.in_step for one in orders.fleet().live].count(False) == 1
        orders.rollback(1, why="too many")
        until(lambda: bool(live.check()) and live.snapshot.edition == 3)
        until(lambda: stayed.snapshot.edition == 3)
        assert stayed.snapshot is snapshot
        until(lambda: [one.member.edition for one in orders.fleet().live] == [3, 3])
        fleet = orders.fleet(grace=0.0)
        assert ([one.in_step for one in fleet.live], fleet.drift) == ([True, True], 0.0)
        status = stayed.status()
        assert status.store is not None
        assert status.store.edition == 3


def test_a_store_that_is_away_has_no_number_yet(
    live: ReloadCheck[Any], store: MemoryStore, tmp_path: Path
) -> None:
    """The edit serves without one, and gets it when the store is back."""
    store.lose()
    (tmp_path / "config.yaml").write_text("a: 2\n")
    until(lambda: bool(live.check()) and live.snapshot.config.a == 2)
    assert live.snapshot.edition is None
    store.heal()
    until(lambda: live.snapshot.edition == 2)


def test_without_a_store_there_is_none(tmp_path: Path) -> None:
    """Nobody numbers then."""
    (tmp_path / "config.yaml").write_text("a: 1\n")
    live = ReloadCheck(tmp_path / "config.yaml")
    with closing(live), live.lease() as snapshot:
        assert snapshot.edition is None
        record = _record()
        assert record.__dict__["config_edition"] == "-"
        event: dict[str, Any] = {}
        assert "config_edition" not in add_config_version(None, "info", event)


def test_what_is_logged_in_a_unit_of_work_has_the_number(live: ReloadCheck[Any]) -> None:
    """By the filter and by the processor; a record that tells of another version has none."""
    with live.lease():
        assert _record().__dict__["config_edition"] == 1
        assert _record(config_version=7).__dict__["config_edition"] == "-"
        event: dict[str, Any] = {}
        assert add_config_version(None, "info", event)["config_edition"] == 1
    assert _record().__dict__["config_edition"] == "-"


def _record(**facts: object) -> logging.LogRecord:
    record = logging.makeLogRecord(facts)
    assert ConfigVersionFilter().filter(record)
    return record
