"""The tables of an SQLite store, and the numbers by which a file is known for one.

A column that is added keeps the number; a file with a higher number is not opened.
"""

from typing import Final

APPLICATION_ID: Final = 0x72636B31  # "rck1"
SCHEMA: Final = 1

TABLES: Final = (
    "CREATE TABLE meta(id INTEGER PRIMARY KEY CHECK(id=1), revision INTEGER NOT NULL)",
    "INSERT INTO meta VALUES(1, 0)",
    "CREATE TABLE board(key TEXT PRIMARY KEY, value TEXT NOT NULL, revision INTEGER NOT NULL) "
    "WITHOUT ROWID",
    # A mortal record's key, the boot of the machine, and the monotonic clock's last beat.
    "CREATE TABLE life(id TEXT PRIMARY KEY, boot TEXT NOT NULL, beat REAL NOT NULL) WITHOUT ROWID",
    "CREATE TABLE content(digest TEXT PRIMARY KEY, size INTEGER NOT NULL, codec TEXT NOT NULL, "
    "data BLOB NOT NULL)",
    # For people with a SQLite shell.
    "CREATE VIEW history AS SELECT key, json_extract(value, '$.edition') AS edition, "
    "json_extract(value, '$.outcome') AS outcome, "
    "datetime(json_extract(value, '$.at'), 'unixepoch') AS at, "
    "json_extract(value, '$.actor') AS actor, json_extract(value, '$.cause') AS cause, "
    "json_extract(value, '$.why') AS why, json_extract(value, '$.content') AS content "
    "FROM board WHERE key GLOB '*/entry/*' ORDER BY json_extract(value, '$.at')",
    f"PRAGMA application_id={APPLICATION_ID}",
    f"PRAGMA user_version={SCHEMA}",
)
