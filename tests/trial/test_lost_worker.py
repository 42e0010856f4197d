"""A worker whose process ends in the midst of a shared trial: who is blamed, and when."""

import json
from collections.abc import Callable
from dataclasses import asdict
from threading import Thread
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck._state.trial_pool import TRIALS, VERDICTS, Pool
from reloadcheck.seams.trial import Counted, Verdict
from reloadcheck.testing import MemoryStore
from reloadcheck.trial import Trial
from reloadcheck.types import Board
from tests.support.rig import until

from .crew import Crew
from .site import Making


class _Peers:
    """A pool in which nobody is faster than this worker."""

    others: tuple[Counted, ...] = ()
    lost: str | None = None

    def begin(self, digest: str) -> None:
        """Take no note of it."""

    def tell(self, counted: Counted) -> None:
        """Take no note of it."""

    def leave(self) -> None:
        """Take no note of it."""

    def verdict(self, stage: str = "") -> Verdict | None:
        """Know none."""
        del stage
        return None

    def decide(self, verdict: Verdict, stage: str = "") -> Verdict:
        """Agree."""
        del stage
        return verdict


def _tried(site: Making, act: Any) -> tuple[Any, _Peers]:
    shop, peers = site(trial=Trial(act=act)), _Peers()
    gate = engine_of(shop.live).trial
    assert gate is not None
    gate.shared = lambda: peers
    assert shop.edit(2) is Outcome.TRYING
    return shop, peers


def test_the_edit_is_taken_back(site: Making) -> None:
    """At once, by the name of the worker."""
    shop, peers = _tried(site, "undo")
    peers.lost = "h/b/7/x"
    assert shop.asked() is Outcome.UNDONE
    assert shop.live.status().code == "worker-lost"
    assert "worker h/b/7/x ended while version 2 was tried" in str(shop.live.status().error)


def test_where_it_is_to_tell_it_goes_on(site: Making) -> None:
    """`act="tell"` takes nothing back."""
    shop, peers = _tried(site, "tell")
    peers.lost = "h/b/7/x"
    assert shop.asked() is Outcome.TRYING


def test_after_the_promotion_a_worker_may_go(site: Making) -> None:
    """As in each restart, one after another, which the watch must outlast."""
    shop, peers = _tried(site, "undo")
    shop.live.promote()
    peers.lost = "h/b/7/x"
    shop.asked()
    assert shop.live.snapshot.config.a == 2
    assert shop.live.status().code is None


def _board(store: MemoryStore) -> Board:
    found = store.look("shop/")
    assert found is not None
    return found


def _stepped(pool: Pool, store: MemoryStore, own: str) -> None:
    while pool.step(_board(store), "shop/", own):
        pass


def _peer(store: MemoryStore, name: str) -> str:
    """Have another worker take part in the trial; return its record's key."""
    key = f"shop/{TRIALS}d/{name}"
    counted = Counted(5, 20, {"failed": (2, 1, (0.0,) * 5)})
    store.put({key: json.dumps(asdict(counted))})
    return key


def test_who_is_gone_is_named_and_removed(monkeypatch: pytest.MonkeyPatch) -> None:
    """What it had counted counts no more; the first one stays named, and who lives is not meant."""
    store, poked, ended = MemoryStore(), list[int](), {"ada", "bob"}

    def is_gone(name: str, own: str) -> bool:
        return name in ended - {own}

    monkeypatch.setattr("reloadcheck._state.trial_pool.is_gone", is_gone)
    pool = Pool(store, lambda: None, lambda: poked.append(1), lambda: _board(store).revision)
    pool.begin("d")
    _peer(store, "cid")
    _stepped(pool, store, "me")
    assert (pool.lost, len(pool.others)) == (None, 1)
    poked.clear()
    for name in ("bob", "ada"):
        key = _peer(store, name)
        _stepped(pool, store, "me")
        assert (pool.lost, len(pool.others)) == ("bob", 1)
        assert key not in _board(store).records
    assert len(poked) >= 2


def test_who_comes_when_it_is_decided_hears_it() -> None:
    """A verdict that peers still take part in is of this trial, however old; none is removed."""
    store, told = MemoryStore(), Verdict("undo", "undone-failed", "undone: version 2")
    _peer(store, "ada")
    store.put({f"shop/{VERDICTS}d/trial": json.dumps(asdict(told))})
    pool = Pool(store, lambda: None, lambda: None, lambda: _board(store).revision)
    pool.begin("d")
    _stepped(pool, store, "me")
    assert pool.verdict() == told


def test_what_is_counted_ends_with_its_worker() -> None:
    """It is bound to the worker's life: nobody weighs what a dead one told."""
    store = MemoryStore()
    mine = store.peer()
    pool = Pool(mine, lambda: None, lambda: None, lambda: _board(store).revision)
    pool.begin("d")
    pool.tell(Counted(units=20))
    _stepped(pool, mine, "me")
    assert f"shop/{TRIALS}d/me" in _board(store).records
    mine.close()
    assert f"shop/{TRIALS}d/me" not in _board(store).records


def test_the_first_verdict_holds() -> None:
    """Whoever decides otherwise at the same time, before he has seen it, does not replace it."""
    store = MemoryStore()
    pool = Pool(store, lambda: None, lambda: None, lambda: _board(store).revision)
    pool.begin("d")
    _stepped(pool, store, "me")
    seen, first = _board(store), Verdict("undo", "undone-failed", "undone: version 2")
    store.put({f"shop/{VERDICTS}d/trial": json.dumps(asdict(first))})
    decided = Thread(target=pool.decide, args=(Verdict("promote", "", "promoted"),))
    decided.start()
    decided.join()
    pool.step(seen, "shop/", "me")
    _stepped(pool, store, "me")
    assert pool.verdict() == first


@pytest.mark.parametrize("end", ["promoted", "undone", "put back"])
def test_nothing_of_a_trial_that_is_over_stays(crew: Callable[..., Crew], end: str) -> None:
    """Whoever ends it, each takes back what it told: a worker that goes later was not in it."""
    site = crew(seconds=60.0, units=0)
    site.edit(2)
    until(lambda: _told(site) == 2)
    if end == "promoted":
        site.lives[0].promote()
    elif end == "undone":
        site.lives[0].undo()
    else:
        site.file.write_text("a: 1")
        for live in site.lives:
            live.check()
    until(lambda: _told(site) == 0)


def _told(site: Crew) -> int:
    """Return of how many workers the store has what they counted."""
    found = site.board.look("shop/")
    return 0 if found is None else sum(f"/{TRIALS}" in key for key in found.records)
