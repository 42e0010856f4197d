"""Open an SQLite store's file as SQLite alone would not: private, no link followed, known for ours.

Gives a connection and what tells later that the file under it is another. A corrupt file is moved
aside, once, and a new one begun; a foreign one is refused and left as it is.
"""

import errno
import os
import sqlite3
import stat
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from typing import TypeAlias

from .._runtime.log import log
from ..exceptions import StoreLostError, StoreRefusedError
from ._network_mounts import network_file_system
from ._sqlite_schema import APPLICATION_ID, SCHEMA, TABLES

__all__ = ["BUSY", "CORRUPT", "File", "open_file", "primary"]

ERROR = 40
BUSY = (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)
CORRUPT = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_UNWRITABLE = (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN)
_BUSY_SECONDS = 0.05
_DOCUMENTS = (".yaml", ".yml", ".json", ".toml", ".env")
"""How no store is called: a configuration that is named by mistake is not to be moved aside."""

Identity: TypeAlias = tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class File:
    """An open store: who opened it, and by which files that is known. `fixed` sees no change."""

    connection: sqlite3.Connection
    path: str
    pid: int
    main: Identity
    wal: Identity
    fixed: bool = False

    def is_replaced(self) -> bool:
        """Return whether the path leads to another file, or to none, or to an emptied one."""
        found = _stat(self.path)
        return found is None or found.st_size == 0 or _identity(found) != self.main

    def is_without_log(self) -> bool:
        """Return whether the write-ahead log under an open store was taken away.

        Its holders would write on, and every newcomer would hear of an I/O error.
        """
        if self.wal is None:
            return False
        found = _stat(f"{self.path}-wal")
        return found is None or _identity(found) != self.wal


def primary(error: sqlite3.Error) -> int:
    """Return SQLite's code of an error without its details."""
    return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF


def open_file(path: str, *, mends: bool = True) -> File:
    """Open or make the file; raise `sqlite3.Error`, `StoreLostError` or `StoreRefusedError`.

    Unless it `mends`, a corrupt file is refused as well, and stays where it is.
    """
    try:
        _make_private(path)
        try:
            return _opened(path)
        except sqlite3.DatabaseError as error:
            if primary(error) in CORRUPT:
                if path.endswith(_DOCUMENTS):
                    raise StoreRefusedError(f"{path}: is no store: name another file") from None
                if not mends:
                    words = "is no store, or damaged: the application moves it aside at its start"
                    raise StoreRefusedError(f"{path}: {words}") from None
                _move_aside(path)
                return _opened(path)
            if primary(error) in _UNWRITABLE:
                return _opened_to_read(path)
            raise
    except OSError as error:
        raise StoreLostError(f"{path}: {os.strerror(error.errno or errno.EIO)}") from None


def _make_private(path: str) -> None:
    """Make directory and file for this user alone, before SQLite would make them for everybody."""
    directory = os.path.dirname(path)
    if not os.path.isdir(directory):
        os.makedirs(directory, mode=0o700, exist_ok=True)
    kind = network_file_system(directory)
    if kind is not None:
        raise StoreRefusedError(
            f"{path}: is on {kind}, where locks may do nothing: use a local disk"
        )
    flags = os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    # Only a file that was not there is opened by us: closing any descriptor of a database would
    # take away the locks that another connection of this process holds on it (fcntl(2)).
    try:
        os.close(os.open(path, flags, 0o600))
    except FileExistsError:
        found = os.lstat(path)
        if not stat.S_ISREG(found.st_mode):
            what = "a link" if stat.S_ISLNK(found.st_mode) else "no ordinary file"
            raise StoreRefusedError(f"{path}: is {what}") from None


def _opened(path: str) -> File:
    connection = _connect(path)
    try:
        _be_ours(connection, path)
        for row in connection.execute("PRAGMA quick_check(1)").fetchall():
            if row[0] != "ok":
                raise _corrupt()
        connection.execute("SELECT revision FROM meta").fetchone()
        for pragma in ("wal_autocheckpoint=250", f"journal_size_limit={2**20}", "secure_delete=ON"):
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("PRAGMA synchronous=NORMAL").fetchall()
        return _file(connection, path)
    except BaseException:
        connection.close()
        raise


