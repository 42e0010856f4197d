"""Workers that share a store share one trial: counts of all, one verdict, heard by all."""

import json
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck._state.store_orders import Orders
from reloadcheck._state.trial_pool import TRIALS, VERDICTS, Pool
from reloadcheck.seams.trial import Counted, Verdict
from reloadcheck.testing import MemoryStore
from reloadcheck.types import Board
from tests.support.rig import until

from .crew import Crew


def _looking(board: MemoryStore) -> Callable[[], Board]:
    """Return what looks at all of a store's board."""

    def look() -> Board:
        found = board.look("shop/")
        assert found is not None
        return found

    return look


def _settle(pool: Pool, look: Callable[[], Board]) -> None:
    """Step until there is nothing to write any more."""
    while pool.step(look(), "shop/", "me"):
        pass


def test_the_bad_units_of_all_make_one_verdict(crew: Callable[..., Crew]) -> None:
    """Neither has enough by itself to undo it; together they have, and all are told at once."""
    site = crew(seconds=30.0)
    one, two = site.lives
    site.edit(2)
    site.ask(one, 6, bad=2)
    time.sleep(0.6)
    assert site.outcomes() == {"trying"}
    site.ask(two, 6, bad=2)
    until(lambda: {"undone"} == site.outcomes())
    assert {live.status().code for live in site.lives} == {"undone-failed"}
    assert {live.snapshot.config["a"] for live in site.lives} == {1}
    assert len({str(live.status().error) for live in site.lives}) == 1


def _visitor(scope: Mapping[str, Any]) -> object:
    return scope["visitor"]


def test_a_visitor_falls_alike_on_all_workers_and_counts_once(crew: Callable[..., Crew]) -> None:
    """Who comes back to another worker gets the version that he had, and is no new evidence."""
    site = crew(seconds=30.0, sticky=_visitor)
    gates = [gate for gate in (engine_of(live).trial for live in site.lives) if gate is not None]
    for gate in gates:
        gate.draw = random.Random  # each worker's own
    site.edit(2)
    one, two = (gate.run for gate in gates if gate.run is not None)
    falls = [[run.draw({"visitor": who}).on_candidate for who in range(200)] for run in (one, two)]
    assert falls[0] == falls[1]
    assert set(falls[0]) == {False, True}
    unlucky = falls[0].index(True)
    for run in (one, two, one):
        run.draw({"visitor": unlucky}).failed("GET / → KeyError")
    until(lambda: all(_failed(live) == [(1, 1)] for live in site.lives))
    two.draw({"visitor": falls[0].index(False)}).failed("GET / → KeyError")
    until(lambda: all(_failed(live) == [(1, 2)] for live in site.lives))
    assert site.outcomes() == {"trying"}


def _failed(live: ReloadCheck[Any]) -> list[tuple[int, int]]:
    trial = live.status().trial
    return [] if trial is None else [(one.on_candidate, one.bad) for one in trial.signals]


def test_what_was_undone_stays_undone(crew: Callable[..., Crew]) -> None:
    """It is banned in the store, whoever starts; a retry lifts that, and it is tried anew."""
    site = crew(seconds=30.0)
    site.edit(2)
    site.lives[0].undo(reason="x")
    until(lambda: {"undone"} == site.outcomes())
    orders = Orders(site.board.peer(), app="shop")
    until(lambda: orders.state().banned)
    late: ReloadCheck[Any] = ReloadCheck(
        site.file, store=site.board.peer(), app="shop", settle=0, window=0.1, trial=True
    )
    late.start()
    assert late.snapshot.config["a"] == 1
    late.close()
    site.lives[0].retry()
    until(lambda: all(live.status().trial for live in site.lives))
    assert not orders.state().banned


def test_what_was_undone_is_told_until_it_is_gone(crew: Callable[..., Crew]) -> None:
    """Once the file holds what serves again, no member says that something is wrong with it."""
    site = crew(seconds=30.0)
    site.edit(2)
    site.lives[0].undo(reason="x")
    orders = Orders(site.board.peer(), app="shop")

    def said() -> set[tuple[str | None, str | None]]:
        return {(one.outcome, one.code) for one in orders.members().values()}

    until(lambda: said() == {("undone", "undone-by-hand")})
    site.file.write_text("a: 1")
    for live in site.lives:
        live.check()
    until(lambda: said() == {("unchanged", None)})


def test_units_are_counted_over_all(crew: Callable[..., Crew]) -> None:
    """The time is over, and together they have had enough: promoted, for all at once."""
    site = crew(seconds=0.5, units=6, longest=60.0)
    site.edit(2)
    for live in site.lives:
        site.ask(live, 8)
    until(lambda: {2} == {live.snapshot.config["a"] for live in site.lives})
    trial = site.lives[0].status().last_trial
    assert trial is not None


def test_without_the_store_each_judges_alone(crew: Callable[..., Crew]) -> None:
    """What is away is no reason to wait with an undo."""
    site = crew(seconds=30.0)
    site.edit(2)
    for store in site.stores:
        store.lose()
    site.ask(site.lives[0], 30, bad=2)
    until(lambda: str(site.lives[0].status().outcome) == "undone")
    assert str(site.lives[1].status().outcome) == "trying"


