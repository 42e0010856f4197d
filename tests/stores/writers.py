"""A process that writes a store until it is killed, or looks and writes once.

`python -m tests.stores.writers acknowledge DB NAME` appends `entry/<n>` rows, and prints each
number once the store has said that it is written. `… first DB CONTENT…` writes each content down
as the next edition, unless the newest edition has it already, as workers do that see one edit.
"""

import os
import sys

from reloadcheck.stores import SQLiteStore

PREFIX = "shop/1/"


def acknowledge(path: str, name: str) -> None:
    """Number rows together with all other writers, for ever."""
    store = SQLiteStore(path, ttl=60.0)
    while True:
        board = store.look(PREFIX)
        assert board is not None
        number = len(board.records) + 1
        key = f"{PREFIX}entry/{number}"
        if store.put({key: name}, same={key: 0}) is not None:
            os.write(1, f"{number}\n".encode())


def first(path: str, contents: list[str]) -> None:
    """Append each content that is not there after the last one that this process has seen."""
    store = SQLiteStore(path)
    mine = 0
    for content in contents:
        while True:
            board = store.look(PREFIX)
            assert board is not None
            texts = [record.value for record in board.records.values()]
            if content in texts[mine:]:
                mine += texts[mine:].index(content) + 1
                break
            key = f"{PREFIX}entry/{len(texts):09d}"
            if store.put({key: content}, same={key: 0}) is not None:
                mine = len(texts) + 1
                break
    store.close()


if __name__ == "__main__":
    if sys.argv[1] == "acknowledge":
        acknowledge(sys.argv[2], sys.argv[3])
    first(sys.argv[2], sys.argv[3:])
