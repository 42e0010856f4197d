"""What operators want: each order gives the next state and a row, or says who stands in the way."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest

from reloadcheck._state import orders
from reloadcheck._state.board import STATE, Member, State, prefix_of, state_from, view_of
from reloadcheck._state.ledger import Entry, activated, dropped, entry_from, history, served_before
from reloadcheck._state.orders import Actor
from reloadcheck._state.store_orders import Orders
from reloadcheck.exceptions import OrderRefusedError
from reloadcheck.testing import MemoryStore
from reloadcheck.types import Board, Record, Retention

DORA = Actor("dora@web-1", 100.0, "it was slow")


def _lived(*contents: str) -> tuple[State, list[Entry]]:
    """Return a state and the history in which these contents went live, one after another."""
    state, entries = State(), list[Entry]()
    for at, content in enumerate(contents):
        entry = Entry(None, "reloaded", float(at), content, f"s{content}", size=10, kept=True)
        state, entry = activated(state, entry)
        entries.append(entry)
    return state, entries


def test_a_rollback_is_a_new_edition_and_bans_what_served() -> None:
    """Edition 4 is 2 again; nothing is renumbered."""
    state, entries = _lived("A", "B", "C")
    ordered = orders.rollback(state, entries, DORA, 2)
    after, entry = ordered.state, ordered.entry
    assert (after.edition, after.active, after.target) == (4, "B", "B")
    assert (entry.edition, entry.of, entry.cause) == (4, 2, "rollback")
    assert (entry.actor, entry.why) == ("dora@web-1", "it was slow")
    assert set(after.banned) == {"C"}
    assert ordered.says == "edition 4 is 2 again; edition 3 is banned"


def test_a_rollback_without_a_number_walks_back_and_never_flips() -> None:
    """Called again and again it goes from C to B to A, and then there is nothing left."""
    state, entries = _lived("A", "B", "C")
    for expected in ("B", "A"):
        ordered = orders.rollback(state, entries, DORA)
        state, entries = ordered.state, [*entries, ordered.entry]
        assert expected == state.target
    assert set(state.banned) == {"B", "C"}
    with pytest.raises(OrderRefusedError, match=r"no older edition that is kept and not banned$"):
        orders.rollback(state, entries, DORA)


def test_a_rollback_without_a_number_goes_to_no_fall_back() -> None:
    """What served in an emergency is nobody's edit; by its number it can be had."""
    state, entries = _lived("A", "B", "C")
    entries[1] = replace(entries[1], cause="fallback")
    assert orders.rollback(state, entries, DORA).entry.of == 1
    assert orders.rollback(state, entries, DORA, 2).entry.of == 2


def test_a_rollback_from_the_first_edition_names_what_takes_a_trial_back() -> None:
    """There is nothing to go back to, and `undo` is what is meant."""
    state, entries = _lived("A")
    with pytest.raises(OrderRefusedError, match=r"`undo` takes back what is tried$"):
        orders.rollback(state, entries, DORA, waiting=["B"], trying=True)


def test_a_rollback_past_what_is_not_kept_says_so() -> None:
    """Else nobody knows at night why there is an edition before, and no way back to it."""
    state, entries = _lived("A", "B", "C")
    entries = [replace(one, kept=False) for one in entries]
    with pytest.raises(OrderRefusedError, match=r"; the store keeps no content of edition 2$"):
        orders.rollback(state, entries, DORA)


def test_a_rollback_bans_an_edit_that_waits_with_what_serves() -> None:
    """Otherwise it would go live a moment later; it is told how to name what was no edition."""
    state, entries = _lived("A", "B")
    ordered = orders.rollback(state, entries, DORA, waiting=["D"])
    assert {content: ban.edition for content, ban in ordered.state.banned.items()} == {
        "B": 2,
        "D": None,
    }
    assert ordered.says.endswith("edition 2 is banned, and what waited: content:D")


def test_an_undo_bans_what_waits_somewhere_too() -> None:
    """Each member tells what its sources hold that is not live."""
    state, entries = _lived("A", "B")
    members = [Member(content="B"), Member(content="B", outcome="waiting", pending="D")]
    assert orders.pending(members) == {"D"}
    assert set(orders.undo(state, entries, members, DORA).state.banned) == {"B", "D"}


