"""In a trial a fresh version is held by a reference, as without one: counted, named and let go."""

import asyncio
import gc
import inspect
import logging
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck._snapshots.pair import Pair
from reloadcheck.testing import FakeClock
from tests.support.rig import until
from tests.support.scripts import run

from .site import DOORS, Making, Site, trial_of


def tried(shop: Site) -> Pair[Any]:
    """Have version 2 tried where requests came before; return what doors draw from unasked."""
    shop.get()
    assert shop.edit(2) is Outcome.TRYING
    return offered(shop)


def offered(shop: Site) -> Pair[Any]:
    """Return what doors draw from without asking, once it is offered."""
    cell = engine_of(shop.live).cell
    until(lambda: cell.fresh_pair is not None)
    assert cell.fresh_pair is not None
    return cell.fresh_pair


@DOORS
def test_nobody_is_asked_while_it_is_fresh(
    site: Making, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On either version, and once all are on it."""
    shop = site()
    tried(shop)
    asked: list[object] = []
    thread = engine_of(shop.live).thread
    assert thread is not None
    admit = thread.admission.admit

    def asking(**words: Any) -> Any:
        asked.append(words)
        return admit(**words)

    monkeypatch.setattr(thread.admission, "admit", asking)
    assert shop.get(door=door) == b"1"
    assert shop.get(on_candidate=True, door=door) == b"2"
    assert asked == []
    assert shop.live.promote() is Outcome.RELOADED
    offered(shop)
    asked.clear()
    assert shop.get(door=door) == b"2"
    assert asked == []


@DOORS
def test_its_units_are_told_and_counted(site: Making, door: str) -> None:
    """A mark finds its ticket; each unit counts once, on the version that it had."""
    shop = site()
    tried(shop)
    before = shop.live.status().trial
    assert before is not None

    def page(config: Any) -> tuple[int, bytes]:
        shop.live.mark("payment-failed")
        return 200, str(config.a).encode()

    shop.page = page
    assert shop.get(on_candidate=True, door=door) == b"2"
    assert shop.get(door=door) == b"1"
    after = shop.live.status().trial
    assert after is not None
    assert (after.units - before.units, after.baseline_units - before.baseline_units) == (1, 1)
    assert [(one.name, one.on_candidate, one.bad) for one in after.signals] == [
        ("marked: payment-failed", 1, 2)
    ]


@DOORS
def test_whoever_comes_as_it_is_retired_gets_what_serves(
    site: Making, door: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A door that has read the pair just before the undo takes nothing that closes under it."""
    shop = site()
    pair = tried(shop)
    candidate = pair.candidate
    assert candidate is not None
    assert shop.live.undo() is Outcome.UNDONE
    woken: list[bool] = []
    monkeypatch.setattr(candidate, "wake", lambda: woken.append(True))
    until(lambda: candidate.retired)
    cell = engine_of(shop.live).cell
    cell.fresh, cell.fresh_pair = None, pair
    assert shop.get(on_candidate=True, door=door) == b"1"
    assert woken == [True]
    assert candidate.leases() == 0


@DOORS
def test_an_error_that_is_kept_holds_nothing(site: Making, door: str) -> None:
    """Reporters of errors keep frames, and the variables in them."""
    shop = site()
    pair = tried(shop)
    kept: list[Any] = []

    def page(config: Any) -> tuple[int, bytes]:
        assert config.a == 2
        kept.append(inspect.currentframe())
        raise KeyError("card")

    shop.page = page
    with pytest.raises(KeyError) as told:
        shop.get(on_candidate=True, door=door)
    kept.append(told.value.__traceback__)
    assert pair.candidate is not None
    assert pair.candidate.leases() == 0


def test_in_another_loop_than_its_resources_one_asks(
    site: Making, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Async resources live in one event loop; a request in another goes the way that knows it."""
    shop = site()
    pair = tried(shop)
    unasked: list[object] = []

    def admitting(pair: Pair[Any], scope: object) -> None:
        del pair
        unasked.append(scope)

    monkeypatch.setattr(Pair, "admit", admitting)
    other = asyncio.new_event_loop()
    other.close()
    pair.home = other
    assert shop.get(on_candidate=True, door="asgi") == b"2"
    assert unasked == []
    pair.home = None
    assert shop.get(on_candidate=True, door="asgi") == b"2"
    assert len(unasked) == 1


def test_two_homes_are_never_offered(site: Making) -> None:
    """What serves and what is tried live in two loops: nobody may go on without asking."""
    shop = site()
    pair = tried(shop)
    current, candidate = pair.current, pair.candidate
    assert current is not None
    assert candidate is not None
    assert (pair.has_one_home, pair.home) == (True, None)
    one, other = asyncio.new_event_loop(), asyncio.new_event_loop()
    try:
        current.before.home = one
        assert Pair(current, candidate, pair.units).home is one
        candidate.before.home = other
        assert not Pair(current, candidate, pair.units).has_one_home
    finally:
        current.before.home = candidate.before.home = None
        one.close()
        other.close()


@pytest.mark.usefixtures("outliving")
def test_who_holds_it_for_too_long_is_named(
    site: Making, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A request that was begun on the candidate and does not end is called by its path."""
    shop = site(drain=5.0)
    tried(shop)
    shop.draw.next = [True]
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "PATH_INFO": "/slow", "streams": True}
    body: Any = shop.wsgi(environ, lambda *_: None)
    pool = environ["reloadcheck.snapshot"][shop.handle]
    with caplog.at_level(logging.WARNING, "reloadcheck"):
        assert shop.live.undo() is Outcome.UNDONE
        clock.advance(6.0)
        until(lambda: pool.closed)
    assert "GET /slow" in caplog.text
    body.close()


@pytest.mark.parametrize("on_candidate", [False, True])
def test_a_stream_that_is_thrown_away_ends_its_unit(site: Making, on_candidate: bool) -> None:
    """It counts, is no longer looked at for its age, and holds nothing."""
    shop = site()
    pair = tried(shop)
    shop.draw.next = [on_candidate]
    body: Any = shop.wsgi({"PATH_INFO": "/", "streams": True}, lambda *_: None)
    next(iter(body))
    assert units(shop) == (0, 0)
    del body
    gc.collect()
    assert units(shop) == ((1, 0) if on_candidate else (0, 1))
    assert pair.candidate is not None
    assert pair.candidate.leases() == 0


def units(shop: Site) -> tuple[int, int]:
    """Return how many have ended on the candidate, and on what serves."""
    trial = trial_of(shop)
    return trial.units, trial.baseline_units


def test_a_child_that_is_forked_in_a_trial_has_none(tmp_path: Any) -> None:
    """Its units of work get what it builds itself, never the parent's candidate."""
    done = run(
        tmp_path,
        """
from reloadcheck import wsgi
from reloadcheck.testing import MemorySource
from reloadcheck.trial import Trial

source = MemorySource("a: 1")
live = ReloadCheck(source, window=0.1, trial=Trial(shares=(0.999,)))


@live.resource("a")
def owner(a):
    yield who()


door = wsgi.ReloadCheckMiddleware(lambda environ, start: [
    environ["reloadcheck.snapshot"][owner].encode()], live)


def ask():
    return {b"".join(door({"PATH_INFO": "/"}, lambda *_: None)) for _ in range(20)}


def work():
    assert ask() == {b"child"}, ask()


live.start()
assert ask() == {b"parent"}
source.edit("a: 2")
assert str(live.check()) == "trying", live.check()
assert ask() == {b"parent"}
assert child(work) == 0
live.close()
""",
    )
    assert (done.status, done.said) == (0, []), done.output
