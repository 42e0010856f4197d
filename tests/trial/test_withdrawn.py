"""What ends without a verdict is told once, as what it is, and of the edit that it was."""

import time
from collections.abc import Callable
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._observe.events import ReloadEvent
from reloadcheck._state.ledger import Entry, stands
from reloadcheck._state.store_orders import Orders
from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from reloadcheck.types import Outcome
from tests.support.rig import until

from .crew import Crew
from .site import Making


def _rows(orders: Orders) -> list[Entry]:
    return [row.entry for row in reversed(orders.history())]


def _content(orders: Orders) -> set[str | None]:
    return {one.content for one in orders.members().values()}


def test_the_old_bytes_put_back_are_no_undone_edit(crew: Callable[..., Crew]) -> None:
    """The row is the edit's that was tried, and what serves is told as what serves."""
    site = crew(seconds=30.0)
    orders = Orders(site.board.peer(), app="shop")
    site.edit(2)
    until(lambda: [one.outcome for one in _rows(orders)] == ["reloaded", "trying"])
    first, tried = _rows(orders)
    site.file.write_text("a: 1")
    for live in site.lives:
        live.check()
    until(lambda: len(_rows(orders)) == 3)
    ended = _rows(orders)[-1]
    assert (ended.outcome, ended.code, ended.content) == ("undone", "superseded", tried.content)
    until(lambda: {one.outcome for one in orders.members().values()} == {"unchanged"})
    assert _content(orders) == {first.content}
    stores = [live.status().store for live in site.lives]
    assert [None if one is None else one.in_step for one in stores] == [True, True]


def test_what_served_before_is_free_after_it_ended_a_trial(crew: Callable[..., Crew]) -> None:
    """To a process that comes later, too, which knows of it from the history alone."""
    site = crew(seconds=30.0)
    orders = Orders(site.board.peer(), app="shop")
    site.edit(2)
    site.file.write_text("a: 1")
    for live in site.lives:
        live.check()
    until(lambda: len(_rows(orders)) == 3)
    site.edit(3)
    site.lives[0].promote()
    until(lambda: {live.snapshot.config["a"] for live in site.lives} == {3})
    late: ReloadCheck[Any] = ReloadCheck(
        site.file, store=site.board.peer(), app="shop", settle=0, window=0.1, trial=True
    )
    late.start()
    site.lives.append(late)  # which the rig ends
    until(lambda: late.check() and late.snapshot.config["a"] == 3)
    site.file.write_text("a: 1")
    until(lambda: late.check() and late.snapshot.config["a"] == 1)
    assert late.status().trial is None


@pytest.mark.parametrize("together", [None, "all"])
def test_a_roll_back_in_a_trial_supersedes_it(
    crew: Callable[..., Crew], together: str | None
) -> None:
    """What is tried is banned and given up, and no verdict was spoken on it."""
    site = crew(together=together, seconds=30.0)
    orders = Orders(site.board.peer(), app="shop")
    first = orders.state().active
    site.edit(2)
    site.lives[0].promote()
    until(lambda: {live.snapshot.config["a"] for live in site.lives} == {2})
    site.edit(3)
    until(lambda: {one.outcome for one in orders.members().values()} == {"trying"})
    tried = {one.pending for one in orders.members().values()}
    orders.rollback(1, why="as a test")
    until(lambda: {live.snapshot.config["a"] for live in site.lives} == {1})
    assert tried <= set(orders.state().banned)
    until(lambda: {one.content for one in orders.members().values()} == {first})
    until(lambda: "superseded" in {one.code for one in _rows(orders) if one.content in tried})
    assert {one.code for one in _rows(orders) if one.content in tried} <= {None, "superseded"}
    until(lambda: {live.status().code for live in site.lives} == {"banned"})


def _knows_freeze(live: ReloadCheck[Any]) -> bool:
    store = live.status().store
    return store is not None and store.order == "frozen"


def _frozen(live: ReloadCheck[Any]) -> bool:
    return live.check() is Outcome.WAITING


def test_an_edit_that_waited_and_is_gone_has_a_row(crew: Callable[..., Crew]) -> None:
    """Who reads the history sees that it waits no longer, and that nothing went live."""
    site = crew()
    orders = Orders(site.board.peer(), app="shop")
    orders.freeze(until=time.time() + 3600, why="Black Friday")
    until(lambda: all(map(_knows_freeze, site.lives)))  # else it is tried, and goes on
    site.file.write_text("a: 2")
    until(lambda: all(map(_frozen, site.lives)))
    until(lambda: [one.outcome for one in _rows(orders) if one.code] == ["waiting"])
    site.file.write_text("a: 1")
    for live in site.lives:
        live.check()
    until(lambda: _rows(orders)[-1].code == "superseded")
    waited, ended = [one for one in _rows(orders) if one.code]
    assert (waited.code, ended.outcome) == ("frozen", "unchanged")
    assert waited.content == ended.content
    until(lambda: {(one.outcome, one.pending) for one in orders.members().values()}
          == {("unchanged", None)})  # fmt: skip


def test_what_is_in_trouble_waits_and_was_never_undone(site: Making, clock: FakeClock) -> None:
    """One event, and one row: a moment's `undone` would wake somebody for nothing."""
    shop = site(trial=Trial(shares=(0.2,)))
    heard = list[ReloadEvent]()
    shop.live.subscribe(heard.append)
    shop.edit(2)
    shop.page = lambda config: (503, b"")
    for number in range(200):
        shop.get(on_candidate=number % 5 == 0)
        clock.advance(0.1)
    until(lambda: shop.live.status().outcome is Outcome.WAITING, clock)
    until(lambda: len(heard) == 2)
    assert [(one.outcome, one.code) for one in heard] == [
        (Outcome.TRYING, None),
        (Outcome.WAITING, "trouble"),
    ]
    assert [one.code for one in shop.live.status().history].count("trouble") == 1


def test_what_was_in_trouble_has_not_served() -> None:
    """Where all decide together it has an edition before it is tried, and an outage is no leave."""
    live = Entry(2, "reloaded", 1.0, "B")
    trouble = Entry(None, "waiting", 2.0, "B", code="trouble")
    assert stands([live], "B")
    assert not stands([live, trouble], "B")
    assert stands([live, trouble, Entry(3, "reloaded", 3.0, "B")], "B")
