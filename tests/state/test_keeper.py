"""The store thread, step by step: nothing is lost that can be kept, and nobody is held up.

Long because what is looked at, written and told in a step is tried one by one.
"""

import os
import sqlite3
import threading
import time
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._runtime.clock import SystemClock
from reloadcheck._state.board import STATE, Hold, Member, State, view_of
from reloadcheck._state.history_writer import LIMIT, Fact, Facts
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry, editions_of, entries_from, stands
from reloadcheck._state.presence import LOST_SECONDS
from reloadcheck._state.store_orders import Orders
from reloadcheck.exceptions import StoreLostError, StoreRefusedError
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import FakeClock, MemoryStore
from reloadcheck.types import Board, Code, Store
from tests.support.load import until

PREFIX = "shop/default/"

_TAKEN_BACK = {one for one in Code if one.startswith("undone-")} - {Code.UNDONE_BEFORE} | {
    Code.WORKER_LOST,
    Code.WATCH,
    Code.UNJUDGED,
}


def _keeper(store: Store, clock: FakeClock | None = None) -> Keeper:
    """Return a keeper of a worker that serves something; a test takes its steps itself."""
    member = Member(host="web-1", version=1, content="A")
    keeper = Keeper(store, lambda: PREFIX, lambda: member, clock=clock or FakeClock())
    keeper.begin()
    return keeper


def _fact(content: str, *, first: bool = False, outcome: str = "reloaded") -> Fact:
    entry = Entry(None, outcome, time.time(), content, f"s-{content}", size=4)
    return Fact(entry, b"data", first=first)


def _editions(store: Store) -> list[tuple[int, str | None]]:
    board = store.look(PREFIX)
    assert board is not None
    entries = entries_from(view_of(board, PREFIX).entries)
    return [(number, entry.content) for number, entry in editions_of(entries).items()]


def test_workers_that_see_the_same_edits_write_each_once() -> None:
    """A, B, A, C: four editions, though one worker is three edits behind."""
    store = MemoryStore()
    quick, slow = _keeper(store), _keeper(store.peer())
    for keeper in (quick, slow):
        keeper.step()
    for number, content in enumerate("ABAC"):
        quick.note(_fact(content, first=number == 0))
        quick.step()
        slow.note(_fact(content, first=number == 0))
    slow.step()
    assert _editions(store) == [(1, "A"), (2, "B"), (3, "A"), (4, "C")]
    assert 4 == quick.edition == slow.edition


def test_a_restart_with_the_same_content_is_no_edition() -> None:
    """And one with another content is."""
    store = MemoryStore()
    for content in ("A", "A", "B"):
        keeper = _keeper(store.peer())
        keeper.note(_fact(content, first=True))
        keeper.step()
    assert _editions(store) == [(1, "A"), (2, "B")]


def test_a_lost_answer_writes_nothing_twice() -> None:
    """Written or not: the keeper looks again, and there is one row."""
    for written in (True, False):
        store = MemoryStore()
        keeper = _keeper(store)
        keeper.note(_fact("A", first=True))
        store.unsure(written=written)
        keeper.step()
        keeper.step()
        keeper.step()
        assert _editions(store) == [(1, "A")]
        assert keeper.edition == 1


def test_what_waits_is_bounded_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred facts; the oldest are dropped, and that is said when the store is back."""
    store = MemoryStore()
    keeper = _keeper(store)
    store.lose()
    for number in range(LIMIT + 5):
        keeper.note(_fact(f"c{number}"))
        keeper.step()
    assert caplog.text.count("the store is away") == 1
    assert keeper.known.error == "memory: is lost"
    store.heal()
    keeper.step()
    assert len(_editions(store)) == LIMIT
    assert "5 rows of history were lost" in caplog.text
    assert keeper.known.error is None


def test_a_store_that_is_away_is_asked_once_a_second() -> None:
    """However short the window is, and however often somebody has something to write."""
    store = Counting()
    keeper = Keeper(
        store, lambda: PREFIX, Member, window=lambda: 0.01, clock=SystemClock()
    )  # fmt: skip
    keeper.ensure()
    keeper.first_look(5.0)
    store.lose()
    until(lambda: keeper.known.error is not None)
    store.looks, begun = 0, time.monotonic()
    while time.monotonic() - begun < 1.2:
        keeper.wake()
        time.sleep(0.01)
    assert store.looks <= 2
    store.heal()
    assert until(lambda: keeper.known.error is None) < 5.0
    begun = time.monotonic()
    store.lose()
    until(lambda: keeper.known.error is not None)
    keeper.close()
    assert time.monotonic() - begun < 0.9


class Counting(MemoryStore):
    """A store that counts how often it is looked at."""

    looks = 0

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Look, and count it."""
        self.looks += 1
        return super().look(prefix, seen)


