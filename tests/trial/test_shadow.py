"""An edit that answers otherwise, though with status 200, takes itself back; chance undoes none."""

import itertools
import random
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck.seams.repeats import Request
from reloadcheck.trial import Answered, Judge, Trial
from reloadcheck.trial.shadow import SHARE, Shadow
from reloadcheck.types import ShadowStatus
from tests.support.rig import until

from .shadowed import SHADOWED, shadow_of, visit
from .site import DOORS, Making, signals, trial_of


@DOORS
def test_another_answer_with_status_200_is_undone(site: Making, door: str) -> None:
    """No request failed and nobody was drawn to it: the bodies differ, and the sentence says so."""
    shop = site(trial=SHADOWED)
    assert shop.edit(2) is Outcome.TRYING
    visit(shop, 7, door=door)
    until(lambda: shop.live.status().outcome is Outcome.UNDONE)
    status = shop.live.status()
    assert status.code == "undone-shadow"
    assert "7 requests made again" in str(status.error)
    assert "it was the one on it in 7" in str(status.error)
    assert "First: GET / → another body from byte 1 on. Version 1 serves." in str(status.error)
    assert shadow_of(shop).differing == 7
    assert shop.get(door=door) == b"1"
    until(lambda: len(shop.pool.open) == 1)


@DOORS
def test_the_same_answer_says_nothing(site: Making, door: str) -> None:
    """However often: nothing is counted, and the trial goes on."""
    shop = site(trial=SHADOWED)
    shop.page = lambda config: (200, b"the same")
    shop.edit(2)
    visit(shop, 9, door=door)
    assert shadow_of(shop) == ShadowStatus(compared=9, differing=0, dropped=0, unjudged=0)
    assert "shadow" not in signals(shop)


def test_what_is_never_the_same_twice_says_nothing(site: Making) -> None:
    """Random ids: no two answers of the three agree, so that nobody is the odd one."""
    shop = site(trial=SHADOWED)
    serial = itertools.count()
    shop.page = lambda config: (200, b"id %d" % next(serial))
    shop.edit(2)
    visit(shop, 9)
    assert shadow_of(shop).compared == 9
    assert "shadow" not in signals(shop)


def test_times_are_no_difference(site: Making) -> None:
    """The clock of each version may be in any place of its page."""
    shop = site(trial=SHADOWED)
    shop.page = lambda config: (200, b"at 2026-01-0%dT10:00:00Z" % config.a)
    shop.edit(2)
    visit(shop, 3)
    assert shadow_of(shop).differing == 0


@pytest.mark.parametrize("place", [1, 2, 3])
def test_what_varies_by_itself_blames_nobody(site: Making, place: int) -> None:
    """One of three differs, now on this version and now on that one: the coin stays fair."""
    shop = site(trial=SHADOWED)
    serial = itertools.count()
    shop.page = lambda config: (200, b"odd" if next(serial) % 4 == place else b"usual")
    shop.edit(2)
    visit(shop, 30)  # a request and its three: each time the same of them is odd
    assert signals(shop)["shadow"].bad == 30
    assert signals(shop)["shadow"].on_candidate < 20
    assert shop.live.status().outcome is Outcome.TRYING


def test_where_what_serves_fails_the_edit_is_no_worse(site: Making) -> None:
    """An edit that mends a page answers otherwise, and is right."""
    shop = site(trial=SHADOWED)
    shop.page = lambda config: (200, b"fine")
    shop.edit(2)
    shop.page = lambda config: (503, b"broken") if config.a == 1 else (200, b"fine")
    visit(shop, 9)
    assert "shadow" not in signals(shop)
    assert shadow_of(shop).differing == 0


def test_exceptions_reach_nobody(site: Making, recwarn: pytest.WarningsRecorder) -> None:
    """What raises on the candidate alone is counted as another answer; the client has his."""
    shop = site(trial=SHADOWED)
    shop.edit(2)

    def page(config: Any) -> tuple[int, bytes]:
        if config.a == 2:
            raise KeyError("secret-card")
        return 200, b"1"

    shop.page = page
    visit(shop, 2)
    assert shop.get() == b"1"
    assert shadow_of(shop).first == "GET / → KeyError instead of 200"
    assert "failed" not in signals(shop)
    assert [one for one in recwarn if "Thread" in str(one.message)] == []


def test_act_tell_only_tells(site: Making) -> None:
    """It says what it would have undone."""
    shop = site(trial=Trial(shadow=("/*",), act="tell"))
    shop.edit(2)
    visit(shop, 8)
    assert shop.asked() is Outcome.TRYING
    assert " requests made again, " in str(trial_of(shop).explanation)


class Answers:
    """Return three answers at once, of which now and then one, anywhere, is another."""

    def __init__(self, chance: random.Random) -> None:
        self.chance = chance

    def request(self, scope: Any) -> Request:
        """Make all of them the same."""
        del scope
        return Request("GET", "/", "/")

    def start(self, request: Request, order: Any, came: Any) -> None:
        """Answer here and now."""
        del request
        came([Answered(200, body=b"odd" if self.chance.random() < 0.2 else b"x") for _ in order])


def test_harmless_edits_are_not_undone() -> None:
    """Of 400 whose pages vary by themselves, not two ever look as if chance had not done it."""
    chance, undone, odd = random.Random(7), 0, 0
    for _ in range(400):
        judge, luck = Judge(), [1.0]

        def told(on_candidate: bool, judge: Judge = judge, luck: list[float] = luck) -> None:
            judge.add(on_candidate, SHARE)
            luck.append(judge.luck)

        shadow = Shadow(["/"], None, Answers(chance), lambda: 0.0, chance, told)
        for _ in range(100):
            shadow.offer(Request("GET", "/", "/"))
        undone += min(luck) <= 0.001
        odd += judge.bad
    assert odd > 10_000
    assert undone <= 1