def test_what_cannot_be_rolled_back_to_is_said() -> None:
    """An edition that is not there, not kept, banned, or serving."""
    state, entries = _lived("A", "B", "C")
    entries[0] = replace(entries[0], kept=False)
    for edition, words in ((9, "no edition 9"), (1, "is not kept"), (3, "serves now")):
        with pytest.raises(OrderRefusedError, match=words):
            orders.rollback(state, entries, DORA, edition)
    after = orders.rollback(state, entries, DORA).state
    with pytest.raises(OrderRefusedError, match="edition 3 is banned by dora@web-1: unban it"):
        orders.rollback(after, entries, DORA, 3)
    with pytest.raises(OrderRefusedError, match="nothing was live"):
        orders.rollback(State(), [], DORA)


def test_a_pin_refuses_other_orders_and_names_who() -> None:
    """Unless they are forced; edits are nobody's business there."""
    state, entries = _lived("A", "B")
    pinned = orders.pin(state, entries, DORA)
    assert (pinned.state.edition, pinned.entry.edition, pinned.entry.cause) == (2, None, "pin")
    otto = Actor("otto", 101.0, "now")
    for order in (orders.rollback, orders.pin):
        with pytest.raises(OrderRefusedError, match="pinned by dora@web-1: it was slow"):
            order(pinned.state, entries, otto)
    forced = orders.rollback(pinned.state, entries, replace(otto, force=True))
    assert getattr(forced.state.hold, "kind", None) == "rollback"
    assert orders.unpin(pinned.state, entries, otto).state.hold is None
    with pytest.raises(OrderRefusedError, match="nothing is pinned"):
        orders.unpin(state, entries, otto)


def test_a_pin_of_an_older_edition_is_an_activation() -> None:
    """It serves again under a new number, and stays."""
    state, entries = _lived("A", "B")
    ordered = orders.pin(state, entries, DORA, 1)
    assert (ordered.entry.edition, ordered.entry.of, ordered.state.target) == (3, 1, "A")


def test_freeze_fallback_and_their_ends() -> None:
    """Each has an opposite, which says so where there is nothing to end."""
    state, _ = _lived("A")
    assert getattr(orders.freeze(state, DORA, 900.0).state.freeze, "until", None) == 900.0
    assert orders.thaw(orders.freeze(state, DORA).state, DORA).state.freeze is None
    fallen = orders.fallback(state, DORA, on=True).state
    assert getattr(fallen.hold, "kind", None) == "fallback"
    assert orders.fallback(fallen, DORA, on=False).state.hold is None
    with pytest.raises(OrderRefusedError, match="that time is over"):
        orders.freeze(state, DORA, DORA.at)
    with pytest.raises(OrderRefusedError):
        orders.thaw(state, DORA)
    with pytest.raises(OrderRefusedError):
        orders.fallback(state, DORA, on=False)


def test_a_thaw_ends_no_rollback() -> None:
    """Two orders, two ends."""
    state, entries = _lived("A", "B")
    held = orders.freeze(orders.rollback(state, entries, DORA).state, DORA).state
    assert orders.thaw(held, DORA).state.hold == held.hold


def test_unban_and_retry() -> None:
    """A ban on an edition is lifted by its number; a retry lifts those on what was never live."""
    state, entries = _lived("A", "B")
    after = orders.rollback(state, entries, DORA, waiting=["W"]).state
    assert set(orders.unban(after, entries, DORA, 2).state.banned) == {"W"}
    with pytest.raises(OrderRefusedError, match="edition 1 is not banned; what is: edition 2, con"):
        orders.unban(after, entries, DORA, 1)
    undone = replace(
        after, banned={**after.banned, "T": replace(after.banned["B"], cause="undone")}
    )
    retried = orders.retry(undone, DORA).state
    assert (set(retried.banned), retried.retries) == ({"B"}, 1)


def test_a_ban_on_what_was_no_edition_is_lifted_by_its_digest() -> None:
    """As the order that made it has named it, by its beginning, and by that alone."""
    state, entries = _lived("A", "B")
    after = orders.rollback(state, entries, DORA, waiting=["ab" * 16, "ac" * 16]).state
    ordered = orders.unban(after, entries, DORA, "abababababab")
    assert set(ordered.state.banned) == {"B", "ac" * 16}
    assert (
        ordered.entry.cause,
        ordered.entry.content,
        ordered.entry.of,
    ) == ("unban", "ab" * 16, None)
    assert ordered.says == "content:abababababab may be served again"
    for beginning, words in (("a", "2 banned contents"), ("ff", "is not banned"), ("", "is not")):
        with pytest.raises(OrderRefusedError, match=words):
            orders.unban(after, entries, DORA, beginning)
    with pytest.raises(OrderRefusedError, match="edition 1 is not banned; nothing is"):
        orders.unban(state, entries, DORA, 1)


