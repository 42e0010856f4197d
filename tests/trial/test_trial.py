"""A share of the requests gets the candidate; then it is everybody's, or withdrawn unblamed."""

import asyncio
from contextlib import suppress
from typing import Any, cast

import pytest

from reloadcheck import Outcome, UsageError, asgi, wsgi
from reloadcheck.testing import FakeClock
from reloadcheck.trial import Trial
from tests.support.fixtures import Make
from tests.support.rig import Text, until

from .site import DOORS, Making, fails_at, receive_nothing, send_nothing, trial_of


@DOORS
def test_a_share_of_the_requests_gets_the_candidate(site: Making, door: str) -> None:
    """Whoever the draw falls on sees the new version from first to last; all others the old."""
    shop = site()
    assert shop.edit(2) is Outcome.TRYING
    assert shop.get(door=door) == b"1"
    assert shop.get(on_candidate=True, door=door) == b"2"
    assert shop.live.snapshot.config.a == 1
    assert len(shop.pool.open) == 2


def test_a_websocket_gets_what_serves(site: Making) -> None:
    """New websockets live for long, and are not drawn."""
    shop = site()
    assert shop.edit(2) is Outcome.TRYING
    seen: list[int] = []

    def page(config: Any) -> tuple[int, bytes]:
        seen.append(config.a)
        return 200, b""

    shop.page = page
    shop.get(on_candidate=True, door="asgi", type="websocket")
    assert seen == [1]


def test_time_promotes(site: Making, clock: FakeClock) -> None:
    """After `seconds`, with enough units, the candidate serves everybody; then it is watched."""
    shop = site()
    shop.edit(2)
    for _ in range(20):
        shop.get(on_candidate=True)
    clock.advance(60.0)
    until(lambda: shop.live.snapshot.config.a == 2)
    assert shop.get() == b"2"
    status = shop.live.status()
    assert status.trial is not None
    assert status.trial.phase == "watching"
    assert len(shop.pool.open) == 2  # the old one is ready still
    clock.advance(61.0)
    until(lambda: len(shop.pool.open) == 1, clock)
    assert shop.live.status().trial is None
    assert shop.get() == b"2"


def test_shares_rise(site: Making, clock: FakeClock) -> None:
    """One after another, the last one until the end."""
    shop = site(trial=Trial(shares=(0.01, 0.1, 0.5), first=3.0))
    shop.edit(2)

    def share() -> float:
        trial = shop.live.status().trial
        assert trial is not None
        return trial.share

    seen = [share()]
    for _ in range(4):
        clock.advance(3.0)
        seen.append(share())
    assert seen == [0.01, 0.1, 0.5, 0.5, 0.5]


def test_silence_is_no_failure(site: Making, clock: FakeClock) -> None:
    """A request each ten seconds is too few: live after ten minutes, and told as unjudged."""
    shop = site()
    shop.edit(2)
    for number in range(60):
        shop.get(on_candidate=number % 20 == 0)
        assert shop.asked() is Outcome.TRYING
        clock.advance(10.0)
    assert shop.asked() is Outcome.RELOADED
    assert shop.live.snapshot.config.a == 2
    told = "promoted, unjudged (3 of 20)"
    assert trial_of(shop).explanation == told
    assert [one.reason for one in shop.live.status().history][-1] == told
    clock.advance(61.0)
    until(lambda: shop.live.status().trial is None, clock)
    last = shop.live.status().last_trial
    assert last is not None
    assert last.explanation == told


def test_what_told_nothing_against_it_is_counted(site: Making, clock: FakeClock) -> None:
    """The trial says after how long it was promoted, and by how many units."""
    shop = site()
    shop.edit(2)
    for _ in range(20):
        shop.get(on_candidate=True)
    clock.advance(60.0)
    until(lambda: shop.live.snapshot.config.a == 2)
    told = "promoted: version 2 after 60.0 s: 20 units told nothing against it"
    assert trial_of(shop).explanation == told
    assert [one.reason for one in shop.live.status().history][-1] is None


def test_an_outage_blames_nobody(site: Making, clock: FakeClock) -> None:
    """Where what serves fails as well, the edit is withdrawn and tried again when it is quiet."""
    shop = site(trial=Trial(shares=(0.2,)))
    shop.edit(2)
    shop.page = lambda config: (503, b"")
    for number in range(200):
        shop.get(on_candidate=number % 5 == 0)
        clock.advance(0.1)
    until(lambda: shop.live.status().outcome is Outcome.WAITING, clock)
    assert shop.live.status().code == "trouble"
    assert shop.live.snapshot.config.a == 1
    clock.advance(31.0)
    until(lambda: shop.live.status().outcome is Outcome.TRYING, clock)


def test_a_newer_edit_ends_the_trial(site: Making) -> None:
    """It is tried by itself; nothing of the evidence goes over to it."""
    shop = site()
    shop.edit(2)
    shop.page = fails_at(2)
    shop.get(on_candidate=True)
    assert shop.edit(3) is Outcome.TRYING
    trial = shop.live.status().trial
    assert trial is not None
    assert trial.signals == ()
    assert shop.get(on_candidate=True) == b"3"
    assert [one.code for one in shop.live.status().history].count("superseded") == 1