def _be_ours(connection: sqlite3.Connection, path: str) -> None:
    """Know the file for a store's, make it one if it is empty, or refuse it."""
    number, version, tables = _marks(connection)
    if number == 0 and tables == 0:
        # Both have to be said before the first table, and the first before the second.
        connection.execute("PRAGMA auto_vacuum=2").fetchall()
        connection.execute("PRAGMA journal_mode=WAL").fetchall()
        _make_tables(connection)
        number, version, _ = _marks(connection)
    if number != APPLICATION_ID:
        raise StoreRefusedError(f"{path}: is a database of something else")
    if version > SCHEMA:
        raise StoreRefusedError(
            f"{path}: has schema {version}, and this release knows {SCHEMA}: upgrade reloadcheck"
        )


def _marks(connection: sqlite3.Connection) -> tuple[int, int, int]:
    """Return application id, schema and number of tables, all of one moment."""
    if not connection.in_transaction:
        connection.execute("BEGIN")
        try:
            return _marks(connection)
        finally:
            connection.execute("ROLLBACK")
    (number,) = connection.execute("PRAGMA application_id").fetchone()
    (version,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    return number, version, tables


def _make_tables(connection: sqlite3.Connection) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        if _marks(connection)[2] == 0:
            for statement in TABLES:
                connection.execute(statement)
        connection.execute("COMMIT")
    except BaseException:
        with suppress(sqlite3.Error):
            connection.execute("ROLLBACK")
        raise


def _opened_to_read(path: str) -> File:
    """Open for somebody who may not write, as an operator who only asks.

    Without a log beside it the file cannot change under a reader, and SQLite must be told so: it
    would make one otherwise.
    """
    for options in ("mode=ro", "mode=ro&immutable=1"):
        fixed = "immutable" in options
        if fixed and os.path.exists(f"{path}-wal"):
            break
        try:
            connection = _connect(f"file:{_quoted(path)}?{options}", uri=True)
        except sqlite3.Error:
            break
        try:
            number, version, _ = _marks(connection)
            if number != APPLICATION_ID or version > SCHEMA:
                raise StoreRefusedError(f"{path}: is no store of this release")
            return _file(connection, path, fixed=fixed)
        except sqlite3.Error:
            connection.close()
        except BaseException:
            connection.close()
            raise
    raise StoreLostError(f"{path}: cannot be read by this user: ask as the application's")


def _connect(database: str, *, uri: bool = False) -> sqlite3.Connection:
    connection = sqlite3.connect(
        database, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False, uri=uri
    )
    connection.execute("PRAGMA trusted_schema=OFF").fetchall()
    return connection


def _file(connection: sqlite3.Connection, path: str, *, fixed: bool = False) -> File:
    main, wal = _stat(path), _stat(f"{path}-wal")
    if main is None:
        raise StoreLostError(f"{path}: was taken away while it was opened")
    log_of = None if fixed or wal is None else _identity(wal)
    return File(connection, path, os.getpid(), _identity(main), log_of, fixed)


def _move_aside(path: str) -> None:
    """Rename a corrupt file, unless another process has done so or it is sound after all."""
    directory = os.open(os.path.dirname(path), os.O_RDONLY | os.O_CLOEXEC)
    try:
        import fcntl  # which Windows has not, where the commands can be imported all the same

        fcntl.flock(directory, fcntl.LOCK_EX)
        _make_private(path)
        try:
            _opened(path).connection.close()
        except sqlite3.DatabaseError as error:
            if primary(error) not in CORRUPT:
                raise
        else:
            return
        aside = f"{path}.corrupt-{time.time_ns()}"
        os.rename(path, aside)
        for tail in ("-wal", "-shm"):
            with suppress(FileNotFoundError):
                os.rename(path + tail, aside + tail)
        log(ERROR, "the store %s was corrupt: moved to %s, begun anew", path, aside, code="store")
        _make_private(path)
        with closing(_opened(path).connection):
            pass
    finally:
        os.close(directory)


def _corrupt() -> sqlite3.DatabaseError:
    error = sqlite3.DatabaseError("the check of the file found a fault")
    error.sqlite_errorcode = sqlite3.SQLITE_CORRUPT
    return error


def _stat(path: str) -> os.stat_result | None:
    try:
        return os.stat(path)
    except FileNotFoundError:
        return None


def _identity(found: os.stat_result) -> tuple[int, int]:
    return found.st_dev, found.st_ino


def _quoted(path: str) -> str:
    return path.replace("%", "%25").replace("?", "%3f").replace("#", "%23")
