"""A store thread whose store fails as it seldom does, and rounds that nobody finishes."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import logging
import threading
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck import Together
from reloadcheck._state.board import Member, Round, State, View, view_of
from reloadcheck._state.crowd import Outlook
from reloadcheck._state.history_writer import _NUMBERED
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry
from reloadcheck._state.round_driver import Offer, Rounds
from reloadcheck.exceptions import StoreLostError, StoreRefusedError
from reloadcheck.testing import FakeClock, MemoryStore

from .keeping import PREFIX, editions, fact, keeper_of


def test_a_mistake_inside_is_told_as_a_store_that_is_away(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The thread goes on: the next step may do better."""
    keeper = keeper_of(MemoryStore())

    def broken() -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(keeper.sight, "look", broken)
        keeper.step()
    assert keeper.known.error == "failed inside with ZeroDivisionError"
    keeper.step()
    assert keeper.known.error is None


class _Away(MemoryStore):
    """A store that cannot be left, and has no way to be woken."""

    wake: Any = None

    def close(self) -> None:
        """Be away."""
        raise StoreLostError("is away")


def test_a_store_that_cannot_be_left_is_left_all_the_same(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """It is logged, and the thread ends; there was nobody to be woken."""
    keeper = keeper_of(_Away())
    keeper.wake()
    keeper._closing = True
    with caplog.at_level(logging.INFO, "reloadcheck"):
        keeper._run()
    assert "the store was not left: is away" in caplog.text


def test_who_closes_before_it_has_begun_waits_for_nobody() -> None:
    """Nor does a forked child for its parent's thread."""
    member = Member()
    keeper = Keeper(MemoryStore(), lambda: PREFIX, lambda: member, clock=FakeClock())
    keeper.close()
    assert not [one for one in threading.enumerate() if "store" in one.name]


def test_the_numbers_of_very_many_versions_are_not_kept() -> None:
    """The oldest are forgotten."""
    keeper = keeper_of(MemoryStore())
    for number in range(3):
        keeper.note(replace(fact(f"c{number}", first=number == 0), version=number))
        keeper.step()
    facts: Any = keeper._facts
    facts.editions.update(dict.fromkeys(range(100, 100 + _NUMBERED), 1))
    keeper.note(replace(fact("last"), version=10_000))
    keeper.step()
    assert len(facts.editions) == _NUMBERED
    assert 10_000 in facts.editions


def test_a_store_that_lost_all_is_told_what_serves_again() -> None:
    """By who served it last; who serves something else by now tells nothing."""
    store = MemoryStore()
    keeper = keeper_of(store)
    facts: Any = keeper._facts
    facts.again()
    assert not facts._waiting
    keeper.note(fact("A", first=True))
    keeper.step()
    facts.again()
    assert [one.entry.content for one in facts._waiting] == ["A"]
    facts._waiting.clear()
    facts._last = fact("another")
    facts.again()
    assert not facts._waiting
    assert editions(store) == [(1, "A")]


# ----------------------------------------------------------------------------- rounds


def _offer(content: str, documents: bytes | None = None) -> Offer:
    entry = Entry(None, "reloaded", 0.0, content, f"source of {content}")
    return Offer(content, entry, documents)


def _rounds(store: MemoryStore, clock: FakeClock | None = None) -> Rounds:
    return Rounds(Together(), store, clock or FakeClock(), Member, lambda anew: None)


def test_a_content_that_the_store_refuses_is_offered_without(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Too large, for one: whoever is behind needs its own file."""

    class Full(MemoryStore):
        def keep(self, digest: str, data: bytes | None) -> None:
            raise StoreRefusedError("takes no content of 9 bytes")

    rounds = _rounds(Full())
    bare = _offer("B")
    assert rounds._kept(bare) is bare
    kept = rounds._kept(_offer("B", b"documents"))
    assert (kept.documents, kept.entry.kept) == (None, False)
    assert "takes no content of 9 bytes" in caplog.text


def test_a_member_whose_process_is_gone_is_left_out_of_a_round(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is taken off the board, and its vote with it."""
    store = MemoryStore()
    rounds = _rounds(store)
    store.put({f"{PREFIX}member/gone": Member(content="A").to_text()})
    monkeypatch.setattr("reloadcheck._state.round_driver.is_gone", lambda name, own: name == "gone")
    members = {"gone": Member(content="A"), "me": Member(content="A")}
    view = replace(View(), members=members, votes={"gone": SimpleNamespace(), "me": 1})  # type: ignore[dict-item]
    living = rounds._living(view, PREFIX, "me")
    assert ([*living.members], [*living.votes]) == (["me"], ["me"])
    board = store.look(PREFIX)
    assert board is not None
    assert not board.records
    assert rounds._living(living, PREFIX, "me") is living


def test_who_opened_a_round_and_went_away_is_waited_for_a_while() -> None:
    """Then somebody else ends it; back again, it counts anew."""
    clock = FakeClock()
    rounds = _rounds(MemoryStore(), clock)
    rounds.swapped("A")
    rounds.read("C", "C", "source of C")
    state = State(1, "A", round=Round(1, "B", by="other"))
    there = view_of(_board(state, {"other": Member(content="A")}), PREFIX)
    gone = replace(there, members={})
    rounds._me(gone, "me", frozen=False)
    since = [rounds._opener_gone_since]
    rounds._me(there, "me", frozen=False)
    since.append(rounds._opener_gone_since)
    assert since == [clock.monotonic(), None]
    refused = replace(there, state=replace(state, round=None))
    assert rounds.is_refused(refused, "B") is False


def _board(state: State, members: dict[str, Member]) -> Any:
    store = MemoryStore()
    records: dict[str, str | None] = {
        f"{PREFIX}member/{name}": member.to_text() for name, member in members.items()
    }
    store.put({f"{PREFIX}state": state.to_text(), **records})
    return store.look(PREFIX)


def test_before_a_first_look_nothing_is_known_of_a_board() -> None:
    """No records, rather than those of somebody else."""
    outlook: Any = Outlook.__new__(Outlook)
    outlook.crowded, outlook._parts, outlook._whole = False, {}, None
    assert outlook.records(PREFIX, "member/") == {}
