"""Workers that act as one: what all have decided on is tried, and no edit waits for that to end."""

from collections.abc import Callable
from typing import Any

from reloadcheck import ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.trial import Trial
from tests.support.rig import until

from .crew import Crew


def _values(site: Crew) -> set[int]:
    return {live.snapshot.config["a"] for live in site.lives}


def _write(site: Crew, value: int) -> None:
    site.file.write_text(f"a: {value}")
    for live in site.lives:
        live.check()


def test_a_newer_edit_is_tried_in_its_place(crew: Callable[..., Crew]) -> None:
    """Though all had decided on the one before, which is tried by nobody from then on."""
    site = crew(together="all", seconds=30.0)
    site.edit(2)
    tried = {trial.digest for live in site.lives if (trial := live.status().trial)}
    _write(site, 3)

    def is_tried() -> bool:
        trials = [live.status().trial for live in site.lives]
        return all(one is not None and one.digest not in tried for one in trials)

    until(is_tried)
    assert _values(site) == {1}
    site.lives[0].promote()
    until(lambda: _values(site) == {3})


def test_the_old_bytes_end_it_at_once(crew: Callable[..., Crew]) -> None:
    """All decide to stay with what serves; nothing is built for that, and no trial begins anew."""
    site = crew(together="all", seconds=30.0)
    orders = Orders(site.board.peer(), app="shop")
    before = orders.state().active
    site.edit(2)
    _write(site, 1)
    until(lambda: orders.state().active == before)
    until(lambda: site.outcomes() == {"unchanged"})
    assert [live.status().trial for live in site.lives] == [None, None]
    assert {live.status().version for live in site.lives} == {1}
    assert {one.content for one in orders.members().values()} == {before}


def test_who_starts_meanwhile_tries_it_too(crew: Callable[..., Crew]) -> None:
    """A recycled worker gives to all of its requests what the others serve, not what they try."""
    site = crew(together="all", seconds=30.0)
    site.edit(2)
    late: ReloadCheck[Any] = ReloadCheck(
        site.file,
        store=site.board.peer(),
        app="shop",
        settle=0,
        window=0.1,
        trial=Trial(shares=(0.2,), watch=0.0, seconds=30.0),
        together="all",
    )
    late.start()
    site.lives.append(late)  # which the rig ends
    assert late.snapshot.config["a"] == 1
    until(lambda: late.status().trial)
    assert late.snapshot.config["a"] == 1
    site.lives[0].promote()
    until(lambda: _values(site) == {2})
