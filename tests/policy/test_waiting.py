"""An edit that may not go live yet waits, whole, and goes live by itself once it may."""

from datetime import datetime
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck.policy.cel import Expression
from reloadcheck.policy.forecast import soonest
from reloadcheck.policy.gate import ContractGate
from tests.support.rig import Call, until

from .shop import BERLIN, BLACK_FRIDAY, CONFIG, MONDAY_NOON, NIGHT_EDIT, TUESDAY_NIGHT, Shop


def test_an_edit_waits_for_its_window_and_goes_live_by_itself(shop: Shop) -> None:
    """Outside it waits with its opening; inside it is live without anybody's doing."""
    shop.at(datetime(2026, 11, 24, 9, 58, tzinfo=BERLIN).timestamp())
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.WAITING
    waiting = shop.live.status().waiting
    assert waiting is not None
    assert waiting.why == "window"
    assert waiting.keys == ("payment.timeout",)
    assert waiting.sentence == "its window 'office' opens Tue 10:00 Europe/Berlin"
    assert waiting.opens == datetime(2026, 11, 24, 10, 0, tzinfo=BERLIN).timestamp()
    assert shop.live.snapshot.config.payment.timeout == 3.0
    assert waiting.opens is not None
    shop.clock.advance(waiting.opens - 1.0 - shop.clock.wall())
    assert shop.live.check() is Outcome.WAITING
    assert shop.live.snapshot.config.payment.timeout == 3.0
    shop.clock.advance(1.0)
    until(lambda: shop.live.snapshot.config.payment.timeout == 5.0, shop.clock)
    assert shop.clock.wall() < waiting.opens + 60
    assert shop.live.status().waiting is None


def test_an_edit_that_waits_is_not_judged_again_and_again(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its rules are asked once, however long it waits; anew once what serves has changed."""
    asked: list[str] = []
    judge = Expression.judge

    def counted(rule: Expression, *words: Any) -> Any:
        asked.append(rule.rule.says)
        return judge(rule, *words)

    monkeypatch.setattr(Expression, "judge", counted)
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    asked.clear()
    assert shop.edit(*NIGHT_EDIT) is Outcome.WAITING
    once = ["the maximum is below the minimum", "a pool may at most double"]
    for _ in range(3):
        assert shop.live.check() is Outcome.WAITING
    assert asked == once
    assert shop.edit("pool_max: 30", "pool_max: 31") is Outcome.WAITING
    assert asked == 2 * once


@pytest.mark.parametrize("zone", ["America/New_York", "Asia/Tokyo", "UTC"])
@pytest.mark.parametrize("until_end", ["9999-12-31T23:59", "9999-12-31T23:59-12:00"])
def test_a_freeze_may_be_for_ever(shop: Shop, zone: str, until_end: str) -> None:
    """Until the last day of calendars, as people write that: it is no mistake of ours to tell."""
    text = shop.contract.read_text().replace("2026-12-01T06:00", f"'{until_end}'")
    text = text.replace("from: 2026-11-27T00:00", "from: 0001-01-01")
    shop.contract.write_text(text.replace("Europe/Berlin", zone))
    shop.at(MONDAY_NOON)
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.WAITING
    status = shop.live.status()
    assert status.waiting is not None
    assert (status.code, status.waiting.why) == ("freeze", "freeze")
    assert status.waiting.sentence.startswith("nothing changes until Thu 9999-07-01 ")
    gates = [one for one in engine_of(shop.live).gates if isinstance(one, ContractGate)]
    assert soonest(gates[0].terms, [("payment", "timeout")], MONDAY_NOON) is not None


def test_a_clock_that_is_set_opens_the_window(shop: Shop) -> None:
    """Openings are looked at again and again by monotonic time: machines sleep, clocks are set."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.WAITING
    shop.at(MONDAY_NOON)
    live = Call(lambda: until(lambda: shop.live.snapshot.config.payment.timeout == 5.0))
    live.result(shop.clock, step=0.5)


def test_an_edit_waits_whole(shop: Shop) -> None:
    """A key that may change at any time waits with the one that may not."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    shop.file.write_text(CONFIG.replace("timeout: 3.0", "timeout: 5.0").replace("INFO", "ERROR"))
    assert shop.live.check() is Outcome.WAITING
    assert shop.live.snapshot.config.log.level == "INFO"


def test_a_freeze_stops_all_but_a_rotation(shop: Shop) -> None:
    """Nothing changes on Black Friday, save a key that says `window: any` itself."""
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    waiting = shop.live.status().waiting
    assert waiting is not None
    assert waiting.why == "freeze"
    assert waiting.sentence == "nothing changes until Tue 06:00 Europe/Berlin: Black Friday"
    assert shop.edit("level: ERROR", "level: INFO") is Outcome.UNCHANGED
    assert shop.edit("api_key: abcabcabc", "api_key: defdefdef") is Outcome.RELOADED


def test_what_served_before_goes_back_at_any_time(shop: Shop) -> None:
    """The way back is never held up: not by a freeze, nor by a window."""
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.RELOADED
    shop.at(BLACK_FRIDAY)
    assert shop.edit("timeout: 5.0", "timeout: 3.0") is Outcome.RELOADED
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.RELOADED
    assert shop.edit("timeout: 5.0", "timeout: 6.0") is Outcome.WAITING
