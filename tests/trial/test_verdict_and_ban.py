"""A verdict that undoes an edit and the ban on its content are one write to the store."""

from collections.abc import Callable, Mapping
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from reloadcheck import FileSource, Outcome, ReloadCheck
from reloadcheck._runtime.clock import SystemClock
from reloadcheck._state.board import STATE, Ban, Freeze, Member, State, View, state_from
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry, entry_from
from reloadcheck._state.records import object_in
from reloadcheck._state.store_orders import Orders
from reloadcheck._state.trial_pool import VERDICTS
from reloadcheck._state.undone import undone
from reloadcheck.seams.trial import Verdict
from reloadcheck.testing import MemoryStore
from reloadcheck.trial import Trial
from tests.support.rig import until

PREFIX = "shop/default/"
SAID = f"{PREFIX}{VERDICTS}d/trial"


class _Told(MemoryStore):
    """A store that remembers what was put, and has others faster, `first`, at the first verdict."""

    def __init__(self) -> None:
        super().__init__()
        self.puts: list[Mapping[str, str | None]] = []
        self.first: Callable[[], object] | None = None

    def put(self, records: Mapping[str, str | None], **options: Any) -> int | None:
        """Write, or fail where another was faster."""
        first = self.first if SAID in records else None
        if first is not None:
            self.first = None
            first()
        revision = super().put(records, **options)
        if revision is not None:
            self.puts.append(records)
        return revision


def _decided(
    store: _Told, word: str, *, active: str = "old", content: str | None = "new"
) -> Keeper:
    """Have a worker that serves `old` and tries `new` decide; return what it deals by."""
    store.put({PREFIX + STATE: State(3, active).to_text()})
    row = Entry(2, "reloaded", 1.0, "old")
    store.put({PREFIX + row.key: row.to_text()})
    keeper = Keeper(
        store,
        lambda: PREFIX,
        lambda: Member(content="old"),
        tried=lambda digest: content if digest == "d" else None,
        without=lambda _: "old",
        clock=SystemClock(),
    )
    keeper.begin()
    keeper.step()
    keeper.pool.begin("d")
    keeper.step()
    verdict = Verdict(word, "undone-failed", "undone: version 2")
    decided = Thread(target=keeper.pool.decide, args=(verdict,))
    decided.start()
    while decided.is_alive():
        keeper.step()
    return keeper


def _with_the_verdict(store: _Told) -> Mapping[str, str | None]:
    return next(each for each in store.puts if SAID in each)


def test_who_reads_the_verdict_reads_the_ban() -> None:
    """No worker can be killed between the two."""
    store = _Told()
    keeper = _decided(store, "undo")
    assert _with_the_verdict(store).keys() == {SAID, PREFIX + STATE}
    assert keeper.known.view is not None
    banned = keeper.known.view.state.banned
    told = [(content, ban.cause, ban.why) for content, ban in banned.items()]
    assert told == [("new", "undone", "undone: version 2")]
    assert banned["new"].at > 1e9


def test_what_all_had_decided_on_is_active_no_longer() -> None:
    """What served before is, in the same write, under a number of its own."""
    store = _Told()
    keeper = _decided(store, "undo", active="new")
    written = _with_the_verdict(store)
    assert written.keys() == {SAID, PREFIX + STATE, f"{PREFIX}entry/4"}
    assert keeper.known.view is not None
    state = keeper.known.view.state
    assert (state.active, state.edition, list(state.banned)) == ("old", 4, ["new"])
    back = entry_from(object_in(str(written[f"{PREFIX}entry/4"])) or {})
    assert back is not None
    assert (back.content, back.of, back.cause) == ("old", 2, "undone")
    assert (back.why, back.member) == ("undone: version 2", keeper.id)


@pytest.mark.parametrize(
    ("word", "content"), [("promote", "new"), ("trouble", "new"), ("undo", None)]
)
def test_nothing_else_is_banned(word: str, content: str | None) -> None:
    """What is promoted or withdrawn may serve; what is not known by its content is not there."""
    store = _Told()
    _decided(store, word, content=content)
    assert _with_the_verdict(store).keys() == {SAID}


