"""A keeper whose steps a test takes itself: what it is given to write, and what its store has."""

import time

from reloadcheck._state.board import Member, view_of
from reloadcheck._state.history_writer import Fact
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry, editions_of, entries_from
from reloadcheck.testing import FakeClock
from reloadcheck.types import Store

PREFIX = "shop/default/"


def keeper_of(store: Store, clock: FakeClock | None = None) -> Keeper:
    """Return a keeper of a worker that serves something; a test takes its steps itself."""
    member = Member(host="web-1", version=1, content="A")
    keeper = Keeper(store, lambda: PREFIX, lambda: member, clock=clock or FakeClock())
    keeper.begin()
    return keeper


def fact(content: str, *, first: bool = False, outcome: str = "reloaded") -> Fact:
    """Return what came of a content, to be written."""
    entry = Entry(None, outcome, time.time(), content, f"s-{content}", size=4)
    return Fact(entry, b"data", first=first)


def editions(store: Store) -> list[tuple[int, str | None]]:
    """Return the numbers that a store has given, each with its content."""
    board = store.look(PREFIX)
    assert board is not None
    entries = entries_from(view_of(board, PREFIX).entries)
    return [(number, entry.content) for number, entry in editions_of(entries).items()]
