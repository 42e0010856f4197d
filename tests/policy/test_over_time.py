"""Leave, clocks and contracts over time: a signature is spent once, and nothing opens by chance."""

import logging

import pytest

from reloadcheck import ContractError, Outcome
from tests.support.rig import Call, begin, until

from .shop import ARNO, BLACK_FRIDAY, DORA, MONDAY_NOON, SHOP, TUESDAY_NIGHT, Shop

DAY = 86_400.0


def _pool(shop: Shop, before: int, after: int) -> Outcome:
    return shop.edit(f"pool_max: {before}", f"pool_max: {after}")


def test_an_approval_is_refused_as_a_replay(shop: Shop) -> None:
    """On another base, and with other content; the same edit from the same base is free anyway."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    approval = shop.file.with_name("config.yaml.approval")
    assert _pool(shop, 20, 30) is Outcome.WAITING
    shop.sign(DORA, ARNO)
    spent = approval.read_text()
    assert _pool(shop, 30, 40) is Outcome.WAITING
    assert "it is for another content than this" in str(shop.live.status().error)
    shop.sign(DORA, ARNO)
    assert shop.live.check() is Outcome.RELOADED
    approval.write_text(spent)
    assert _pool(shop, 40, 30) is Outcome.WAITING
    assert "it is for another base than what serves" in str(shop.live.status().error)
    assert shop.live.status().code == "approval"
    assert _pool(shop, 30, 20) is Outcome.RELOADED  # its baseline, which served before
    assert _pool(shop, 20, 30) is Outcome.RELOADED  # just what was signed
    approval.unlink()
    assert _pool(shop, 30, 20) is Outcome.RELOADED
    assert _pool(shop, 20, 30) is Outcome.RELOADED


def test_two_signatures_by_one_person_are_one(shop: Shop) -> None:
    """Whether that person has one of the roles or both."""
    for contract in (SHOP, SHOP.replace("architect: [arno@", "architect: [dora@")):
        shop.contract.write_text(contract)
        shop.at(TUESDAY_NIGHT)
        shop.live = shop.engine()
        shop.begin()
        assert _pool(shop, 20, 30) is Outcome.WAITING
        shop.sign(DORA, DORA)
        assert shop.live.check() is Outcome.WAITING
        assert "the leave of architect is missing" in str(shop.live.status().error)
        assert _pool(shop, 30, 20) is Outcome.UNCHANGED


def test_a_clock_that_is_set_back_opens_and_takes_back_nothing(shop: Shop) -> None:
    """What is live stays; what waits is judged by the time that it is, and opens by that."""
    shop.at(MONDAY_NOON)
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.RELOADED
    shop.at(TUESDAY_NIGHT - DAY)
    assert shop.live.check() is Outcome.UNCHANGED
    assert shop.live.snapshot.config.payment.timeout == 5.0
    assert shop.edit("timeout: 5.0", "timeout: 6.0") is Outcome.WAITING
    waiting = shop.live.status().waiting
    assert waiting is not None
    assert waiting.sentence == "its window 'office' opens Mon 10:00 Europe/Berlin"
    shop.at(TUESDAY_NIGHT - 3 * DAY)  # Saturday, before what it waits for was computed
    shop.clock.advance(120.0)
    assert shop.live.check() is Outcome.WAITING
    shop.at(MONDAY_NOON)
    live = Call(lambda: until(lambda: shop.live.snapshot.config.payment.timeout == 6.0))
    live.result(shop.clock, step=0.5)


def test_a_clock_that_is_set_back_into_a_freeze(shop: Shop) -> None:
    """What went live after it stays live; what is new waits again."""
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    shop.at(BLACK_FRIDAY + 10.0 * DAY)
    assert shop.live.check() is Outcome.RELOADED
    shop.at(BLACK_FRIDAY)
    assert shop.live.check() is Outcome.UNCHANGED
    assert shop.live.snapshot.config.log.level == "ERROR"
    assert shop.edit("level: ERROR", "level: WARN") is Outcome.WAITING


def test_a_contract_that_is_edited_frees_no_edit_that_waits(shop: Shop) -> None:
    """It is judged by the contract of the start, in its window and after; a restart takes both."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 99") is Outcome.REJECTED
    assert shop.edit("timeout: 99", "timeout: 5.0") is Outcome.WAITING
    loose = SHOP.replace("window: office", "window: any").replace("0.1..30", "0.1..300")
    shop.contract.write_text(loose)
    shop.clock.advance(60.0)
    assert shop.live.check() is Outcome.WAITING
    assert shop.live.status().pending_restart == ("contract.yaml",)
    assert shop.edit("timeout: 5.0", "timeout: 99") is Outcome.REJECTED
    assert shop.edit("timeout: 99", "timeout: 5.0") is Outcome.WAITING
    assert shop.live.snapshot.config.payment.timeout == 3.0
    live = shop.engine()
    begin(live)
    assert live.snapshot.config.payment.timeout == 5.0
    assert live.status().pending_restart == ()


