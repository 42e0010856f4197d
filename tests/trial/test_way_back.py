"""After the watch `undo` puts back the version before; with or without a trial, and never twice."""

import asyncio
import weakref
from dataclasses import dataclass

import pytest

from reloadcheck import Outcome, UsageError
from reloadcheck.testing import FakeClock, RecordingFactory
from reloadcheck.trial import Trial
from tests.support.fixtures import Make
from tests.support.rig import Text, begin, until

from .site import Making


@dataclass(frozen=True)
class Pair:
    """What a weak reference can be made to."""

    a: int
    b: int


def test_after_the_watch_the_version_before_is_put_back(site: Making, clock: FakeClock) -> None:
    """Its resources are built anew; what it replaced stays undone until its content changes."""
    shop = site(trial=Trial(watch=5))
    shop.edit(2)
    shop.live.promote()
    clock.advance(6.0)
    until(lambda: shop.live.status().trial is None and len(shop.pool.open) == 1, clock)
    assert shop.live.undo(reason="wrong prices") is Outcome.UNDONE
    status = shop.live.status()
    assert str(status.error) == "undone by hand: version 2: wrong prices. Version 1 serves."
    assert (status.code, status.outcome) == ("undone-by-hand", Outcome.UNDONE)
    assert (shop.get(), shop.live.snapshot.version) == (b"1", 1)
    assert [one.arguments for one in shop.pool.built] == [(1,), (2,), (1,)]
    until(lambda: len(shop.pool.open) == 1)
    assert shop.asked() is Outcome.UNDONE
    assert shop.live.retry() is Outcome.TRYING  # taken back once: it is tried again


def test_without_a_trial_there_is_a_way_back_too(make: Make, text: Text) -> None:
    """Nothing was tried; the version before is known all the same."""
    live = make()
    begin(live)
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.RELOADED
    assert live.undo() is Outcome.UNDONE
    assert live.snapshot.config.a == 1
    text.write("a: 3\nb: 1\n")
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.version == 3


def test_a_retry_takes_up_what_was_undone_by_hand(make: Make, text: Text) -> None:
    """From code that blocks and from an event loop alike: the same bytes serve again."""
    live = make()
    begin(live)
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.RELOADED
    for retry in (live.retry, lambda: asyncio.run(live.aretry())):
        assert live.undo() is Outcome.UNDONE
        assert live.check() is Outcome.UNDONE
        assert retry() is Outcome.RELOADED
        assert live.snapshot.config.a == 2


def test_it_is_no_swing(make: Make, text: Text) -> None:
    """A second `undo` says that there is nothing to go back to, and serves on."""
    live = make()
    begin(live)
    with pytest.raises(UsageError, match="no other version has served"):
        live.undo()
    text.write("a: 2\nb: 1\n")
    live.check()
    asyncio.run(live.aundo())
    with pytest.raises(UsageError, match="no other version has served"):
        live.undo()
    assert live.snapshot.config.a == 1


def test_after_an_undone_watch_nothing_goes_back_further(site: Making) -> None:
    """The version that serves again is not taken back for what it was before."""
    shop = site()
    shop.edit(2)
    shop.live.promote()
    assert shop.live.undo() is Outcome.UNDONE
    with pytest.raises(UsageError, match="no other version has served"):
        shop.live.undo()
    assert shop.get() == b"1"


def test_a_way_back_that_cannot_be_built_changes_nothing(make: Make, text: Text) -> None:
    """What serves goes on, with the cause; edits are still taken up."""
    live, pool = make(), RecordingFactory()
    live.resource("a", name="pool")(pool)
    begin(live)
    text.write("a: 2\nb: 1\n")
    live.check()
    pool.build_error = ConnectionError("gone")
    assert live.undo() is Outcome.REJECTED
    assert live.snapshot.config.a == 2
    pool.build_error = None
    text.write("a: 3\nb: 1\n")
    assert live.check() is Outcome.RELOADED


def test_an_edit_that_waits_in_the_sources_goes_on(site: Making) -> None:
    """What is undone is what serves; what is tried meanwhile is undone first."""
    shop = site()
    shop.edit(2)
    shop.live.promote()
    shop.live.promote()  # ends the watch
    assert shop.edit(3) is Outcome.TRYING
    assert shop.live.undo() is Outcome.UNDONE
    assert shop.get() == b"2"
    assert shop.live.undo() is Outcome.UNDONE
    assert shop.get() == b"1"
    assert shop.edit(4) is Outcome.TRYING


def test_the_way_back_holds_nothing_but_bytes(make: Make, text: Text) -> None:
    """No object of the version before lives on; what waits for a restart stays as it runs."""
    live = make(schema=Pair)
    live.restart_only("b")
    text.write("a: 1\nb: 1\n")
    begin(live)

    def serve(a: int) -> None:
        text.write(f"a: {a}\nb: 2\n")
        until(lambda: bool(live.check()) and live.snapshot.config.a == a)

    serve(2)
    old = weakref.ref(live.snapshot.config)
    serve(3)
    until(lambda: bool(live.check()) and old() is None)
    assert live.undo() is Outcome.UNDONE
    assert (live.snapshot.config.a, live.snapshot.config.b) == (2, 1)
