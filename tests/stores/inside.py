"""What a test of a store's file may look at inside the store."""

import sqlite3

from reloadcheck.stores import SQLiteStore

__all__ = ["opened"]


def opened(store: SQLiteStore) -> sqlite3.Connection:
    """Return the store's connection, opened if need be."""
    return store._opened().connection  # pyright: ignore[reportPrivateUsage]
