"""A store that is lost, replaced or an older copy is told anew what serves and what was ordered."""

import os
import sqlite3
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reloadcheck._state.board import STATE, Hold, State, view_of
from reloadcheck._state.store_orders import Orders
from reloadcheck.exceptions import StoreLostError
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import MemoryStore

from .keeping import PREFIX, editions, fact, keeper_of


def test_an_end_of_a_roll_back_outlives_a_lost_store() -> None:
    """What this worker has to say of an order waits until it is written."""
    store = MemoryStore()
    keeper = keeper_of(store)
    hold = Hold("rollback", "A", 1)
    store.put({PREFIX + STATE: State(2, "B", hold=hold).to_text()})
    keeper.step()
    keeper.orders.ends_hold = hold
    store.unsure(written=False)
    keeper.step()
    keeper.step()
    view = keeper.known.view
    assert view is not None
    assert view.state.hold is None


def test_a_ban_with_a_roll_back_outlives_a_lost_store() -> None:
    """It is written once the store is back, while the order is in force."""
    store = MemoryStore()
    keeper = keeper_of(store)
    hold = Hold("rollback", "A", 1)
    store.put({PREFIX + STATE: State(2, "B", hold=hold).to_text()})
    keeper.step()
    keeper.orders.bans = (hold, "C")
    store.unsure(written=False)
    keeper.step()
    keeper.step()
    view = keeper.known.view
    assert view is not None
    assert list(view.state.banned) == ["C"]


def test_a_replaced_store_is_told_anew(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A file that was deleted, or an older copy of it: the member is on it after the next steps."""
    path = tmp_path / "store.db"
    keeper = keeper_of(SQLiteStore(path))
    keeper.note(fact("A", first=True))
    keeper.step()
    for tail in ("", "-wal", "-shm"):
        os.unlink(f"{path}{tail}")
    keeper.step()
    keeper.step()
    board = SQLiteStore(path).look(PREFIX)
    assert board is not None
    view = view_of(board, PREFIX)
    assert [keeper.id] == list(view.members)
    assert (view.state.active, view.state.edition) == ("A", 1)
    assert "was replaced" in caplog.text


def take_away(path: Path) -> None:
    """Delete the file of a store."""
    for tail in ("", "-wal", "-shm"):
        os.unlink(f"{path}{tail}")


def test_an_older_copy_of_a_store_is_told_what_serves(tmp_path: Path) -> None:
    """Once, however many workers serve it; it is what starts beside them, too."""
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    quick, slow = keeper_of(SQLiteStore(path)), keeper_of(SQLiteStore(path))
    for content in "BCA":
        if content == "C":
            with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(copy)) as other:
                one.backup(other)
        for keeper in (quick, slow):
            keeper.note(fact(content, first=content == "B"))
            keeper.step()
    take_away(path)
    copy.rename(path)
    for _ in range(2):
        for keeper in (quick, slow):
            keeper.step()
    assert editions(SQLiteStore(path)) == [(1, "B"), (2, "A")]
    assert 2 == quick.edition == slow.edition
    quick.note(fact("D"))
    quick.step()
    assert editions(SQLiteStore(path)) == [(1, "B"), (2, "A"), (3, "D")]


def test_who_takes_the_store_away_lifts_no_order(tmp_path: Path) -> None:
    """What is pinned, banned and frozen stands in the new one; its numbers go on."""
    path = tmp_path / "store.db"
    keeper = keeper_of(SQLiteStore(path))
    keeper.note(fact("B", first=True))
    keeper.step()
    keeper.note(fact("A"))
    keeper.step()
    with closing(SQLiteStore(path)) as store:
        orders = Orders(store, app="shop")
        orders.rollback(1, why="A is slow", by="dora")
        orders.freeze(why="until monday", by="otto")
        orders.pin(why="stay", by="arno")
        before = orders.state()
    keeper.step()
    take_away(path)
    keeper.step()
    assert keeper.known.view is not None
    assert keeper.known.view.state == before
    keeper.step()
    with closing(SQLiteStore(path)) as store:
        after = Orders(store, app="shop")
        assert after.state() == before
        assert [one.edition for one in after.entries()] == [3]
        assert store.content("B") == b"data"


class _Shy(MemoryStore):
    """A store that has lost all, and refuses the first write after that."""

    refuses = False

    def put(self, records: Mapping[str, str | None], **words: Any) -> int | None:
        """Write; nothing while it refuses."""
        if self.refuses:
            self.refuses = False
            raise StoreLostError("busy")
        return super().put(records, **words)


def test_a_new_store_that_cannot_be_told_at_once_is_told_later() -> None:
    """Until then what was read of the one before it holds."""
    store = _Shy()
    keeper = keeper_of(store)
    keeper.note(fact("A", first=True))
    keeper.step()
    Orders(store, app="shop").pin(why="stay", by="arno")
    keeper.step()
    empty = _Shy()
    keeper.store = keeper.sight.store = empty
    empty.refuses = True
    keeper.step()
    assert keeper.known.error == "busy"
    assert keeper.known.view is not None
    assert keeper.known.view.state.hold is not None
    keeper.step()
    assert Orders(empty, app="shop").state().hold == keeper.known.view.state.hold
    assert editions(empty) == [(1, "A")]
