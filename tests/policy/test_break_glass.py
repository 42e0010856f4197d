"""Who is on call may break the glass: past freeze, window, leave, for hours, but no rule."""

import pytest

from reloadcheck import Outcome
from tests.support.rig import until

from .shop import BLACK_FRIDAY, DORA, OTTO, TUESDAY_NIGHT, Shop


def test_an_override_is_found_soon_while_nobody_asks(shop: Shop) -> None:
    """An idle application looks for it once a second, and not at the opening alone."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.WAITING
    shop.sign(OTTO, kind="override", keys="any", until="2026-11-24T05:00+01:00")
    shop.clock.advance(1.5)
    until(lambda: shop.live.snapshot.config.payment.timeout == 5.0)


@pytest.mark.parametrize(
    ("people", "words", "outcome"),
    [
        ([OTTO], {}, Outcome.RELOADED),
        ([OTTO], {"to": "any", "keys": "log"}, Outcome.RELOADED),
        ([OTTO], {"keys": "any"}, Outcome.RELOADED),
        ([OTTO], {"to": "any", "keys": "payment"}, Outcome.WAITING),
        ([DORA], {"keys": "any"}, Outcome.WAITING),
        ([OTTO], {"to": "any", "keys": "any"}, Outcome.WAITING),
        ([OTTO], {"keys": "any", "until": "2026-12-01T00:00+01:00"}, Outcome.WAITING),
        ([OTTO], {"keys": "any", "until": "2026-11-27T11:00+01:00"}, Outcome.WAITING),
        ([OTTO], {"keys": "any", "environment": "staging"}, Outcome.WAITING),
        ([OTTO], {"keys": "any", "environment": ""}, Outcome.WAITING),
        ([OTTO], {"keys": "any", "service": "bank"}, Outcome.WAITING),
        ([OTTO], {"keys": "any", "to": "0" * 64}, Outcome.WAITING),
    ],
)
def test_break_glass(
    shop: Shop, people: list[str], words: dict[str, str], outcome: Outcome
) -> None:
    """Whoever is on call skips freeze, window and leave, for one content or some keys, for 4 h."""
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    given = {"keys": "log", "until": "2026-11-27T14:00+01:00", **words}
    shop.sign(*people, kind="override", **given)
    assert shop.live.check() is outcome


def test_an_approval_is_no_override(shop: Shop) -> None:
    """Also where it lies in an override's place, signed by somebody who may break the glass."""
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    shop.sign(OTTO, keys="any", until="2026-11-27T14:00+01:00")
    approval = shop.file.with_name("config.yaml.approval")
    approval.rename(shop.file.with_name("config.yaml.override"))
    assert shop.live.check() is Outcome.WAITING


def test_break_glass_skips_no_rule(shop: Shop) -> None:
    """What is invalid stays invalid, whoever signs."""
    shop.at(BLACK_FRIDAY)
    shop.begin()
    shop.sign(OTTO, kind="override", to="any", keys="log", until="2026-11-27T14:00+01:00")
    assert shop.edit("level: INFO", "level: DEBUG") is Outcome.REJECTED
