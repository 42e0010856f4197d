"""An edit that needs leave waits until it is signed; a signature of anything else does not hold."""

import pytest

from reloadcheck import Outcome

from .shop import ARNO, CONFIG, DORA, NIGHT_EDIT, OTTO, SHOP, TUESDAY_NIGHT, Shop


def test_leave_of_both_roles_lets_an_edit_through(shop: Shop) -> None:
    """It waits until it is signed by one of each role, and is live a moment later."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit(*NIGHT_EDIT) is Outcome.WAITING
    assert shop.live.status().code == "approval"
    assert "needs the leave of dba and architect: reloadcheck approve" in str(
        shop.live.status().error
    )
    shop.sign(DORA)
    assert shop.live.check() is Outcome.WAITING
    assert "the leave of architect is missing" in str(shop.live.status().error)
    shop.sign(DORA, ARNO)
    assert shop.live.check() is Outcome.RELOADED
    assert shop.live.snapshot.config.database.pool_max == 30


@pytest.mark.parametrize(
    ("people", "words", "code", "reason"),
    [
        ([OTTO], {}, "approval", "the leave of dba is missing"),
        (["eve@example.test"], {}, "signature", "by nobody among the approvers"),
        ([DORA, "late@example.test"], {}, "signature", "by nobody among the approvers"),
        ([DORA, ARNO], {"to": "abc"}, "approval", "it is for another content than this"),
        ([DORA, ARNO], {"base": "abc"}, "approval", "it is for another base than what serves"),
        ([DORA, ARNO], {"environment": "staging"}, "approval", "it is for another environment"),
        ([DORA, ARNO], {"service": "bank"}, "approval", "it is for another service"),
        ([DORA, ARNO], {"keys": "payment"}, "approval", "it says nothing of database.pool_max"),
        ([DORA, ARNO], {"until": "2026-11-01T00:00+01:00"}, "approval", "it has expired"),
        ([DORA, ARNO], {"until": "2099-01-01"}, "signature", "no time with an offset"),
        ([DORA, ARNO], {"namespace": "git"}, "signature", "for another purpose than"),
        ([DORA, ARNO], {"reason": ""}, "signature", "gives no reason"),
        ([], {}, "signature", "nobody has signed it"),
    ],
)
def test_leave_that_does_not_hold_is_told(
    shop: Shop, people: list[str], words: dict[str, str], code: str, reason: str
) -> None:
    """Another byte, base, environment, namespace, an expired key, a stranger: each its sentence."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit(*NIGHT_EDIT) is Outcome.WAITING
    shop.sign(*people, **words)
    assert shop.live.check() is Outcome.WAITING
    status = shop.live.status()
    assert status.code == code
    assert reason in str(status.error)
    assert shop.live.snapshot.config.database.pool_max == 20


def test_a_signature_of_other_lines_does_not_hold(shop: Shop) -> None:
    """A byte changed after the signing is told as that."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit(*NIGHT_EDIT) is Outcome.WAITING
    shop.sign(DORA, ARNO)
    path = shop.file.with_name("config.yaml.approval")
    path.write_text(path.read_text().replace("more traffic", "less traffic"))
    assert shop.live.check() is Outcome.WAITING
    assert shop.live.status().code == "signature"


def test_two_roles_need_two_people(shop: Shop) -> None:
    """Who has both roles counts for one of them."""
    shop.contract.write_text(SHOP.replace("architect: [arno@", "architect: [dora@"))
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit(*NIGHT_EDIT) is Outcome.WAITING
    shop.sign(DORA)
    assert shop.live.check() is Outcome.WAITING
    assert "the leave of architect is missing" in str(shop.live.status().error)


def test_back_to_the_baseline_needs_no_leave(shop: Shop) -> None:
    """The way to the value that the contract itself names is free of signatures."""
    shop.file.write_text(CONFIG.replace("pool_max: 20", "pool_max: 30"))
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit("pool_max: 30", "pool_max: 20") is Outcome.RELOADED
