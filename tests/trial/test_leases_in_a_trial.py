"""Leases of threads beside a trial: taken before it, in it and after it, released much later."""

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from tests.support.rig import until

from .site import Making, Site


class _Threads:
    """Threads of a test's own, each on one unit of work until it is told how that ends."""

    def __init__(self, shop: Site) -> None:
        self._shop = shop
        self._ends: list[Callable[[], object]] = []

    def lease(self, *, on_candidate: bool | None = None) -> "_Work":
        """Have a thread take a lease; it takes part in the trial where it says on what it falls."""
        if on_candidate is not None:
            self._shop.draw.next = [on_candidate]
        work = _Work(self._shop, trial=on_candidate is not None)
        self._ends.append(work.end)
        assert work.begun.wait(30)
        return work

    def end(self) -> None:
        """End all that still work."""
        for end in self._ends:
            end()


class _Work:
    """One thread's unit of work; `seen` is what it had at its beginning and had at its end."""

    def __init__(self, shop: Site, *, trial: bool) -> None:
        self.begun, self._told = threading.Event(), threading.Event()
        self.seen: list[tuple[int, bool]] = []
        self.error: Exception | None = None
        self._shop, self._trial = shop, trial
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        with suppress(KeyError), self._shop.live.lease(trial=self._trial) as snapshot:
            self.seen.append(self._has(snapshot))
            self.begun.set()
            assert self._told.wait(30)
            self.seen.append(self._has(snapshot))
            if self.error is not None:
                raise self.error

    def _has(self, snapshot: Any) -> tuple[int, bool]:
        with self._shop.live.lease() as inner:
            assert inner is snapshot
        pool = snapshot[self._shop.handle]
        return snapshot.config.a, pool.closed

    def end(self, error: Exception | None = None) -> list[tuple[int, bool]]:
        """Let it end, with what it saw."""
        self.error = error
        self._told.set()
        self._thread.join(30)
        return self.seen


@pytest.fixture
def threads() -> Iterator[Callable[[Site], _Threads]]:
    """Return how to have some; all are ended with the test."""
    made: list[_Threads] = []

    def make(shop: Site) -> _Threads:
        made.append(_Threads(shop))
        return made[-1]

    yield make
    for one in made:
        one.end()


Workers = Callable[[Site], _Threads]


def test_one_of_before_is_on_what_it_began_on(
    site: Making, clock: FakeClock, threads: Workers
) -> None:
    """Through trial, promotion and watch, and until it ends; then what it held is closed."""
    shop = site(trial=Trial(watch=5))
    before = threads(shop).lease()
    shop.edit(2)
    shop.live.promote()
    clock.advance(6.0)
    until(lambda: shop.live.status().trial is None, clock)
    assert len(shop.pool.open) == 2
    assert before.end() == [(1, False), (1, False)]
    until(lambda: len(shop.pool.open) == 1)
    assert shop.live.snapshot.config.a == 2


def test_what_does_not_take_part_is_on_what_serves(site: Making, threads: Workers) -> None:
    """While an edit is tried, and is counted on neither."""
    shop = site()
    shop.edit(2)
    shop.draw.next = [True, True]
    work = threads(shop).lease()
    assert work.end(KeyError("job")) == [(1, False), (1, False)]
    trial = shop.live.status().trial
    assert trial is not None
    assert (trial.units, trial.baseline_units, trial.signals) == (0, 0, ())


@pytest.mark.parametrize("on_candidate", [True, False])
def test_one_that_takes_part_ends_where_it_began(
    site: Making, threads: Workers, on_candidate: bool
) -> None:
    """What is undone meanwhile, it still has; nothing of it is closed before it ends."""
    shop = site()
    shop.edit(2)
    work = threads(shop).lease(on_candidate=on_candidate)
    assert shop.live.undo() is Outcome.UNDONE
    a = 2 if on_candidate else 1
    assert work.end(KeyError("late")) == [(a, False), (a, False)]
    until(lambda: len(shop.pool.open) == 1)
    last = shop.live.status().last_trial
    assert last is not None
    assert last.explanation == "undone by hand: version 2. Version 1 serves."
    assert shop.live.status().code == "undone-by-hand"


def test_one_that_fails_after_the_promotion_is_watched(
    site: Making, clock: FakeClock, threads: Workers
) -> None:
    """Though it began before; eight at once are too many where none had failed for a minute."""
    shop = site()
    shop.edit(2)
    clock.advance(60.0)
    crowd = threads(shop)
    works = [crowd.lease(on_candidate=True) for _ in range(8)]
    shop.live.promote()
    for work in works[:7]:
        work.end(KeyError("late"))
    assert shop.asked() is Outcome.UNCHANGED
    works[7].end(KeyError("late"))
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    assert (shop.live.status().code, shop.live.snapshot.config.a) == ("watch", 1)


def test_the_next_trial_knows_nothing_of_one_that_ends_late(site: Making, threads: Workers) -> None:
    """It was begun on another edit: that one is drained first, and the next trial is not told."""
    shop = site()
    shop.edit(2)
    crowd = threads(shop)
    late = [crowd.lease(on_candidate=True) for _ in range(4)]
    assert shop.edit(3) is Outcome.DEFERRED
    for work in late:
        assert work.end(KeyError("late")) == [(2, False), (2, False)]
    until(lambda: shop.asked() is Outcome.TRYING)
    trial = shop.live.status().trial
    assert trial is not None
    assert (trial.units, trial.signals) == (0, ())
    until(lambda: len(shop.pool.open) == 2)
    assert crowd.lease(on_candidate=True).end() == [(3, False), (3, False)]
