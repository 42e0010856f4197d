"""A store's file where what is in the way comes seldom: forks, damage, no right to write."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

import logging
import os
import sqlite3
import zlib
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reloadcheck.exceptions import StoreLostError, StoreRefusedError, StoreUnsureError
from reloadcheck.stores import SQLiteStore, _boot, _network_mounts, _sqlite_open
from reloadcheck.stores import sqlite as sqlite_
from reloadcheck.stores._sqlite_open import File, open_file

from .inside import opened


def _error(code: int) -> sqlite3.OperationalError:
    error = sqlite3.OperationalError("as SQLite says it")
    error.sqlite_errorcode = code
    return error


@pytest.fixture
def path(tmp_path: Path) -> str:
    """A store's file, with a record and nobody who has it open; its name is one that URIs quote."""
    path = tmp_path / "50%?#.db"
    with closing(SQLiteStore(path)) as store:
        store.put({"a": "1"})
    return str(path)


@pytest.fixture
def unwritable(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who may not write: for root there is no such file."""

    def refuse(path: str) -> File:
        raise _error(sqlite3.SQLITE_READONLY)

    monkeypatch.setattr(_sqlite_open, "_opened", refuse)


@pytest.mark.parametrize("makes_log", [True, False])
def test_who_may_not_write_reads_all_the_same(
    path: str, unwritable: None, monkeypatch: pytest.MonkeyPatch, makes_log: bool
) -> None:
    """An operator who only asks; also where SQLite cannot make the log that it wants beside it."""
    connect = _sqlite_open._connect

    def connected(database: str, *, uri: bool = False) -> sqlite3.Connection:
        connection = connect(database, uri=uri)
        if not makes_log and "immutable" not in database:
            connection.close()
        return connection

    monkeypatch.setattr(_sqlite_open, "_connect", connected)
    with closing(SQLiteStore(path)) as store:
        for _ in range(2):  # what cannot change under a reader is opened anew each time
            board = store.look("")
            assert board is not None
            assert {key: record.value for key, record in board.records.items()} == {"a": "1"}
        with pytest.raises(StoreLostError, match="this user may not write it"):
            store.put({"b": "1"})
        file = store._file
        assert file is not None
        assert (file.fixed, file.is_without_log()) == (not makes_log, False)


def test_who_may_not_write_is_refused_what_is_no_store(path: str, unwritable: None) -> None:
    """A database of something else, or of a newer release."""
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA user_version=9")
    with pytest.raises(StoreRefusedError, match="is no store of this release"):
        open_file(path)


def test_what_nobody_can_read_is_lost(
    path: str, unwritable: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither as it is nor fixed; with a log beside it the second is not tried."""
    asked: list[str] = []
    connect = _sqlite_open._connect

    def refuse(database: str, *, uri: bool = False) -> sqlite3.Connection:
        asked.append(database.partition("?")[2])
        connection = connect(":memory:")
        connection.close()
        return connection

    monkeypatch.setattr(_sqlite_open, "_connect", refuse)
    with pytest.raises(StoreLostError, match="cannot be read by this user"):
        open_file(path)
    assert asked == ["mode=ro", "mode=ro&immutable=1"]
    Path(f"{path}-wal").touch()
    with pytest.raises(StoreLostError, match="cannot be read by this user"):
        open_file(path)
    assert asked[2:] == ["mode=ro"]


@pytest.mark.parametrize("code", [sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY])
def test_another_error_at_the_opening_is_told_as_it_is(
    path: str, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """It is not taken for a file that cannot be written, and nothing is moved aside."""

    def refuse(path: str) -> File:
        raise _error(code)

    monkeypatch.setattr(_sqlite_open, "_opened", refuse)
    with pytest.raises(sqlite3.OperationalError):
        open_file(path)
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]


def test_a_directory_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """In the system's words, with the path."""
    (tmp_path / "file").touch()
    with pytest.raises(StoreLostError, match=r"store\.db: (Not a directory|File exists)"):
        SQLiteStore(tmp_path / "file" / "deep" / "store.db").look("")


def test_a_file_that_is_taken_away_while_it_is_opened_is_lost(path: str) -> None:
    """The connection leads to a file that nobody else will find."""
    connection = sqlite3.connect(":memory:")
    with closing(connection), pytest.raises(StoreLostError, match="was taken away"):
        _sqlite_open._file(connection, f"{path}.gone")


def test_of_two_who_find_a_file_corrupt_the_second_uses_what_the_first_made(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is sound after all is not moved; another error than damage moves nothing either."""
    _sqlite_open._move_aside(path)
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]

    def refuse(path: str) -> File:
        raise _error(sqlite3.SQLITE_BUSY)

    monkeypatch.setattr(_sqlite_open, "_opened", refuse)
    with pytest.raises(sqlite3.OperationalError):
        _sqlite_open._move_aside(path)
    assert os.listdir(os.path.dirname(path)) == [os.path.basename(path)]


# -------------------------------------------------------------------------- a call on it


def test_a_forked_child_opens_the_file_itself(path: str) -> None:
    """It never closes the parent's connection: that would take the parent's locks away."""
    with closing(SQLiteStore(path)) as store:
        store.put({"b": "1"}, mortal=True)
        parents = opened(store)
        store._pid = -1
        assert store.look("") is not None
        assert opened(store) is not parents
        assert sqlite_._abandoned.pop() is parents
        assert parents.execute("SELECT count(*) FROM board").fetchone() == (2,)
        parents.close()
        file = store._file
        assert file is not None
        foreign = File(file.connection, path, -1, file.main, file.wal)
        sqlite_._shut(foreign)
        assert sqlite_._abandoned.pop() is file.connection
        assert file.connection.execute("SELECT 1").fetchone() == (1,)


class _Refusing:
    """A connection whose commits, or roll-backs, fail."""

    def __init__(self, connection: sqlite3.Connection, word: str, code: int) -> None:
        self._connection, self._word, self._code = connection, word, code
        self.rolled_back = False

    def execute(self, statement: str, *given: Any) -> sqlite3.Cursor:
        """Do as the real one, save for one word."""
        self.rolled_back = self.rolled_back or statement == "ROLLBACK"
        if statement == self._word:
            raise _error(self._code)
        return self._connection.execute(statement, *given)

    @property
    def in_transaction(self) -> bool:
        """Return whether one is under way."""
        return self._connection.in_transaction

    def close(self) -> None:
        """Close the real one."""
        self._connection.close()


def _refusing(store: SQLiteStore, word: str, code: int) -> _Refusing:
    store.look("")
    file = store._file
    assert file is not None
    connection = _Refusing(file.connection, word, code)
    store._file = File(connection, file.path, file.pid, file.main, file.wal)  # type: ignore[arg-type]
    return connection


def test_a_commit_that_the_disk_breaks_off_is_unsure(path: str) -> None:
    """It may be there or not: nobody is told that it is lost, and the file is opened anew."""
    with closing(SQLiteStore(path)) as store:
        _refusing(store, "COMMIT", sqlite3.SQLITE_IOERR)
        with pytest.raises(StoreUnsureError):
            store.put({"b": "1"})
        assert store._file is None
        assert store.put({"c": "1"}) is not None


def test_a_commit_that_is_refused_is_rolled_back(path: str) -> None:
    """Nothing of it stays, also where the roll-back says that there was nothing to take back."""
    with closing(SQLiteStore(path)) as store:
        connection = _refusing(store, "COMMIT", sqlite3.SQLITE_FULL)
        with pytest.raises(StoreLostError):
            store.put({"b": "1"})
        assert connection.rolled_back
        assert not connection.in_transaction
        board = store.look("")
        assert board is not None
        assert [*board.records] == ["a"]


def test_a_content_that_is_damaged_is_told(path: str) -> None:
    """Not as a traceback of what reads it."""
    with closing(SQLiteStore(path)) as store:
        store.keep("d", b"data" * 100)
        assert store.content("d") == b"data" * 100
        opened(store).execute("UPDATE content SET data=?", (zlib.compress(b"data")[:-3] + b"x",))
        with pytest.raises(StoreLostError, match="a content of it is damaged"):
            store.content("d")
        assert repr(store) == f"SQLiteStore({path!r})"


def test_a_log_that_is_gone_is_not_large(path: str, caplog: pytest.LogCaptureFixture) -> None:
    """Whoever took it away is found at the next call; large, it is warned of once."""
    with caplog.at_level(logging.WARNING, "reloadcheck"), closing(SQLiteStore(path)) as store:
        store._watch_log()
        assert caplog.records == []
        with Path(f"{path}-wal").open("wb") as log:
            log.truncate(65 * 2**20)
        store._watch_log()
        store._watch_log()
        assert len(caplog.records) == 1
        os.unlink(f"{path}-wal")
        store._watch_log()


# ------------------------------------------------------------------------- what surrounds it


def test_a_system_that_does_not_tell_its_boots_has_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """The time of the last beat tells then."""

    def refuse(*_: object, **__: object) -> None:
        raise FileNotFoundError

    monkeypatch.setattr("builtins.open", refuse)
    assert _boot.boot_id() == "unknown"


def test_a_system_that_does_not_tell_its_mounts_is_a_local_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing is refused there; nor where no mount of the list is the directory's."""
    monkeypatch.setattr(_network_mounts, "MOUNTS", str(tmp_path / "mountinfo"))
    assert _network_mounts.network_file_system(str(tmp_path)) is None
    (tmp_path / "mountinfo").write_text("1 0 9:99 / /elsewhere rw - nfs4 server:/x rw\n")
    assert _network_mounts.network_file_system(str(tmp_path)) is None