def test_putting_the_old_bytes_back_ends_it_at_once(site: Making) -> None:
    """Nothing is rebuilt."""
    shop = site()
    shop.edit(2)
    assert shop.edit(1) is Outcome.UNCHANGED
    assert shop.get(on_candidate=True) == b"1"
    assert len(shop.pool.built) == 2
    until(lambda: len(shop.pool.open) == 1)


def test_what_served_before_is_not_tried(site: Making) -> None:
    """Going back is never held up."""
    shop = site()
    shop.edit(2)
    assert shop.live.promote() is Outcome.RELOADED
    assert shop.asked() is Outcome.UNCHANGED
    assert shop.edit(1) is Outcome.RELOADED
    assert shop.live.snapshot.config.a == 1


def test_a_job_takes_part_where_it_says_so(site: Making) -> None:
    """`lease(trial=True)` is drawn as a request is; every other lease gets what serves."""
    shop = site()
    shop.edit(2)
    for _ in range(3):
        shop.draw.next = [True]
        with shop.live.lease() as snapshot:
            assert snapshot.config.a == 1
        shop.draw.next = [True]
        with suppress(ZeroDivisionError), shop.live.lease(trial=True) as snapshot:
            if snapshot.config.a == 2:
                raise ZeroDivisionError
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    assert "First: ZeroDivisionError." in str(shop.live.status().error)


def test_a_sticky_function_that_raises_breaks_no_request(site: Making) -> None:
    """The request is drawn like any other."""
    shop = site(trial=Trial(sticky=lambda scope: scope["nothing"]))
    shop.edit(2)
    assert shop.get(on_candidate=True) == b"2"


def test_sticky_visitors(site: Making) -> None:
    """One key always falls alike, and only its first bad unit counts."""
    shop = site(trial=Trial(shares=(0.5,), sticky=lambda scope: scope["visitor"]))
    shop.edit(2)
    seen = {who: {shop.get(visitor=who) for _ in range(3)} for who in range(40)}
    assert all(len(versions) == 1 for versions in seen.values())
    assert {version for versions in seen.values() for version in versions} == {b"1", b"2"}
    shop.page = fails_at(2)
    unlucky = next(who for who, versions in seen.items() if versions == {b"2"})
    for _ in range(50):
        shop.get(visitor=unlucky)
    trial = shop.live.status().trial
    assert trial is not None
    assert [one.bad for one in trial.signals] == [1]


@pytest.mark.parametrize("switch", ["off", "0", "false"])
def test_an_operator_can_switch_it_off(site: Making, switch: str) -> None:
    """Edits are live for all at once then, and nothing is wrapped."""
    shop = site(environ={"RELOAD_CHECK_TRIAL": switch})
    assert shop.edit(2) is Outcome.RELOADED
    assert shop.get() == b"2"


@pytest.mark.parametrize(("switch", "edits"), [("off", True), ("on", False)])
def test_without_a_trial_the_servers_own_callables_are_handed_on(
    site: Making, switch: str, edits: bool
) -> None:
    """Neither `send` nor `start_response` is wrapped where it is off, or where nothing is tried."""
    shop = site(environ={"RELOAD_CHECK_TRIAL": switch})
    shop.get()
    if edits:
        assert shop.edit(2) is Outcome.RELOADED
    given: list[object] = []

    async def app(scope: Any, receive: Any, send: Any) -> None:
        given.extend((receive, send))

    def page(environ: Any, start_response: Any) -> list[bytes]:
        given.append(start_response)
        return []

    scope: Any = {"type": "http", "method": "GET", "path": "/", "headers": []}
    door = asgi.ReloadCheckMiddleware(app, shop.live)
    asyncio.run(cast("Any", door)(scope, receive_nothing, send_nothing))
    started: Any = print
    wsgi.ReloadCheckMiddleware(page, shop.live)({"PATH_INFO": "/"}, started)
    assert given == [receive_nothing, send_nothing, started]


def test_without_a_trial_there_is_nothing_to_end(make: Make, text: Text) -> None:
    """`promote` and `undo` say so."""
    live = make()
    with pytest.raises(UsageError, match="no edit is tried"):
        live.promote()
    with pytest.raises(UsageError, match="no other version has served"):
        live.undo()


def test_the_engine_closes_in_mid_trial(site: Making) -> None:
    """Nothing stays open."""
    shop = site()
    shop.edit(2)
    shop.live.close()
    assert shop.pool.open == []


@pytest.mark.parametrize(
    ("options", "wrong"),
    [
        ({"shares": ()}, "shares"),
        ({"shares": (0.5, 0.2)}, "shares"),
        ({"shares": (1.0,)}, "shares"),
        ({"luck": 0}, "luck"),
        ({"slow": 2}, "slow"),
        ({"units": -1}, "units"),
        ({"seconds": "60"}, "seconds"),
        ({"bad": ("6xx",)}, "bad"),
        ({"bad": "5xx"}, "bad"),
        ({"unjudged": "maybe"}, "unjudged"),
        ({"act": "panic"}, "act"),
    ],
)
def test_impossible_options(options: dict[str, Any], wrong: str) -> None:
    """Each is named."""
    from reloadcheck import OptionError

    with pytest.raises(OptionError, match=f"Trial: {wrong} must be"):
        Trial(**options)


def test_lists_are_taken_for_tuples() -> None:
    """As a contract writes them."""
    assert Trial(shares=[0.5]).shares == (0.5,)  # type: ignore[arg-type]
    assert Trial().changed({"shares": [0.5], "seconds": 30}).seconds == 30