def test_records_come_back_as_they_were() -> None:
    """State and entries survive JSON; what another release added is left out."""
    state, entries = _lived("A", "B")
    ordered = orders.rollback(state, entries, DORA)
    import json

    text = json.loads(ordered.state.to_text())
    assert ordered.state == state_from({**text, "of tomorrow": 1})
    assert ordered.entry == entry_from({**json.loads(ordered.entry.to_text()), "of tomorrow": 1})


@pytest.mark.parametrize("text", ["", "[]", "{", "null", '{"banned": {"A": 7}, "hold": []}'])
def test_a_record_that_is_none_stops_nobody(text: str) -> None:
    """What somebody wrote by hand is read as far as it can be."""
    board = Board(1, {"shop/1/state": Record(text, 1), "shop/1/entry/1": Record(text, 1)})
    assert view_of(board, "shop/1/").state.edition == 0


def test_history_marks_what_serves_is_held_and_banned() -> None:
    """Newest first; the newest edition of what serves is the one that is marked."""
    state, entries = _lived("A", "B", "C")
    ordered = orders.rollback(state, entries, DORA, 1)
    rows = history([*entries, ordered.entry], ordered.state)
    marks = [(row.entry.edition, row.serves, row.held, row.banned) for row in rows]
    assert marks == [
        (4, True, True, False),
        (3, False, False, True),
        (2, False, False, False),
        (1, False, True, False),
    ]
    assert served_before([*entries, ordered.entry], "A") == 4
    assert [row.entry.edition for row in history(entries, state, limit=1)] == [3]
    assert [row.entry.edition for row in history(entries, state, since=2.0)] == [3]


def test_retention_spares_what_is_held_active_or_served() -> None:
    """150 editions, keep 100, one pinned: the oldest go, and their contents with them."""
    state, entries = _lived(*(f"c{number}" for number in range(150)))
    pinned = orders.pin(state, entries, DORA, 3)
    gone = dropped([*entries, pinned.entry], pinned.state, Retention(100, 10**9), ["c9"])
    assert len(gone.keys) == 51
    assert not {"entry/3", "entry/10", "entry/151"} & set(gone.keys)
    assert {"entry/1", "entry/2", "entry/4"} <= set(gone.keys)
    assert not {"c2", "c9", "c149"} & set(gone.contents)
    assert len(gone.contents) == 51


def test_content_is_kept_by_its_size_too() -> None:
    """The entries stay; the oldest contents go until the rest fits."""
    state, entries = _lived("A", "B", "C", "D")
    gone = dropped(entries, state, Retention(100, 25))
    assert (gone.keys, gone.contents) == ((), ("A", "B"))


class _Contended(MemoryStore):
    """A store into which somebody else orders something just before the first order."""

    before: Callable[[], object] | None = None

    def put(self, records: Mapping[str, str | None], **words: Any) -> int | None:
        """Let the other one be faster, once."""
        before, self.before = self.before, None
        if before is not None:
            before()
        return super().put(records, **words)


def _shared() -> tuple[_Contended, Orders, Orders]:
    """Return a store on which A, B, C and D were live, and two operators."""
    store = _Contended()
    state, entries = _lived("A", "B", "C", "D")
    prefix = prefix_of("shop", None)
    store.put({f"{prefix}{STATE}": state.to_text()})
    store.put({prefix + entry.key: entry.to_text() for entry in entries})
    return store, Orders(store, app="shop"), Orders(store, app="shop")


@pytest.mark.parametrize("word", ["rollback", "undo", "pin"])
def test_two_operators_at_once_do_not_both_go_back(word: str) -> None:
    """Whoever was slower meant what served a moment ago, and would ban what is good."""
    store, olga, otto = _shared()
    store.before = lambda: olga.rollback(why="D is slow", by="olga")
    with pytest.raises(OrderRefusedError, match="somebody was faster: edition 5 serves by now"):
        getattr(otto, word)(why="D is slow", by="otto")
    assert olga.state().target == "C"
    assert set(olga.state().banned) == {"D"}


def test_an_order_by_number_holds_whoever_was_faster() -> None:
    """It says what it wants; its row has the time at which it was written."""
    store, olga, otto = _shared()
    store.before = lambda: olga.rollback(why="D is slow", by="olga")
    assert otto.rollback(1, why="all are", by="otto").entry.edition == 6
    assert [one.edition for one in otto.entries()] == [1, 2, 3, 4, 5, 6]
