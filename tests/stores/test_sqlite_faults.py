"""Faults of an SQLite store that its holder cannot prevent: told, never long, and healed."""

import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest

from reloadcheck.exceptions import StoreLostError, StoreRefusedError
from reloadcheck.stores import SQLiteStore

from .inside import opened

PAGE = 4096


def test_locks_that_fail_hold_no_call_for_long(tmp_path: Path) -> None:
    """Where no lock can be had, reading or writing, each call ends within its time; then it heals.

    Another connection that lets nobody in is to SQLite what a file system without locks is.
    """
    path = tmp_path / "store.db"
    with closing(SQLiteStore(path)) as store:
        store.put({"a": "1"})
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("PRAGMA locking_mode=EXCLUSIVE")
        other.execute("BEGIN EXCLUSIVE")
        with closing(SQLiteStore(path)) as store:
            for call in (lambda: store.look(""), lambda: store.put({"b": "2"})):
                begun = time.monotonic()
                with pytest.raises(StoreLostError, match="locked"):
                    call()
                assert time.monotonic() - begun < 5.0
    with closing(SQLiteStore(path)) as store:
        assert store.put({"b": "2"})
        board = store.look("")
        assert board is not None
        assert set(board.records) == {"a", "b"}


@pytest.mark.parametrize("name", ["config.yaml", "config.json", "app.toml", ".env"])
def test_a_configuration_that_is_named_by_mistake_stays_where_it_is(
    tmp_path: Path, name: str
) -> None:
    """It is no damaged store that is moved aside: the application would lose its own file."""
    path = tmp_path / name
    path.write_text("greeting: hello\n")
    with pytest.raises(StoreRefusedError, match="is no store: name another file"):
        SQLiteStore(path).look("")
    assert [(one.name, one.read_text()) for one in tmp_path.iterdir()] == [
        (name, "greeting: hello\n")
    ]


@pytest.mark.parametrize("what", ["a page", "the tail"])
def test_what_is_destroyed_under_a_holder_is_caught_at_the_next_open(
    tmp_path: Path, what: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It goes on with what it has, or says that it cannot; who opens it next begins anew."""
    path = tmp_path / "store.db"
    with closing(SQLiteStore(path)) as store:
        store.put({f"key{number}": "x" * 900 for number in range(60)})
    store = SQLiteStore(path)
    assert store.look("") is not None
    opened(store).execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    size = path.stat().st_size
    with path.open("r+b") as file:
        if what == "a page":
            file.seek(PAGE * 2)
            file.write(b"\xa5" * (PAGE * 3))
        else:
            file.truncate(size - PAGE * 6)
    said = "malformed"  # or nothing, as what it has read once it does not read again
    try:
        store.look("")
        store.put({"after": "1"})
    except StoreLostError as error:
        said = str(error)
    assert "malformed" in said
    store.close()
    with closing(SQLiteStore(path)) as again:
        assert again.put({"new": "1"}) is not None
    assert len(list(tmp_path.glob("store.db.corrupt-*"))) == 1
    assert "corrupt" in caplog.text


def test_a_log_that_grows_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Somebody stands still in the middle of reading: one WARNING, not one a beat."""
    monkeypatch.setattr("reloadcheck.stores.sqlite._LARGE_LOG", 0)
    with closing(SQLiteStore(tmp_path / "store.db")) as store:
        store.put({"shop/member/1": "a"}, mortal=True)
        for _ in range(3):
            assert store.beat()
    assert caplog.text.count("is larger than 64 MiB") == 1