def test_an_order_that_comes_meanwhile_stands() -> None:
    """The state is written from what it is by then, or not at all: no freeze gets lost."""
    store = _Told()
    frozen = State(3, "old", freeze=Freeze(by="dora"))
    store.first = lambda: store.put({PREFIX + STATE: frozen.to_text()})
    keeper = _decided(store, "undo")
    assert keeper.known.view is not None
    state = keeper.known.view.state
    assert (state.freeze, list(state.banned)) == (frozen.freeze, ["new"])
    assert keeper.pool.verdict() is not None


def test_a_ban_that_stands_is_not_written_again() -> None:
    """It keeps who gave it, and the verdict is written by itself."""
    store = _Told()
    banned = State(3, "old", banned={"new": Ban(by="dora")})
    store.first = lambda: store.put({PREFIX + STATE: banned.to_text()})
    keeper = _decided(store, "undo")
    assert keeper.known.view is not None
    assert keeper.known.view.state.banned["new"].by == "dora"
    assert keeper.pool.verdict() is not None


def test_where_another_was_faster_his_verdict_holds() -> None:
    """Nothing is banned for what one worker alone would have undone."""
    store, other = _Told(), '{"word": "promote", "code": "", "sentence": "promoted"}'
    store.first = lambda: store.put({SAID: other})
    keeper = _decided(store, "undo")
    assert keeper.known.view is not None
    assert keeper.known.view.state.banned == {}
    held = keeper.pool.verdict()
    assert held is not None
    assert held.word == "promote"


@pytest.mark.parametrize("promoted", [False, True])
def test_what_serves_is_not_banned_with_a_secret(tmp_path: Path, promoted: bool) -> None:
    """A secret that was rotated and taken back is no other content; nobody goes back further."""
    plain, secret, store = tmp_path / "app.yaml", tmp_path / "secret.yaml", MemoryStore()
    plain.write_text("a: 1")
    secret.write_text("b: 1")
    live: ReloadCheck[Any] = ReloadCheck(
        plain,
        FileSource(secret, private=True),
        store=store,
        app="shop",
        settle=0,
        window=0,
        trial=Trial(shares=(0.01,), seconds=60, units=0, watch=60),
    )
    live.start()
    orders = Orders(store.peer(), app="shop")
    plain.write_text("a: 2")
    assert live.check() is Outcome.TRYING
    live.promote()
    until(lambda: orders.state().edition == 2)
    secret.write_text("b: 2")
    assert live.check() is Outcome.TRYING
    if promoted:
        live.promote()
    assert live.undo(reason="x") is Outcome.UNDONE
    until(lambda: [row.entry.outcome for row in orders.history()].count("undone"))
    assert dict(live.snapshot.config) == {"a": 2, "b": 1}
    state = orders.state()
    assert (state.edition, state.banned) == (2, {})
    live.close()


def test_a_ban_takes_no_other_away() -> None:
    """What was undone before stays undone."""
    older, ban = Ban(cause="undone", at=1.0), Ban(cause="undone", at=2.0)
    left = undone(View(state=State(3, "old", banned={"older": older})), "new", ban, "old", "me")
    after = state_from(object_in(left[STATE][0]) or {})
    assert after.banned == {"older": older, "new": ban}


def test_the_oldest_bans_make_room() -> None:
    """Of a thousand edits that were undone; what somebody has banned stays banned."""
    rolled, ban = Ban(edition=1, at=0.0), Ban(cause="undone", at=2000.0)
    older = {f"c{at}": Ban(cause="undone", at=float(at)) for at in range(1, 1001)}
    view = View(state=State(3, "old", banned={**older, "rolled": rolled}))
    left = undone(view, "new", ban, "old", "me")
    after = state_from(object_in(left[STATE][0]) or {})
    del older["c1"]
    assert after.banned == {**older, "rolled": rolled, "new": ban}


def test_what_serves_is_banned_by_nobody() -> None:
    """Whatever is told of it: nobody could go on."""
    view, ban = View(state=State(3, "old")), Ban(cause="undone")
    assert undone(view, "old", ban, "old", "me") == {}


def test_without_anything_to_go_back_to_it_is_banned_all_the_same() -> None:
    """What is active stays: who starts has nothing else, and says so."""
    view, ban = View(state=State(3, "new")), Ban(cause="undone")
    left = undone(view, "new", ban, None, "me")
    after = state_from(object_in(left[STATE][0]) or {})
    assert (list(left), after.active, after.edition) == ([STATE], "new", 3)
    assert after.banned == {"new": ban}