def test_a_member_that_lapsed_comes_again() -> None:
    """As after a suspended machine: it is put on the board anew at the next steps."""
    store = MemoryStore(ttl=0.2)
    clock = FakeClock()
    keeper = _keeper(store, clock)
    keeper.step()
    other = store.peer()
    time.sleep(0.3)
    other.beat()
    board = other.look(PREFIX)
    assert board is not None
    assert not view_of(board, PREFIX).members
    clock.advance(6)
    keeper.step()
    keeper.step()
    board = other.look(PREFIX)
    assert board is not None
    assert [keeper.id] == list(view_of(board, PREFIX).members)


@pytest.mark.parametrize("code", sorted(_TAKEN_BACK))
def test_every_verdict_leaves_a_ban(code: str) -> None:
    """However an edit was found to be bad: nobody who starts takes it up again."""
    store = MemoryStore()
    keeper = _keeper(store)
    undone = Entry(None, "undone", time.time(), "B", "s-B", code=code, error="undone: version 2")
    keeper.note(Fact(undone))
    keeper.step()
    assert list(keeper.known.view.state.banned if keeper.known.view else []) == ["B"]


@pytest.mark.parametrize("code", ["superseded", "trouble", "undone-before"])
def test_what_was_just_not_tried_on_is_not_banned(code: str) -> None:
    """A newer edit or an outage says nothing about it; and what is banned is so by its verdict."""
    keeper = _keeper(MemoryStore())
    keeper.note(Fact(Entry(None, "undone", time.time(), "B", "s-B", code=code)))
    keeper.step()
    assert not (keeper.known.view and keeper.known.view.state.banned)


def test_what_was_undone_twice_has_not_served() -> None:
    """Tried once more on an order, promoted, and taken back again: it is tried another time."""
    clock = FakeClock()
    keeper = _keeper(MemoryStore(), clock)
    for at, outcome in enumerate(("reloaded", "undone", "reloaded", "undone"), 1):
        keeper.note(Fact(Entry(None, outcome, float(at), "B", "s-B", code=Code.WATCH)))
        keeper.step()
        keeper.retry()
        clock.advance(1)
        keeper.step()
        view = keeper.known.view
        assert view is not None
        assert stands(entries_from(view.entries), "B") is (outcome == "reloaded")


def test_an_end_of_a_roll_back_outlives_a_lost_store() -> None:
    """What this worker has to say of an order waits until it is written."""
    store = MemoryStore()
    keeper = _keeper(store)
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
    keeper = _keeper(store)
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
    keeper = _keeper(SQLiteStore(path))
    keeper.note(_fact("A", first=True))
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


def _gone(path: Path) -> None:
    for tail in ("", "-wal", "-shm"):
        os.unlink(f"{path}{tail}")


def test_an_older_copy_of_a_store_is_told_what_serves(tmp_path: Path) -> None:
    """Once, however many workers serve it; it is what starts beside them, too."""
    path, copy = tmp_path / "store.db", tmp_path / "copy.db"
    quick, slow = _keeper(SQLiteStore(path)), _keeper(SQLiteStore(path))
    for content in "BCA":
        if content == "C":
            with closing(sqlite3.connect(path)) as one, closing(sqlite3.connect(copy)) as other:
                one.backup(other)
        for keeper in (quick, slow):
            keeper.note(_fact(content, first=content == "B"))
            keeper.step()
    _gone(path)
    copy.rename(path)
    for _ in range(2):
        for keeper in (quick, slow):
            keeper.step()
    assert _editions(SQLiteStore(path)) == [(1, "B"), (2, "A")]
    assert 2 == quick.edition == slow.edition
    quick.note(_fact("D"))
    quick.step()
    assert _editions(SQLiteStore(path)) == [(1, "B"), (2, "A"), (3, "D")]


