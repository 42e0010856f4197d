"""One worker's part in deciding together, told by hand what its engine comes to."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from reloadcheck import Together
from reloadcheck._state.board import MEMBERS, Hold, Member, Round, State, view_of
from reloadcheck._state.ledger import Entry
from reloadcheck._state.round_driver import Failure, Offer, Rounds
from reloadcheck._state.together import Vote
from reloadcheck.testing import FakeClock, MemoryStore

PREFIX = "shop/default/"


def _rounds() -> Rounds:
    return Rounds(Together(), MemoryStore(), FakeClock(), Member, lambda anew: None)


def _offer(content: str) -> Offer:
    return Offer(content, Entry(None, "reloaded", 0.0, content, f"source of {content}"), None)


def test_what_was_built_is_let_go_as_soon_as_something_else_is_read() -> None:
    """So that nobody says that it has ready what the next build takes the place of."""
    rounds = _rounds()
    rounds.built(_offer("B"))
    offered: list[Offer | None] = []
    for content in ("B", "C", "B"):
        rounds.read(content, content, f"source of {content}")
        offered.append(rounds.offer)
    assert offered == [_offer("B"), None, None]


def test_what_was_built_of_another_reading_is_let_go() -> None:
    """A secret that was rotated is in no content, and in each reading."""
    rounds = _rounds()
    rounds.built(_offer("B"))
    rounds.read("B", "B", "source of B, with another secret")
    assert rounds.offer is None


class _Hasty(MemoryStore):
    """A store in which another worker opens the round again as soon as it is given up."""

    again: State | None = None

    def put(self, records: Mapping[str, str | None], **conditions: Any) -> int | None:
        """Write, and let the other one write next."""
        written = super().put(records, **conditions)
        again, self.again = self.again, None
        if again is not None:
            super().put({f"{PREFIX}state": again.to_text()})
        return written


@pytest.mark.parametrize("again", [False, True], ids=["given up", "asked for anew"])
def test_what_was_given_up_is_kept_while_it_is_asked_for_anew(again: bool) -> None:
    """Another worker needs it to start, or to catch up; what nobody asks for goes."""
    store = _Hasty()
    rounds = Rounds(Together(), store, FakeClock(), Member, lambda anew: None)
    opened = State(1, "A", round=Round(1, "B", by="me"))
    store.put({f"{PREFIX}state": opened.to_text()})
    store.keep("B", b"kept")
    rounds.swapped("A")
    rounds.read("C", "C", "source of C")
    board = store.look(PREFIX)
    assert board is not None
    member = {"me": Member(content="A")}
    view = replace(view_of(board, PREFIX), members=member)
    if again:
        store.again = replace(opened, round=Round(7, "B", by="other"))
    assert rounds.step(view, PREFIX, "me", frozen=False)
    assert (b"kept" if again else None) == store.content("B")


def test_who_joined_unheard_and_cannot_start_takes_itself_off_the_board() -> None:
    """Else each round would wait for one that serves nothing."""
    store = MemoryStore()
    rounds = Rounds(Together(), store, FakeClock(), Member, lambda anew: None)
    state = State(2, "A", hold=Hold("pin", "B", 1))
    mine = f"{PREFIX}{MEMBERS}me"
    store.put({f"{PREFIX}state": state.to_text(), mine: Member(content="A").to_text()})
    rounds.read("A", "A", "source of A")
    rounds.failed("B", Failure(Vote.FAILED_FOR_GOOD, "schema", "does not fit"))
    board = store.look(PREFIX)
    assert board is not None
    assert rounds.step(view_of(board, PREFIX), PREFIX, "me", frozen=False)
    after = store.look(PREFIX)
    assert after is not None
    assert mine not in after.records
    assert rounds.booting
