"""A store in one file of one host: SQLite; its transactions, and its way back from a bad file.

Finding out whether a file may be used is `_sqlite_open`'s. Gives a board that survives `kill -9` at
any point; a look is one statement, and no call holds its thread for longer than 50 ms at a time. It
raises `StoreLostError` for whatever is wrong with the file, and finds its way back by itself.

Long because each call on a file can fail in its own way, and one place finds the way back from all.
"""

import os
import random
import sqlite3
import threading
import time
import weakref
import zlib
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import TypeVar

from .._runtime.log import WARNING, log
from .._runtime.paths import path_text
from ..exceptions import StoreError, StoreLostError, StoreUnsureError
from ..types import Board, Record, Retention
from ._boot import boot_id
from ._sqlite_forks import QUIET
from ._sqlite_open import BUSY, CORRUPT, File, open_file, primary
from ._sqlite_rows import give_room_back, holds, raise_revision, take_away

__all__ = ["SQLiteStore"]

T = TypeVar("T")

_TRIES_SECONDS = 2.0
_LARGE_LOG = 64 * 2**20
_abandoned: list[sqlite3.Connection] = []
"""Connections that a forked child was left with: dropped, and never closed, which would be felt."""


class SQLiteStore:
    """What the workers of one host share, in a file that only their user can read.

    Makes the file, 0600, and its directory, 0700, at the first call. `keep` editions and
    `keep_bytes` of their content stay; `keep_content=False` keeps none, so that nothing can be
    rolled back. A member that has not beaten for `ttl` seconds is gone.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        keep: int = 100,
        keep_bytes: int = 64 * 2**20,
        keep_content: bool = True,
        *,
        ttl: float = 15.0,
    ) -> None:
        self._path: str = os.path.abspath(path_text(path, "a store"))
        self._retention = Retention(keep, keep_bytes, keep_content)
        self._ttl = ttl
        self._boot = boot_id()
        self._large = False
        self._pid = 0
        self._file: File | None = None
        self._mine: frozenset[str] = frozenset()
        self._made_for(os.getpid())

    on_one_host = True
    mends = True
    """Whether a corrupt file is moved aside, and a new one begun: not by who only asks."""

    def __repr__(self) -> str:
        return f"SQLiteStore({self._path!r})"

    @property
    def name(self) -> str:
        """The path of the file."""
        return self._path

    @property
    def retention(self) -> Retention:
        """How much is kept."""
        return self._retention

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Return the records below `prefix`; None where they are those that `seen` has."""
        return self._tried(lambda file: self._look(file, prefix, seen))

    def put(
        self,
        records: Mapping[str, str | None],
        *,
        same: Mapping[str, int] | None = None,
        none_since: tuple[str, int] | None = None,
        mortal: bool = False,
    ) -> int | None:
        """Write all records or none, and return the new revision; None takes a record away.

        What is conditional is a decision, and survives a power cut: it is on the disk at return.
        """

        def work(connection: sqlite3.Connection) -> int | None:
            if not holds(connection, same or {}, none_since):
                return None
            revision = raise_revision(connection)
            for key, value in records.items():
                connection.execute("DELETE FROM life WHERE id=?", (key,))
                if value is None:
                    connection.execute("DELETE FROM board WHERE key=?", (key,))
                    continue
                row = (key, value, revision)
                connection.execute("INSERT OR REPLACE INTO board VALUES(?,?,?)", row)
                if mortal:
                    life = (key, self._boot, time.monotonic())
                    connection.execute("INSERT INTO life VALUES(?,?,?)", life)
            return revision

        durable = same is not None or none_since is not None
        written = self._written(work, durable=durable)
        if written is not None:
            living = {key for key, value in records.items() if mortal and value is not None}
            self._mine = (self._mine - records.keys()) | living
        return written

    def beat(self) -> bool:
        """Keep what is mortal alive, and take away what has not beaten for its time to live."""
        mine = sorted(self._mine)

        def work(connection: sqlite3.Connection) -> bool:
            now = time.monotonic()
            oldest = now - self._ttl  # who was silent for longer is gone for others already
            beaten = [
                connection.execute(
                    "UPDATE life SET beat=? WHERE id=? AND boot=? AND beat>=?",
                    (now, key, self._boot, oldest),
                ).rowcount
                for key in mine
            ]
            # A beat of the future is one of a boot that is over, where boots cannot be told apart.
            rows = connection.execute(
                "SELECT id FROM life WHERE boot<>? OR beat<? OR beat>?",
                (self._boot, oldest, now + self._ttl),
            ).fetchall()
            take_away(connection, [key for (key,) in rows])
            return all(beaten)

        alive = self._written(work)
        if not alive:
            self._mine = frozenset()
        self._watch_log()
        return alive

    def wait(self, seconds: float) -> None:
        """Wait so long, or until `wake`."""
        self._woken.wait(seconds)
        self._woken.clear()

    def wake(self) -> None:
        """End a wait that is under way, or the next one; from any thread."""
        self._woken.set()

    def content(self, digest: str) -> bytes | None:
        """Return what was kept under a digest, or None."""
        query = "SELECT codec, data FROM content WHERE digest=?"

        def work(file: File) -> bytes | None:
            row = file.connection.execute(query, (digest,)).fetchone()
            if row is None:
                return None
            return zlib.decompress(row[1]) if row[0] == "zlib" else bytes(row[1])

        return self._tried(work)

    def keep(self, digest: str, data: bytes | None) -> None:
        """Keep content under its digest; None: keep it no longer, and give its room back."""
        if data is None:
            self._written(
                lambda connection: connection.execute(
                    "DELETE FROM content WHERE digest=?", (digest,)
                )
            )
            self._tried(lambda file: give_room_back(file.connection))
        elif self._retention.content:
            row = (digest, len(data), "zlib", zlib.compress(data, 6))
            self._written(
                lambda connection: connection.execute(
                    "INSERT OR IGNORE INTO content VALUES(?,?,?,?)", row
                )
            )

    def close(self) -> None:
        """Take away what is mortal and close the file; a later call opens it anew."""
        if self._pid == os.getpid() and self._file is not None and self._mine:
            mine = sorted(self._mine)
            with suppress(StoreError):
                self._written(lambda connection: take_away(connection, mine))
        self._mine = frozenset()
        self._let_go()

    # ------------------------------------------------------------------ one call

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._lock = threading.RLock()
        self._woken = threading.Event()
        self._file = None
        self._mine = frozenset()

    def _look(self, file: File, prefix: str, seen: Board | None) -> Board | None:
        select = file.connection.execute
        if seen is not None and seen.stamp == (file.main, seen.revision):
            (revision,) = select("SELECT revision FROM meta").fetchone()
            if revision == seen.revision:
                return None
        # One statement, so that no reader is ever in the middle of a transaction.
        rows = select(
            "SELECT meta.revision, board.key, board.value, board.revision FROM meta "
            "LEFT JOIN board ON board.key >= ? AND board.key < ? AND NOT EXISTS "
            "(SELECT 1 FROM life WHERE id = board.key AND (boot <> ? OR beat < ?)) "
            "ORDER BY board.key",
            (prefix, prefix + "\U0010ffff", self._boot, time.monotonic() - self._ttl),
        ).fetchall()
        revision = rows[0][0]
        records = {key: Record(value, at) for _, key, value, at in rows if key is not None}
        return Board(revision, records, (file.main, revision))

    def _written(self, work: Callable[[sqlite3.Connection], T], *, durable: bool = False) -> T:
        def transaction(file: File) -> T:
            connection = file.connection
            connection.execute(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            connection.execute("BEGIN IMMEDIATE")
            result = work(connection)
            try:
                connection.execute("COMMIT")
            except sqlite3.Error as error:
                if primary(error) == sqlite3.SQLITE_IOERR:
                    raise StoreUnsureError(f"{self._path}: {error}") from None
                raise
            return result

        return self._tried(transaction)

    def _tried(self, work: Callable[[File], T]) -> T:
        """Do a piece of work, again while another process writes; the naps let greenlets run."""
        if self._pid != os.getpid():
            if self._file is not None:
                _abandoned.append(self._file.connection)
            self._made_for(os.getpid())
        with self._lock:
            deadline = time.monotonic() + _TRIES_SECONDS
            while True:
                try:
                    return self._done(work)
                except StoreUnsureError:
                    self._let_go()
                    raise
                except sqlite3.Error as error:
                    code = primary(error)
                    if code in BUSY and time.monotonic() < deadline:
                        time.sleep(random.uniform(0.005, 0.025))
                        continue
                    if code in CORRUPT or code == sqlite3.SQLITE_IOERR:
                        self._let_go()
                    may_not = code == sqlite3.SQLITE_READONLY
                    reason = "this user may not write it" if may_not else str(error)
                    raise StoreLostError(f"{self._path}: {reason}") from None
                except zlib.error:
                    raise StoreLostError(f"{self._path}: a content of it is damaged") from None

    def _done(self, work: Callable[[File], T]) -> T:
        """Do it once; no fork comes in between, nor before what failed is rolled back."""
        with QUIET.lock:
            try:
                return work(self._opened())
            except sqlite3.Error:
                self._roll_back()
                raise

    def _opened(self) -> File:
        file = self._file
        if file is not None:
            replaced = file.is_replaced()
            if replaced:
                log(WARNING, "the store %s was replaced: opened anew", self._path, code="store")
            if replaced or file.fixed or file.is_without_log():
                self._let_go()
                file = None
        if file is None:
            file = self._file = open_file(self._path, mends=self.mends)
            # For who never closes: a script that gives an order and ends.
            self._ends = weakref.finalize(self, _shut, file)
            self._ends.atexit = False
        return file

    def _roll_back(self) -> None:
        if self._file is not None and self._file.connection.in_transaction:
            with suppress(sqlite3.Error):
                self._file.connection.execute("ROLLBACK")

    def _let_go(self) -> None:
        file, self._file = self._file, None
        if file is not None:
            self._ends.detach()
            _shut(file)

    def _watch_log(self) -> None:
        """Warn once that the log grows: a reader stands still in the middle of reading."""
        try:
            large = os.stat(f"{self._path}-wal").st_size > _LARGE_LOG
        except OSError:
            large = False
        if large and not self._large:
            log(WARNING, "the log of the store %s is larger than 64 MiB", self._path, code="store")
        self._large = large


def _shut(file: File) -> None:
    """Close a file, in the process that opened it."""
    if file.pid != os.getpid():
        _abandoned.append(file.connection)
        return
    with suppress(sqlite3.Error):
        file.connection.close()
