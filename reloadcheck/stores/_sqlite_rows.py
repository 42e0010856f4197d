"""The SQL by which an SQLite store judges conditions, counts revisions and gives room back."""

import sqlite3
import time
from collections.abc import Iterable, Mapping
from typing import Any

__all__ = ["give_room_back", "holds", "raise_revision", "take_away"]

_VACUUM_PAGES = 64


def holds(
    connection: sqlite3.Connection, same: Mapping[str, int], since: tuple[str, int] | None
) -> bool:
    """Return whether the conditions of a `put` hold, within its transaction."""
    for key, revision in same.items():
        row = connection.execute("SELECT revision FROM board WHERE key=?", (key,)).fetchone()
        if (0 if row is None else row[0]) != revision:
            return False
    if since is None:
        return True
    prefix, revision = since
    query = "SELECT 1 FROM board WHERE key >= ? AND key < ? AND revision > ? LIMIT 1"
    return connection.execute(query, (prefix, prefix + "\U0010ffff", revision)).fetchone() is None


def raise_revision(connection: sqlite3.Connection) -> int:
    """Count a change of the board, and return the new revision."""
    connection.execute("UPDATE meta SET revision = revision + 1")
    (revision,) = connection.execute("SELECT revision FROM meta").fetchone()
    return int(revision)


def take_away(connection: sqlite3.Connection, keys: Iterable[str]) -> None:
    """Delete records from the file's tables, which is one change whatever their number."""
    rows: list[tuple[Any, ...]] = [(key,) for key in keys]
    if rows:
        raise_revision(connection)
        connection.executemany("DELETE FROM board WHERE key=?", rows)
        connection.executemany("DELETE FROM life WHERE id=?", rows)


def give_room_back(connection: sqlite3.Connection) -> None:
    """Shrink the file in small portions: no writer waits long. A step frees but one page."""
    while connection.execute("PRAGMA freelist_count").fetchone()[0] > _VACUUM_PAGES:
        connection.execute(f"PRAGMA incremental_vacuum({_VACUUM_PAGES})").fetchall()
        time.sleep(0)
