"""What stands under the demo: a role whose password rotates, and SQLite's stand-in pool."""

import asyncio
import sqlite3
from collections.abc import Generator
from pathlib import Path

import psycopg
import pytest

from reloadcheck.demo.databases import PostgresDatabase, sqlite_database
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.demo.sqlite import SQLitePool


@pytest.fixture
def database(postgres: PostgresServer) -> Generator[PostgresDatabase]:
    """Return the demo's role and database in the shared server, and remove both."""
    with psycopg.connect(postgres.url(), autocommit=True) as admin:
        yield PostgresDatabase(postgres, admin)
        admin.execute("DROP DATABASE orders WITH (FORCE)")
        admin.execute("DROP ROLE orders")


def test_a_rotation_refuses_the_old_password(database: PostgresDatabase) -> None:
    """After a rotation the new URL works, the old one does not, open connections stay."""
    old = database.url()
    with psycopg.connect(old) as kept:
        new = database.rotate()
        assert kept.execute("SELECT 1").fetchone() == (1,)
    psycopg.connect(new).close()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(old)


def test_the_wrong_url_fails_by_its_password(database: PostgresDatabase) -> None:
    """The mistake is one that only the server can find."""
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(database.wrong_url())


def test_every_password_is_known_to_be_looked_for(database: PostgresDatabase) -> None:
    """Each URL's password is among the secrets that no log may show."""
    urls = [database.url(), database.rotate(), database.wrong_url()]
    assert len(set(database.secrets)) == 3
    assert all(secret in url for secret, url in zip(database.secrets, urls, strict=True))


def test_counts_the_role_s_connections_alone(database: PostgresDatabase) -> None:
    """The server's count is of the application's connections, not of ours."""
    with psycopg.connect(database.url()), psycopg.connect(database.url()):
        assert database.connections() == 2


def test_sqlite_pool_takes_orders(tmp_path: Path) -> None:
    """The stand-in makes its table, numbers rows, and lends no more than it has."""

    async def use() -> tuple[object, int]:
        async with SQLitePool(f"sqlite:///{tmp_path}/orders.db", max_size=2) as pool:
            async with pool.connection() as one, pool.connection():
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0), pool.connection():
                        raise AssertionError("a third connection out of two")
                cursor = await one.execute("INSERT INTO orders DEFAULT VALUES RETURNING id")
                row = await cursor.fetchone()
            return row, pool.max_size

    assert asyncio.run(use()) == ((1,), 2)


def test_sqlite_pool_refuses_a_missing_directory(tmp_path: Path) -> None:
    """The mistake of the SQLite demo fails when the pool is built, and leaves nothing open."""
    with sqlite_database(tmp_path) as database:
        url = database.wrong_url()

    async def use() -> None:
        async with SQLitePool(url, max_size=2):
            raise AssertionError("opened a database that is not there")

    with pytest.raises(sqlite3.OperationalError, match="unable to open"):
        asyncio.run(use())


def test_sqlite_rotates_to_another_file(tmp_path: Path) -> None:
    """Each rotation is a new file, and there is no server to count connections of."""
    with sqlite_database(tmp_path) as database:
        urls = {database.url(), database.rotate(), database.rotate()}
        assert len(urls) == 3
        assert database.connections() is None
