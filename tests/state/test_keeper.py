"""The store thread writes each fact once, whoever sees it, and knows who is gone or was undone."""

import time

import pytest

from reloadcheck._state.board import view_of
from reloadcheck._state.history_writer import LIMIT, Fact
from reloadcheck._state.ledger import Entry, entries_from, stands
from reloadcheck._state.presence import LOST_SECONDS
from reloadcheck.testing import FakeClock, MemoryStore
from reloadcheck.types import Code

from .keeping import PREFIX, editions, fact, keeper_of

_TAKEN_BACK = {one for one in Code if one.startswith("undone-")} - {Code.UNDONE_BEFORE} | {
    Code.WORKER_LOST,
    Code.WATCH,
    Code.UNJUDGED,
}


def test_workers_that_see_the_same_edits_write_each_once() -> None:
    """A, B, A, C: four editions, though one worker is three edits behind."""
    store = MemoryStore()
    quick, slow = keeper_of(store), keeper_of(store.peer())
    for keeper in (quick, slow):
        keeper.step()
    for number, content in enumerate("ABAC"):
        quick.note(fact(content, first=number == 0))
        quick.step()
        slow.note(fact(content, first=number == 0))
    slow.step()
    assert editions(store) == [(1, "A"), (2, "B"), (3, "A"), (4, "C")]
    assert 4 == quick.edition == slow.edition


def test_a_restart_with_the_same_content_is_no_edition() -> None:
    """And one with another content is."""
    store = MemoryStore()
    for content in ("A", "A", "B"):
        keeper = keeper_of(store.peer())
        keeper.note(fact(content, first=True))
        keeper.step()
    assert editions(store) == [(1, "A"), (2, "B")]


def test_a_lost_answer_writes_nothing_twice() -> None:
    """Written or not: the keeper looks again, and there is one row."""
    for written in (True, False):
        store = MemoryStore()
        keeper = keeper_of(store)
        keeper.note(fact("A", first=True))
        store.unsure(written=written)
        keeper.step()
        keeper.step()
        keeper.step()
        assert editions(store) == [(1, "A")]
        assert keeper.edition == 1


def test_what_waits_is_bounded_and_counted(caplog: pytest.LogCaptureFixture) -> None:
    """A hundred facts; the oldest are dropped, and that is said when the store is back."""
    store = MemoryStore()
    keeper = keeper_of(store)
    store.lose()
    for number in range(LIMIT + 5):
        keeper.note(fact(f"c{number}"))
        keeper.step()
    assert caplog.text.count("the store is away") == 1
    assert keeper.known.error == "memory: is lost"
    store.heal()
    keeper.step()
    assert len(editions(store)) == LIMIT
    assert "5 rows of history were lost" in caplog.text
    assert keeper.known.error is None


def test_a_member_that_lapsed_comes_again() -> None:
    """As after a suspended machine: it is put on the board anew at the next steps."""
    store = MemoryStore(ttl=0.2)
    clock = FakeClock()
    keeper = keeper_of(store, clock)
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
    keeper = keeper_of(store)
    undone = Entry(None, "undone", time.time(), "B", "s-B", code=code, error="undone: version 2")
    keeper.note(Fact(undone))
    keeper.step()
    assert list(keeper.known.view.state.banned if keeper.known.view else []) == ["B"]


@pytest.mark.parametrize("code", ["superseded", "trouble", "undone-before"])
def test_what_was_just_not_tried_on_is_not_banned(code: str) -> None:
    """A newer edit or an outage says nothing about it; and what is banned is so by its verdict."""
    keeper = keeper_of(MemoryStore())
    keeper.note(Fact(Entry(None, "undone", time.time(), "B", "s-B", code=code)))
    keeper.step()
    assert not (keeper.known.view and keeper.known.view.state.banned)


def test_what_was_undone_twice_has_not_served() -> None:
    """Tried once more on an order, promoted, and taken back again: it is tried another time."""
    clock = FakeClock()
    keeper = keeper_of(MemoryStore(), clock)
    for at, outcome in enumerate(("reloaded", "undone", "reloaded", "undone"), 1):
        keeper.note(Fact(Entry(None, outcome, float(at), "B", "s-B", code=Code.WATCH)))
        keeper.step()
        keeper.retry()
        clock.advance(1)
        keeper.step()
        view = keeper.known.view
        assert view is not None
        assert stands(entries_from(view.entries), "B") is (outcome == "reloaded")


def test_who_is_killed_is_missed_and_who_leaves_is_not() -> None:
    """A worker that vanished is named for an hour; one that took its leave never is."""
    store = MemoryStore(ttl=0.2)
    clock = FakeClock()
    peers = store.peer(), store.peer()
    killed, leaving = (keeper_of(peer, clock) for peer in peers)
    for going in (killed, leaving):
        going.ensure()
        assert going.first_look(30.0)
    peers[0].lose()
    leaving.close()
    keeper = keeper_of(store, clock)
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
    killed.close()  # its thread has gone on all the while, as no killed one's does
