"""A store that becomes an older copy of itself: what serves is told anew, orders hold."""

import os
import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from reloadcheck import Orders
from reloadcheck._state.board import Member, State, view_of
from reloadcheck._state.history_writer import Fact
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry, editions_of, entries_from
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import FakeClock

PREFIX = "shop/default/"


class Worker:
    """A keeper whose steps a test takes, and what its worker serves."""

    def __init__(self, path: Path) -> None:
        self.member = Member(host="web-1", version=0)
        self.keeper = Keeper(
            SQLiteStore(path), lambda: PREFIX, lambda: self.member, clock=FakeClock()
        )
        self.keeper.begin()

    def serves(self, content: str) -> None:
        """Take up an edit, and write it down."""
        version = (self.member.version or 0) + 1
        self.member = replace(self.member, version=version, content=content)
        entry = Entry(None, "reloaded", float(version), content, f"s-{content}", size=4)
        self.keeper.note(Fact(entry, content.encode(), version, first=version == 1))
        self.keeper.step()


def _copy(path: Path) -> Path:
    """Make a backup of a store."""
    copy = path.with_suffix(".copy")
    with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(copy)) as other:
        one.backup(other)
    copy.chmod(0o600)
    return copy


def _restore(path: Path, copy: Path) -> None:
    for tail in ("-wal", "-shm"):
        path.with_name(path.name + tail).unlink(missing_ok=True)
    os.replace(copy, path)


def _found(path: Path) -> tuple[State, list[tuple[int, str | None]]]:
    with closing(SQLiteStore(path)) as store:
        board = store.look(PREFIX)
        assert board is not None
        view = view_of(board, PREFIX)
    found = editions_of(entries_from(view.entries))
    return view.state, [(number, entry.content) for number, entry in found.items()]


def test_what_serves_is_told_to_an_older_copy(tmp_path: Path) -> None:
    """Else it would want what nobody serves; two workers tell it once, by its next number."""
    path = tmp_path / "store.db"
    workers = [Worker(path) for _ in range(2)]
    for one in workers:
        one.serves("A")
    copy = _copy(path)
    for content in "BC":
        for one in workers:
            one.serves(content)
    assert [one.keeper.edition for one in workers] == [3, 3]
    _restore(path, copy)
    for _ in range(2):
        for one in workers:
            one.keeper.step()
    state, editions = _found(path)
    assert (state.active, editions) == ("C", [(1, "A"), (2, "C")])
    assert [dict(one.keeper.editions)[3] for one in workers] == [2, 2]
    with closing(SQLiteStore(path)) as store:
        assert Orders(store, app="shop").fleet(grace=0.0).drift == 0.0
        assert store.content("C") == b"C"
    for one in workers:
        one.keeper.store.close()


@pytest.mark.parametrize("order", ["rollback", "pin"])
def test_an_order_in_an_older_copy_is_not_overruled(tmp_path: Path, order: str) -> None:
    """Workers go where it says; what they serve at that moment is nobody's wish."""
    path = tmp_path / "store.db"
    worker = Worker(path)
    for content in "AB":
        worker.serves(content)
    with closing(SQLiteStore(path)) as store:
        orders = Orders(store, app="shop")
        ordered = orders.rollback if order == "rollback" else orders.pin
        ordered(1, why="x", by="dora")
    before = _found(path)
    copy = _copy(path)
    with closing(SQLiteStore(path)) as store:
        if order == "pin":
            Orders(store, app="shop").unpin(why="x", by="dora")
    worker.keeper.step()
    for content in "CD":
        worker.serves(content)
    assert _found(path)[1][-1][1] == "D"
    _restore(path, copy)
    for _ in range(3):
        worker.keeper.step()
    assert _found(path) == before
    worker.keeper.store.close()
