"""What a store keeps is bounded: editions, the content it takes, the time of a transaction."""

import os
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from reloadcheck._state.board import Member, view_of
from reloadcheck._state.history_writer import Fact, Facts
from reloadcheck._state.ledger import Entry, entries_from
from reloadcheck._state.store_orders import Orders
from reloadcheck.exceptions import StoreRefusedError
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import MemoryStore

from .keeping import PREFIX, editions, fact, keeper_of


class _Timed(SQLiteStore):
    """A store that notes how much of a processor each of its transactions takes, at most."""

    longest = 0.0

    def _written(self, work: Callable[[Any], Any], *, durable: bool = False) -> Any:
        begun = time.thread_time()
        found = super()._written(work, durable=durable)
        self.longest = max(self.longest, time.thread_time() - begun)
        return found


def test_a_hundred_and_fifty_editions_leave_a_hundred(tmp_path: Path) -> None:
    """The oldest go, not what is pinned; the file shrinks, and no lock is held for 50 ms."""
    path = tmp_path / "store.db"
    before = SQLiteStore(path, keep=1000)
    keeper, orders = keeper_of(before), Orders(SQLiteStore(path), app="shop")
    for number in range(150):
        entry = Entry(None, "reloaded", float(number), f"c{number}", f"s{number}", size=20_000)
        keeper.note(Fact(entry, os.urandom(20_000), first=number == 0))
        keeper.step()
    before.close()
    full = path.stat().st_size
    store = _Timed(path, keep=100)
    orders.pin(3, why="x", by="dora")
    keeper = keeper_of(store)
    keeper.step()
    Facts(keeper.sight, Member).drop_old()
    left = dict(editions(store))
    assert (len(left), left[3], sorted(left)[1] - 2, max(left)) == (100, "c2", 51, 151)
    kept = {number for number in range(150) if store.content(f"c{number}") is not None}
    assert {2, *range(52, 150)} == kept
    store.close()
    assert path.stat().st_size < full * 0.8
    assert store.longest < 0.05


def test_what_is_dropped_goes_in_portions() -> None:
    """A store that keeps few editions now takes away hundreds: an etcd takes 128 at once."""

    class Few(MemoryStore):
        def put(self, records: Mapping[str, str | None], **options: Any) -> int | None:
            assert len(records) <= 128
            return super().put(records, **options)

    store = Few(keep=5)
    for number in range(300):
        entry = Entry(None, "rejected", float(number), None, f"s{number}", member=f"m{number}")
        super(Few, store).put({PREFIX + entry.key: entry.to_text()})
    keeper = keeper_of(store)
    keeper.note(fact("A", first=True))
    keeper.step()
    assert keeper.known.error is None
    board = store.look(PREFIX)
    assert board is not None
    assert len([key for key in board.records if "/entry/" in key]) == 6


def test_content_that_a_store_refuses_stops_no_history() -> None:
    """The edition is written down, as one that is not kept."""

    class Small(MemoryStore):
        def keep(self, digest: str, data: bytes | None) -> None:
            raise StoreRefusedError("small: takes no content")

    store = Small()
    keeper = keeper_of(store)
    keeper.note(fact("A", first=True))
    keeper.step()
    board = store.look(PREFIX)
    assert board is not None
    (entry,) = entries_from(view_of(board, PREFIX).entries)
    assert (entry.edition, entry.kept) == (1, False)