@pytest.mark.parametrize("first", [True, False], ids=["before", "after"])
def test_a_verdict_counts_from_the_trial_that_it_ends(first: bool) -> None:
    """One of an earlier trial is forgotten; one of a peer who was faster to end this one is not."""
    board = MemoryStore()
    told = json.dumps(asdict(Verdict("undo", "undone-failed", "undone: version 2")))
    verdict: dict[str, str | None] = {f"shop/{VERDICTS}d/trial": told}

    look = _looking(board)
    pool = Pool(board, lambda: None, lambda: None, lambda: look().revision)
    if first:
        board.put(verdict)
    pool.begin("d")
    if not first:
        board.put(verdict)
    _settle(pool, look)
    heard = pool.verdict()
    assert (None if first else "undo") == (None if heard is None else heard.word)


def test_what_is_tried_once_more_is_not_judged_by_the_trial_before() -> None:
    """Though that was left a moment ago, and what was counted in it still stands in the store."""
    board = MemoryStore()

    look = _looking(board)
    pool = Pool(board, lambda: None, lambda: None, lambda: look().revision)
    pool.begin("d")
    pool.tell(Counted(units=20))
    _settle(pool, look)
    told = json.dumps(asdict(Verdict("undo", "undone-failed", "undone: version 2")))
    board.put({f"shop/{VERDICTS}d/trial": told})
    pool.leave()
    pool.begin("d")
    _settle(pool, look)
    assert pool.verdict() is None


def test_old_verdicts_are_forgotten_when_a_trial_begins() -> None:
    """However many; but none on what a peer still tries, and none that has just been said.

    Etcd takes 128 operations at once.
    """
    board = _Counting()

    look = _looking(board)

    def kept() -> set[str]:
        return {name for name in look().records if VERDICTS in name}

    told = json.dumps(asdict(Verdict("promote", "", "it is good")))
    for number in range(250):
        board.put({f"shop/{VERDICTS}{number}/trial": told})
    board.put({f"shop/{TRIALS}7/peer": "{}"})
    pool = Pool(board, lambda: None, lambda: None, lambda: look().revision)
    pool.begin("d")
    board.put({f"shop/{VERDICTS}late/watch": told})
    _settle(pool, look)
    assert kept() == {f"shop/{VERDICTS}7/trial", f"shop/{VERDICTS}late/watch"}
    assert board.most <= 128


class _Counting(MemoryStore):
    """A store that knows how many records went in one write at the most."""

    most = 0

    def put(self, records: Mapping[str, str | None], **conditions: Any) -> int | None:
        """Write, and count."""
        self.most = max(self.most, len(records))
        return super().put(records, **conditions)


class _Slow(MemoryStore):
    """A store in which something happens while it is written to."""

    meanwhile: Callable[[], None] | None = None

    def put(self, records: Mapping[str, str | None], **conditions: Any) -> int | None:
        """Write, once that has happened."""
        meanwhile, self.meanwhile = self.meanwhile, None
        if meanwhile is not None:
            meanwhile()
        return super().put(records, **conditions)


def test_a_look_for_the_trial_before_says_nothing_in_the_next() -> None:
    """An edit that comes while the one before is watched is not promoted by that one's verdict."""
    board = _Slow()

    look = _looking(board)
    pool = Pool(board, lambda: None, lambda: None, lambda: look().revision)
    pool.begin("one")
    _settle(pool, look)
    promoted = json.dumps(asdict(Verdict("promote", "", "it is good")))
    board.put({f"shop/{VERDICTS}one/trial": promoted})
    pool.tell(Counted(units=20))

    def next_trial() -> None:
        pool.leave()
        pool.begin("two")

    board.meanwhile = next_trial
    pool.step(look(), "shop/", "me")
    assert (pool.verdict(), pool.others) == (None, ())
    _settle(pool, look)
    assert pool.verdict() is None
    assert [name for name in look().records if "/one/me" in name] == []


def test_what_a_peer_counts_on_the_edit_has_the_trial_asked() -> None:
    """At once, and not for what it counts on what serves, or for units that were fine."""
    board, poked = MemoryStore(), list[int]()

    look = _looking(board)

    def heard(counted: Counted) -> int:
        board.put({"shop/trial/d/h/b/1/x": json.dumps(asdict(counted))})
        while pool.step(look(), "shop/", "me"):
            pass
        return len(poked)

    pool = Pool(board, lambda: None, lambda: poked.append(1), lambda: look().revision)
    pool.begin("d")
    zero = (0.0,) * 5
    assert heard(Counted(5, 20, {"failed": (3, 0, zero)})) == 0
    assert heard(Counted(6, 20, {"failed": (4, 1, zero)})) == 1
    assert heard(Counted(9, 30, {"failed": (6, 1, zero)})) == 1
    assert heard(Counted(9, 30, {"failed": (6, 1, zero)}, {"failed": {"a": (True, 0.2)}})) == 2


def test_what_all_have_decided_on_is_tried_before_it_serves(crew: Callable[..., Crew]) -> None:
    """Ready on all is not good on any: it is tried by all, undone on all, and the next one goes."""
    site = crew(together="all", seconds=1.0, units=4, longest=60.0)
    orders = Orders(site.board.peer(), app="shop")
    site.edit(2)
    until(lambda: orders.state().round is None)
    assert {live.snapshot.config["a"] for live in site.lives} == {1}
    for live in site.lives:
        site.ask(live, 12, bad=2)
    until(lambda: {"undone"} == site.outcomes())
    until(lambda: orders.state().banned)
    assert {live.snapshot.config["a"] for live in site.lives} == {1}
    site.edit(3)
    for live in site.lives:
        site.ask(live, 12)
    until(lambda: {3} == {live.snapshot.config["a"] for live in site.lives})