def test_a_wait_of_hours_is_one_warning(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """An operator who reads the log at Python's own level sees that an edit is not live, and why.

    So with one that needs a restart.
    """
    caplog.set_level(logging.WARNING, "reloadcheck")
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    assert shop.live.check() is Outcome.WAITING
    shop.at(MONDAY_NOON)
    assert shop.live.check() is Outcome.RELOADED
    assert shop.edit("0.0.0.0:80", "0.0.0.0:81") is Outcome.UNCHANGED
    assert shop.live.check() is Outcome.UNCHANGED
    codes = ("freeze", "restart")  # and not what the engine saw in the middle of a write
    records = [one for one in caplog.records if one.__dict__.get("config_code") in codes]
    told = [(one.levelno, one.getMessage()) for one in records]
    assert [level for level, _ in told] == [logging.WARNING] * 2
    assert told[0][1].endswith("nothing changes until Tue 06:00 Europe/Berlin: Black Friday")
    assert "only what needs a restart: server.bind" in told[1][1]


def test_a_rule_in_code_is_not_called_again_while_an_edit_waits(shop: Shop) -> None:
    """Once when it is read, anew when it is taken up; with other content or another base at once.

    What it finds wrong at that time rejects the edit: it is judged anew.
    """
    asked: list[tuple[int, int | None]] = []
    verdict: list[str] = []

    @shop.live.rule("database.pool_max")
    def counted(pool_max: int, old: int | None = None) -> str | None:
        asked.append((pool_max, old))
        return verdict[0] if verdict else None

    shop.at(TUESDAY_NIGHT)
    shop.begin()
    asked.clear()
    assert _pool(shop, 20, 30) is Outcome.WAITING
    for _ in range(3):
        shop.clock.advance(2.0)
        assert shop.live.check() is Outcome.WAITING
    assert asked == [(30, 20)]
    assert _pool(shop, 30, 31) is Outcome.WAITING
    assert asked == [(30, 20), (31, 20)]
    assert _pool(shop, 31, 20) is Outcome.UNCHANGED
    assert _pool(shop, 20, 31) is Outcome.WAITING
    assert asked == [(30, 20), (31, 20), (31, 20)]
    shop.sign(DORA, ARNO)
    verdict.append("not on this day")
    assert shop.live.check() is Outcome.REJECTED
    assert shop.live.status().code == "rule"
    assert asked == [(30, 20), (31, 20), (31, 20), (31, 20)]


@pytest.mark.parametrize("word", ["required_in: [here]", "baseline: 1, not_baseline_in: [here]"])
def test_each_word_that_names_a_deployment_asks_for_it(shop: Shop, word: str) -> None:
    """One of them is enough."""
    shop.contract.write_text(f"reloadcheck: 1\nkeys:\n  http.timeout: {{{word}}}\n")
    with pytest.raises(ContractError, match=r"contract\.yaml:3:3: names here: say which"):
        shop.engine(environment=None).start()


def test_an_unnamed_deployment_is_told_where_the_contract_asks(shop: Shop) -> None:
    """Nothing that is meant for production passes because nobody said that this is it."""
    live = shop.engine(environment=None)
    with pytest.raises(ContractError) as caught:
        live.start()
    say = "say which this is by ReloadCheck(environment=…) or RELOAD_CHECK_ENVIRONMENT"
    assert [f"{one.line}:{one.column}: {one.reason}" for one in caught.value.problems] == [
        f"6:3: names production, staging: {say}",
        f"20:28: asks for `environment`: {say}",
    ]
