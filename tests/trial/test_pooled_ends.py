"""How a trial of several workers ends where they hear of it in another order than it came about."""

import json
import threading
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck, ReloadEvent
from reloadcheck._engine.api import engine_of
from reloadcheck._runtime.clock import SystemClock
from reloadcheck._state.board import STATE, Ban, Member, State, prefix_of
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry
from reloadcheck._state.listener import StoreListener
from reloadcheck._state.store_orders import Orders
from reloadcheck._state.trial_pool import VERDICTS
from reloadcheck.seams.trial import Verdict
from reloadcheck.testing import MemoryStore
from tests.support.rig import until

from .crew import Crew


def _values(site: Crew) -> set[int]:
    return {live.snapshot.config["a"] for live in site.lives}


def _codes(live: ReloadCheck[Any]) -> list[tuple[str, str | None]]:
    return [(str(one.outcome), one.code) for one in live.status().history]


def test_a_verdict_is_known_before_what_follows_from_it() -> None:
    """A ban and a row of history come of it: whoever hears of those has heard the verdict."""
    store = MemoryStore()
    prefix, heard = "shop/default/", list[str | None]()

    def told(anew: bool) -> None:
        verdict = keeper.pool.verdict()
        heard.append(None if verdict is None else verdict.word)

    keeper = Keeper(
        store, lambda: prefix, lambda: Member(content="A"), notify=told, clock=SystemClock()
    )
    keeper.begin()
    keeper.step()
    keeper.pool.begin("d")
    keeper.step()
    banned = State(active="A", banned={"B": Ban(cause="undone")})
    told_of = json.dumps(asdict(Verdict("undo", "undone-failed", "undone: version 2")))
    store.put({prefix + STATE: banned.to_text(), f"{prefix}{VERDICTS}d/trial": told_of})
    keeper.step()
    assert heard[0] == "undo"


def test_who_reads_that_another_promoted_it_watches_it_all_the_same(
    crew: Callable[..., Crew],
) -> None:
    """The other's row of history says that it served; here it was tried, and is watched now."""
    site = crew(seconds=30.0, watch=30.0)
    site.edit(2)
    orders = Orders(site.board.peer(), app="shop")
    until(lambda: all(one.pending for one in orders.members().values()))
    state, tried = orders.state(), next(iter(orders.members().values())).pending
    row = Entry(state.edition + 1, "reloaded", 2e9, tried, "s")
    after = replace(state, edition=state.edition + 1, active=tried)
    lead = prefix_of("shop")
    site.board.put({lead + STATE: after.to_text(), lead + row.key: row.to_text()})
    until(lambda: _values(site) == {2})
    assert {trial.phase for live in site.lives if (trial := live.status().trial)} == {"watching"}
    site.lives[0].undo(reason="x")
    until(lambda: site.outcomes() == {"undone"})
    assert _values(site) == {1}


def test_what_was_taken_back_is_tried_anew_though_no_store_has_heard_of_it(
    crew: Callable[..., Crew],
) -> None:
    """Its edition is the newest that the history knows of; here it is known that it was undone."""
    site = crew(seconds=30.0, watch=30.0)
    live = site.lives[0]
    site.edit(2)
    live.promote()
    until(lambda: _values(site) == {2})
    for store in site.stores:
        store.lose()
    assert live.undo(reason="x") is Outcome.UNDONE
    assert live.retry() is Outcome.TRYING


@pytest.mark.parametrize("together", [None, "all"])
def test_what_one_takes_back_when_all_is_over_the_others_do_not_serve(
    crew: Callable[..., Crew], together: str | None
) -> None:
    """Banned content is served nowhere, however long ago its trial was."""
    site = crew(seconds=0.2, units=0, together=together)
    site.edit(2)
    until(lambda: _values(site) == {2})
    site.lives[0].undo(reason="x")
    until(lambda: _values(site) == {1})
    until(lambda: site.outcomes() == {"undone"})
    until(lambda: _all_say(site, "undone"))
    members = Orders(site.board.peer(), app="shop").members().values()
    assert len({one.content for one in members}) == 1


def test_it_is_told_though_the_swap_is_noted_after_the_last_look(
    crew: Callable[..., Crew], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody has to ask: what notes it has the sources looked at once more."""
    hear, late = StoreListener.hear, threading.Event()

    def hear_late(self: StoreListener, event: ReloadEvent) -> None:
        if event.version == 3:
            assert late.wait(30)
        hear(self, event)

    monkeypatch.setattr(StoreListener, "hear", hear_late)
    site = crew(seconds=0.2, units=0)
    site.edit(2)
    until(lambda: _values(site) == {2})
    site.lives[0].undo(reason="x")
    until(lambda: site.lives[1].snapshot.version == 3)
    until(lambda: site.lives[1].status().outcome is Outcome.UNCHANGED)
    late.set()
    until(lambda: site.outcomes() == {"undone"})


def _all_say(site: Crew, outcome: str) -> bool:
    members = Orders(site.board.peer(), app="shop").members().values()
    return {one.outcome for one in members} == {outcome}


def test_what_is_banned_in_a_trial_is_taken_back_as_that(crew: Callable[..., Crew]) -> None:
    """And not as what waits for the others, who are not going to have it."""
    site = crew(seconds=30.0, together="all")
    site.edit(2)
    orders = Orders(site.board.peer(), app="shop")
    state = orders.state()
    ban = Ban(at=1.0, why="undone: version 2", cause="undone")
    before = next(iter(orders.members().values())).content
    after = replace(state, active=before, banned={str(state.active): ban})
    site.board.put({prefix_of("shop") + STATE: after.to_text()})
    until(lambda: site.outcomes() == {"undone"})
    for live in site.lives:
        assert ("undone", "undone-before") in _codes(live)
        assert not [one for one in _codes(live) if one[1] == "waiting" and one[0] == "undone"]
        assert engine_of(live).trial is not None
    assert _values(site) == {1}
