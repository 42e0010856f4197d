"""Who is on call may break the glass: past freeze, window, leave, for hours, but no rule."""

from collections.abc import Sequence

import pytest

from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck.policy.gate import ContractGate
from reloadcheck.seams.store import Agreed
from tests.support.rig import until

from .shop import BLACK_FRIDAY, DORA, NIGHT_EDIT, OTTO, TUESDAY_NIGHT, Shop


class Laid:
    """A store in which overrides lie in some order."""

    def __init__(self, *texts: str) -> None:
        self._texts = texts

    def statements(self, kind: str) -> Sequence[tuple[str, bytes]]:
        """Return them."""
        return [("that of the store", one.encode()) for one in self._texts if kind == "override"]

    def running(self, who: str) -> None:
        """Know of no siblings."""

    def run_with(self, who: str, source_digest: str, agreed: Agreed) -> None:
        """Tell nobody."""


def test_an_override_is_found_soon_while_nobody_asks(shop: Shop) -> None:
    """An idle application looks for it once a second, and not at the opening alone."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.WAITING
    shop.sign(OTTO, kind="override", keys="any", until="2026-11-24T05:00+01:00")
    shop.clock.advance(1.5)
    until(lambda: shop.live.snapshot.config.payment.timeout == 5.0)


@pytest.mark.parametrize(
    ("people", "words", "fault"),
    [
        ([OTTO], {}, None),
        ([OTTO], {"to": "any", "keys": "log"}, None),
        ([OTTO], {"keys": "any"}, None),
        ([OTTO], {"to": "any", "keys": "payment"}, "it says nothing of log.level"),
        ([DORA], {"keys": "any"}, "nobody of oncall has signed it"),
        ([OTTO], {"to": "any", "keys": "any"}, "it names neither the content nor the keys"),
        ([OTTO], {"keys": "any", "until": "2026-12-01T00:00+01:00"}, "it is for longer than the"),
        ([OTTO], {"keys": "any", "until": "2026-11-27T11:00+01:00"}, "it has expired"),
        ([OTTO], {"keys": "any", "environment": "staging"}, "it is for another environment"),
        ([OTTO], {"keys": "any", "environment": ""}, "it is for another environment"),
        ([OTTO], {"keys": "any", "service": "bank"}, "it is for another service"),
        ([OTTO], {"keys": "any", "to": "0" * 64}, "it is for another content than this"),
    ],
)
def test_break_glass(
    shop: Shop, people: list[str], words: dict[str, str], fault: str | None
) -> None:
    """Whoever is on call skips freeze, window and leave, for one content or some keys, for 4 h.

    Why one does not is told beside why the edit waits: whoever signs it is in a hurry.
    """
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    given = {"keys": "log", "until": "2026-11-27T14:00+01:00", **words}
    shop.sign(*people, kind="override", **given)
    assert shop.live.check() is (Outcome.RELOADED if fault is None else Outcome.WAITING)
    waiting = shop.live.status().waiting
    if fault is not None:
        assert waiting is not None
        assert f": Black Friday; config.yaml.override: {fault}" in waiting.sentence
        assert waiting.why == "freeze"
    else:
        assert waiting is None


@pytest.mark.parametrize("kind", ["approval", "override"])
def test_a_statement_that_cannot_be_read_is_told(shop: Shop, kind: str) -> None:
    """It lies there, and nobody would know why it does not count."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit(*NIGHT_EDIT) is Outcome.WAITING
    shop.file.with_name(f"config.yaml.{kind}").mkdir()
    assert shop.live.check() is Outcome.WAITING
    waiting = shop.live.status().waiting
    assert waiting is not None
    assert f"config.yaml.{kind}: cannot be read: Is a directory" in waiting.sentence


def test_an_override_of_an_older_night_hides_no_newer_one(shop: Shop) -> None:
    """What is told is why the one that was meant does not hold."""
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    gate = next(one for one in engine_of(shop.live).gates if isinstance(one, ContractGate))
    older, newer = (
        shop.signers.statement(OTTO, kind="override", to="any", keys=keys, until=f"2026-11-{until}")
        for keys, until in (("log", "26T11:00+01:00"), ("payment", "27T14:00+01:00"))
    )
    for laid in (Laid(older, newer), Laid(newer, older)):
        gate.beside = laid
        gate.open()
        assert shop.live.check() is Outcome.WAITING
        waiting = shop.live.status().waiting
        assert waiting is not None
        assert waiting.sentence.endswith("; that of the store: it says nothing of log.level")


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
