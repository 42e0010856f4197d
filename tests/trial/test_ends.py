"""What ends a trial without a verdict of its judge, and what is left of it then."""

from contextlib import suppress
from functools import partial
from typing import Any

import pytest

from reloadcheck import Outcome, UsageError
from reloadcheck.seams.gates import GO, Answer, Proposal, Wait
from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from tests.support.rig import Call, until

from .site import Making, fails_at, trial_of


def test_what_the_engine_ends_is_told_as_ended(site: Making) -> None:
    """Putting the old bytes back: no trial is shown any more, and none can be promoted."""
    shop = site()
    shop.edit(2)
    assert shop.edit(1) is Outcome.UNCHANGED
    status = shop.live.status()
    assert status.trial is None
    assert status.last_trial is not None
    with pytest.raises(UsageError, match="no edit is tried"):
        shop.live.promote()


def test_the_same_edit_again_begins_anew(site: Making, clock: FakeClock) -> None:
    """Neither the time nor the units of the trial that was broken off count for the next one."""
    shop = site()
    shop.edit(2)
    for _ in range(30):
        shop.get(on_candidate=True)
    shop.edit(1)
    clock.advance(61.0)
    assert shop.edit(2) is Outcome.TRYING
    assert (trial_of(shop).units, trial_of(shop).left) == (0, 60.0)


def test_a_broken_edit_in_the_watch_leaves_it_on(site: Making) -> None:
    """What cannot be read changes nothing about what is watched."""
    shop = site()
    shop.edit(2)
    shop.live.promote()
    shop.text.write("a: [")
    assert shop.live.check() is Outcome.REJECTED
    assert trial_of(shop).phase == "watching"
    assert shop.live.undo() is Outcome.UNDONE
    assert shop.live.snapshot.config.a == 1


def test_without_a_watch_nothing_is_left_of_a_trial(site: Making) -> None:
    """`watch=0`: the old version goes with the promotion, and no trial is shown."""
    shop = site(trial=Trial(watch=0))
    shop.edit(2)
    assert shop.live.promote() is Outcome.RELOADED
    assert shop.live.status().trial is None
    until(lambda: len(shop.pool.open) == 1)
    shop.get()
    with pytest.raises(UsageError, match="no edit is tried"):
        shop.live.promote()


def test_never_three(site: Making) -> None:
    """A newer edit while requests hang on a tried one and on what serves: two pools at most."""
    shop = site()
    most = 0
    bodies: list[Any] = []
    for a in range(2, 6):
        Call(partial(shop.edit, a)).result(shop.clock, step=0.5)  # one waits for a drain
        most = max(most, len(shop.pool.open))
        shop.draw.next = [True]
        bodies.append(shop.wsgi({"PATH_INFO": "/", "streams": True}, lambda *_: None))
    assert most <= 2
    for body in reversed(bodies):
        body.close()
    until(lambda: shop.live.check() is Outcome.TRYING)
    assert len(shop.pool.open) == 2
    shop.live.promote()
    assert shop.edit(9) in (Outcome.TRYING, Outcome.DEFERRED)
    assert len(shop.pool.open) <= 2


def test_a_rebuild_ends_the_watch(site: Making) -> None:
    """Two instances, never three: what is built anew takes the place of what was kept ready."""
    shop = site()
    shop.edit(2)
    shop.live.promote()
    assert len(shop.pool.open) == 2
    until(lambda: shop.live.rebuild(shop.handle) is Outcome.REBUILT)
    until(lambda: len(shop.pool.open) == 1)
    assert shop.live.status().trial is None
    assert shop.live.snapshot.config.a == 2


def test_what_only_tells_is_promoted_all_the_same(site: Making, clock: FakeClock) -> None:
    """With `act="tell"` the verdict is shown, and time promotes."""
    shop = site(trial=Trial(act="tell"))
    shop.edit(2)
    shop.page = fails_at(2)
    for _ in range(25):
        shop.get(on_candidate=True)
    assert shop.asked() is Outcome.TRYING
    assert (trial_of(shop).explanation or "").startswith("undone: version 2")
    shop.page = fails_at(-1)
    for _ in range(20):
        shop.get()
        clock.advance(3.1)
    until(lambda: shop.live.snapshot.config.a == 2)
    shop.page = fails_at(2)
    for _ in range(90):
        shop.get()
    assert shop.asked() is Outcome.UNCHANGED
    assert shop.live.snapshot.config.a == 2


class Window:
    """A gate that can be shut."""

    name = "the window"
    seconds = 5.0
    is_shut = False

    def may(self, proposal: Proposal) -> Answer:
        """Let everything be built."""
        return GO

    def now(self, proposal: Proposal) -> Answer:
        """Hold back while it is shut."""
        return Wait("window", "shut", look=1.0) if self.is_shut else GO


def test_a_trial_begins_when_the_edit_may_go_on(site: Making, clock: FakeClock) -> None:
    """However long it waited, built, for a window or other workers: its time begins with its units.

    Nothing is said to be tried before.
    """
    window = Window()
    shop = site(gates=[window], trial=Trial(shares=(0.01, 0.5), first=3.0))
    window.is_shut = True
    shop.edit(2)
    assert shop.asked() is Outcome.WAITING
    clock.advance(61.0)
    assert shop.asked() is Outcome.WAITING
    assert shop.live.status().trial is None
    window.is_shut = False
    until(lambda: shop.asked() is Outcome.TRYING)
    trial = trial_of(shop)
    assert (trial.share, trial.units) == (0.01, 0)
    assert trial.left > 59.0


def test_a_window_that_closes_in_mid_trial(site: Making, clock: FakeClock) -> None:
    """The edit waits, is tried from the beginning afterwards, and has not been taken back."""
    window = Window()
    shop = site(gates=[window])
    shop.edit(2)
    for _ in range(30):
        shop.get(on_candidate=True)
    window.is_shut = True
    with suppress(UsageError):  # the engine may have looked by itself
        shop.live.promote()
    assert shop.asked() is Outcome.WAITING
    assert shop.get(on_candidate=True) == b"1"
    clock.advance(61.0)
    window.is_shut = False
    assert shop.live.status().waiting is not None
    until(lambda: shop.asked() is Outcome.TRYING)
    assert (trial_of(shop).phase, trial_of(shop).units) == ("trying", 0)
    assert shop.live.status().waiting is None
    assert shop.live.status().undone == 0
