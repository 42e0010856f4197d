"""The database under the demo: a private PostgreSQL, or an SQLite file where there is none.

Gives URLs that work and one that does not, and counts the server's connections. It must never touch
a database that the demo did not start.
"""

import secrets
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import LiteralString, Protocol

import psycopg
from psycopg import sql

from .postgres import PostgresServer

__all__ = ["Database", "postgres_database", "sqlite_database"]

ROLE = "orders"


class Database(Protocol):
    """What the steps need of a database; `secrets` are all the passwords it has ever given."""

    kind: str
    rotation: str
    mistake: str
    secrets: list[str]

    def url(self) -> str:
        """Return the URL that works now."""
        ...

    def rotate(self) -> str:
        """Change what the URL must say, and give the new one."""
        ...

    def wrong_url(self) -> str:
        """Return a URL of the right form that cannot work."""
        ...

    def connections(self) -> int | None:
        """Count the application's connections; None where there is no server to ask."""
        ...


class PostgresDatabase:
    """A role and a database in a private server; a rotation is an `ALTER ROLE`."""

    kind = "PostgreSQL"
    rotation = "rotate the database password"
    mistake = "name a wrong password"

    def __init__(self, server: PostgresServer, admin: "psycopg.Connection[tuple[int]]") -> None:
        self._server = server
        self._admin = admin
        self.secrets = list[str]()
        self._password = self._new_password()
        admin.execute(_with_password("CREATE ROLE {} LOGIN PASSWORD {}", self._password))
        admin.execute("CREATE DATABASE orders OWNER orders")
        with psycopg.connect(self.url()) as connection:
            connection.execute("CREATE TABLE orders (id bigserial PRIMARY KEY)")

    def url(self) -> str:
        """Return the role's URL with its present password."""
        return self._server.url(ROLE, self._password, ROLE)

    def rotate(self) -> str:
        """Return the role a new password; connections that are open stay open."""
        self._password = self._new_password()
        self._admin.execute(_with_password("ALTER ROLE {} PASSWORD {}", self._password))
        return self.url()

    def wrong_url(self) -> str:
        """Return the role's URL with a password that it never had."""
        return self._server.url(ROLE, self._new_password(), ROLE)

    def connections(self) -> int:
        """Count the role's connections as the server sees them."""
        row = self._admin.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE usename = 'orders'"
        ).fetchone()
        return 0 if row is None else row[0]

    def _new_password(self) -> str:
        self.secrets.append(secrets.token_urlsafe(12))
        return self.secrets[-1]


class SQLiteDatabase:
    """A file; a rotation is a move to another file, because SQLite knows no passwords."""

    kind = "SQLite"
    rotation = "move to another database"
    mistake = "name a missing database"

    def __init__(self, directory: Path) -> None:
        self.secrets = list[str]()
        self._directory = directory
        self._number = 1

    def url(self) -> str:
        """Return the URL of the present file."""
        return f"sqlite:///{self._directory}/orders-{self._number}.db"

    def rotate(self) -> str:
        """Move on to a new file."""
        self._number += 1
        return self.url()

    def wrong_url(self) -> str:
        """Return the URL of a file in a directory that does not exist."""
        return f"sqlite:///{self._directory}/missing/orders.db"

    def connections(self) -> None:
        """Return nothing: there is no server to ask."""
        return


@contextmanager
def postgres_database() -> Generator[Database]:
    """Start a private PostgreSQL with a role and a database for the example."""
    with (
        PostgresServer.start() as server,
        psycopg.connect(server.url(), autocommit=True) as admin,
    ):
        yield PostgresDatabase(server, admin)


@contextmanager
def sqlite_database(directory: Path) -> Generator[Database]:
    """Use an SQLite file in `directory`."""
    yield SQLiteDatabase(directory)


def _with_password(statement: LiteralString, password: str) -> sql.Composed:
    return sql.SQL(statement).format(sql.Identifier(ROLE), sql.Literal(password))
