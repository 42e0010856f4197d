"""References beside a store: what is kept is what was written, never what it stands for."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import FileReferences, Outcome, ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.stores import SQLiteStore
from tests.support.load import until


@pytest.fixture
def secrets(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Two secrets, old enough to count as quiet."""
    monkeypatch.setattr("reloadcheck._load.references.YOUNG_NS", 0)
    directory = tmp_path / "secrets"
    directory.mkdir()
    (directory / "old").write_text("quartz-one")
    (directory / "new").write_text("molten-two")
    return directory


@pytest.fixture
def live(tmp_path: Path, secrets: Path) -> Iterator[ReloadCheck[Any]]:
    """An engine with a store, over a file that refers to a secret."""
    file = tmp_path / "config.yaml"
    file.write_text("key: ${file:old}\n")
    engine: ReloadCheck[Any] = ReloadCheck(
        file,
        references=[FileReferences(secrets)],
        store=SQLiteStore(tmp_path / "store.db"),
        app="shop",
        settle=0,
        verify=0,
        window=0.1,
        environ={},
    )
    engine.start()
    assert engine.check() is Outcome.UNCHANGED
    yield engine
    engine.close()


def serves(live: ReloadCheck[Any], value: str) -> None:
    """Wait until a value is live."""

    def holds() -> bool:
        live.check()
        return bool(live.snapshot.config.key == value)

    until(holds)


def test_an_older_edition_refers_to_what_is_there_now(
    live: ReloadCheck[Any], tmp_path: Path, secrets: Path
) -> None:
    """A roll-back brings the reference back, and with it the secret as it is, not as it was.

    Though the file names another secret by now; and a rotation of it is live meanwhile.
    """
    orders = Orders(SQLiteStore(tmp_path / "store.db"), app="shop")
    (tmp_path / "config.yaml").write_text("key: ${file:new}\n")
    serves(live, "molten-two")
    until(lambda: len(orders.history()) == 2)
    (secrets / "old").write_text("quartz-three")
    orders.rollback(why="a test")
    serves(live, "quartz-three")
    (secrets / "old").write_text("quartz-four")
    serves(live, "quartz-four")


def test_no_secret_is_in_the_store(live: ReloadCheck[Any], tmp_path: Path, secrets: Path) -> None:
    """Neither in what was kept nor in a row; a rotation makes no new edition."""
    orders = Orders(SQLiteStore(tmp_path / "store.db"), app="shop")
    (secrets / "old").write_text("quartz-three")
    serves(live, "quartz-three")
    until(lambda: len(orders.history()) >= 1)
    (edition,) = {row.entry.edition for row in orders.history()} - {None}
    assert edition == 1
    live.close()
    for file in tmp_path.glob("store.db*"):
        assert b"quartz" not in file.read_bytes()
