"""An order is not tried: it ends a trial, and what it wants serves at once, on all workers."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck._state.store_orders import Orders
from tests.support.rig import until

from .crew import Crew

TOGETHER = pytest.mark.parametrize("together", [None, "all"])


def _values(site: Crew) -> set[int]:
    return {live.snapshot.config["a"] for live in site.lives}


def _lives_of(site: Crew, version: int) -> list[str]:
    """Return which of the workers' rows say that a version went live."""
    rows = [row for live in site.lives for row in live.status().history]
    return [
        str(row.outcome) for row in rows if row.version == version and row.outcome == "reloaded"
    ]


def _tried(live: ReloadCheck[Any]) -> int | None:
    thread = engine_of(live).thread
    candidate = None if thread is None else thread.serving.candidate
    return None if candidate is None else candidate.snapshot.config["a"]


@pytest.fixture
def fallback(tmp_path: Path) -> Path:
    """What serves while the fall-back is on."""
    path = tmp_path / "fallback.yaml"
    path.write_text("a: 0")
    return path


@TOGETHER
@pytest.mark.parametrize("trying", [False, True])
def test_the_fall_back_is_not_tried(
    crew: Callable[..., Crew], fallback: Path, together: str | None, trying: bool
) -> None:
    """Nor is an edit of it; what the file holds by then is, once it is switched off."""
    site = crew(together=together, fallback=fallback, seconds=30.0)
    orders = Orders(site.board.peer(), app="shop")
    until(lambda: orders.state().edition == 1)
    if trying:
        site.edit(2)
    orders.fallback(why="x", by="dora")
    until(lambda: _values(site) == {0})
    assert [live.status().trial for live in site.lives] == [None, None]
    assert not trying or _lives_of(site, 2) == []
    fallback.write_text("a: -1")
    until(lambda: bool([live.check() for live in site.lives]) and _values(site) == {-1})
    assert [live.status().trial for live in site.lives] == [None, None]
    site.file.write_text("a: 3")
    orders.fallback(False, why="x", by="dora")
    until(lambda: [_tried(live) for live in site.lives] == [3, 3])
    assert 3 not in _values(site)
    site.lives[0].promote()
    until(lambda: _values(site) == {3})


@pytest.mark.parametrize(("together", "kind"), [(None, "pin"), ("all", "pin"), ("all", "rollback")])
def test_what_is_tried_is_given_to_nobody_more_by_an_order(
    crew: Callable[..., Crew], together: str | None, kind: str
) -> None:
    """That all have decided on it is no reason, as they try it; it ends `superseded`."""
    site = crew(together=together, seconds=30.0)
    orders = Orders(site.board.peer(), app="shop")
    until(lambda: orders.state().edition == 1)
    site.edit(2)
    runs = [site.run_of(live) for live in site.lives]
    order = {"pin": lambda: orders.pin(1, why="x"), "rollback": lambda: orders.rollback(1, why="x")}
    order[kind]()
    until(lambda: [live.status().trial for live in site.lives] == [None, None])
    until(lambda: _values(site) == {1})
    assert [run.promoted_at for run in runs] == [None, None]
    assert _lives_of(site, 2) == []
