"""Pools of SQLite connections with the face of psycopg's, for machines without PostgreSQL.

Take `sqlite:///relative.db` or `sqlite:////absolute.db`, give connections; the async ones run their
statements in worker threads. They must never be used in production: the demo falls back to them.
"""

import asyncio
import contextlib
import itertools
import queue
import sqlite3
from collections.abc import AsyncGenerator, Generator
from typing import Any, Self

__all__ = ["SQLitePool", "SyncSQLitePool"]

_numbers = itertools.count(1)
_TABLE = "CREATE TABLE IF NOT EXISTS orders (id INTEGER PRIMARY KEY)"


class SQLiteCursor:
    """The rows of one statement."""

    def __init__(self, rows: list[tuple[Any, ...]]) -> None:
        self._rows = rows

    async def fetchone(self) -> tuple[Any, ...] | None:
        """Return the next row, or None."""
        return self._rows.pop(0) if self._rows else None


class SQLiteConnection:
    """One connection; each statement is a transaction of its own."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def execute(self, query: str) -> SQLiteCursor:
        """Run a statement in a worker thread and fetch its rows."""
        rows = await asyncio.to_thread(lambda: self._connection.execute(query).fetchall())
        return SQLiteCursor(rows)

    async def close(self) -> None:
        """Close it."""
        await asyncio.to_thread(self._connection.close)


class SQLitePool:
    """As many connections as it is told, opened at once; use as an async context manager."""

    def __init__(self, url: str, *, max_size: int) -> None:
        self.name = f"pool-{next(_numbers)}"
        self.max_size = max_size
        self._path = _path(url)
        self._free: asyncio.Queue[SQLiteConnection] = asyncio.Queue()
        self._all: list[SQLiteConnection] = []

    async def __aenter__(self) -> Self:
        try:
            for _ in range(self.max_size):
                one = SQLiteConnection(await asyncio.to_thread(_connect, self._path))
                self._all.append(one)
                self._free.put_nowait(one)
            await self._all[0].execute(_TABLE)
        except BaseException:
            await self.close()
            raise
        return self

    async def __aexit__(self, *ended_by: object) -> None:
        await self.close()

    @contextlib.asynccontextmanager
    async def connection(self) -> AsyncGenerator[SQLiteConnection]:
        """Lend a connection, waiting until one is free."""
        one = await self._free.get()
        try:
            yield one
        finally:
            self._free.put_nowait(one)

    async def close(self) -> None:
        """Close all connections."""
        while self._all:
            await self._all.pop().close()


class SyncSQLitePool:
    """The same for threads; use as a context manager."""

    def __init__(self, url: str, *, max_size: int) -> None:
        self.name = f"pool-{next(_numbers)}"
        self.max_size = max_size
        self._path = _path(url)
        self._free: queue.SimpleQueue[sqlite3.Connection] = queue.SimpleQueue()
        self._all: list[sqlite3.Connection] = []

    def __enter__(self) -> Self:
        try:
            for _ in range(self.max_size):
                self._all.append(_connect(self._path))
                self._free.put(self._all[-1])
            self._all[0].execute(_TABLE)
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(self, *ended_by: object) -> None:
        self.close()

    @contextlib.contextmanager
    def connection(self) -> Generator[sqlite3.Connection]:
        """Lend a connection, waiting until one is free."""
        one = self._free.get()
        try:
            yield one
        finally:
            self._free.put(one)

    def close(self) -> None:
        """Close all connections."""
        while self._all:
            self._all.pop().close()


def _path(url: str) -> str:
    return url.removeprefix("sqlite:").removeprefix("///")


def _connect(path: str) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=10, isolation_level=None, check_same_thread=False)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=OFF")
    return connection