def test_who_takes_the_store_away_lifts_no_order(tmp_path: Path) -> None:
    """What is pinned, banned and frozen stands in the new one; its numbers go on."""
    path = tmp_path / "store.db"
    keeper = _keeper(SQLiteStore(path))
    keeper.note(_fact("B", first=True))
    keeper.step()
    keeper.note(_fact("A"))
    keeper.step()
    with closing(SQLiteStore(path)) as store:
        orders = Orders(store, app="shop")
        orders.rollback(1, why="A is slow", by="dora")
        orders.freeze(why="until monday", by="otto")
        orders.pin(why="stay", by="arno")
        before = orders.state()
    keeper.step()
    _gone(path)
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
    keeper = _keeper(store)
    keeper.note(_fact("A", first=True))
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
    assert _editions(empty) == [(1, "A")]


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
    keeper, orders = _keeper(before), Orders(SQLiteStore(path), app="shop")
    for number in range(150):
        entry = Entry(None, "reloaded", float(number), f"c{number}", f"s{number}", size=20_000)
        keeper.note(Fact(entry, os.urandom(20_000), first=number == 0))
        keeper.step()
    before.close()
    full = path.stat().st_size
    store = _Timed(path, keep=100)
    orders.pin(3, why="x", by="dora")
    keeper = _keeper(store)
    keeper.step()
    Facts(keeper.sight, Member).drop_old()
    left = dict(_editions(store))
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
    keeper = _keeper(store)
    keeper.note(_fact("A", first=True))
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
    keeper = _keeper(store)
    keeper.note(_fact("A", first=True))
    keeper.step()
    board = store.look(PREFIX)
    assert board is not None
    (entry,) = entries_from(view_of(board, PREFIX).entries)
    assert (entry.edition, entry.kept) == (1, False)


def test_only_one_thread_calls_a_store(tmp_path: Path) -> None:
    """Requests, the engine's and the reader's threads never meet it."""
    file = tmp_path / "config.yaml"
    file.write_text("a: 1")
    callers: set[str] = set()

    class Watched(SQLiteStore):
        def _tried(self, work: Callable[[Any], Any]) -> Any:
            callers.add(threading.current_thread().name)
            return super()._tried(work)

    live = ReloadCheck(file, store=Watched(tmp_path / "store.db"), app="shop", settle=0, window=0.1)
    live.start()
    orders = Orders(SQLiteStore(tmp_path / "store.db"), app="shop")
    until = time.monotonic() + 10
    while not orders.history():
        assert time.monotonic() < until
        time.sleep(0.02)
    orders.pin(why="x", by="dora")
    file.write_text("a: 2")
    time.sleep(0.5)
    live.check()
    live.close()
    assert callers == {"reloadcheck-store"}


def test_an_idle_worker_costs_next_to_nothing(tmp_path: Path) -> None:
    """A look each second and a beat each five: at most 1.2 seconds of CPU an hour."""
    clock = FakeClock()
    keeper = _keeper(SQLiteStore(tmp_path / "store.db"), clock)
    keeper.note(_fact("A", first=True))
    for _ in range(20):
        keeper.step()

    def hour() -> float:
        begun = time.thread_time()
        for _ in range(180):
            clock.advance(1.0)
            keeper.step()
        return (time.thread_time() - begun) * 20

    assert min(hour() for _ in range(3)) < 1.2


def test_without_a_store_nothing_of_it_is_imported(tmp_path: Path) -> None:
    """No module, no thread."""
    import subprocess
    import sys

    (tmp_path / "config.yaml").write_text("a: 1")
    code = (
        "import sys, threading; from reloadcheck import ReloadCheck\n"
        "live = ReloadCheck(sys.argv[1]); live.start(); live.status()\n"
        "print([m for m in sys.modules if 'sqlite' in m or '_state' in m or 'stores' in m],"
        " [t.name for t in threading.enumerate() if 'store' in t.name])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"


def test_who_is_killed_is_missed_and_who_leaves_is_not() -> None:
    """A worker that vanished is named for an hour; one that took its leave never is."""
    store = MemoryStore(ttl=0.2)
    clock = FakeClock()
    peers = store.peer(), store.peer()
    killed, leaving = (_keeper(peer, clock) for peer in peers)
    for going in (killed, leaving):
        going.ensure()
        assert going.first_look(10.0)
    peers[0].lose()
    leaving.close()
    keeper = _keeper(store, clock)
    keeper.step()
    time.sleep(0.3)
    store.beat()
    clock.advance(5.0)
    keeper.step()
    keeper.step()
    view = keeper.known.view
    assert view is not None
    assert {killed.id} == view.seen.keys() - view.members.keys()
    clock.advance(LOST_SECONDS + 1)
    keeper.step()
    keeper.step()
    assert keeper.known.view is not None
    assert {keeper.id} == keeper.known.view.seen.keys()
