"""Keys that the code says need a restart keep their running value; all else goes live."""

import logging
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, RegistrationError, ReloadCheck, ReloadEvent
from reloadcheck._engine.permission import NEEDS_RESTART
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Text, begin, until

from .shop import ARNO, BLACK_FRIDAY, DORA, NIGHT_EDIT, OTTO, TUESDAY_NIGHT, Shop
from .signing import Signers


@pytest.fixture
def clock() -> FakeClock:
    """It is Tuesday night."""
    return FakeClock(TUESDAY_NIGHT)


@pytest.fixture
def live(make: Make) -> ReloadCheck[Any]:
    """An engine that is not started."""
    return make()


def test_the_key_keeps_its_value_and_the_rest_goes_live(live: ReloadCheck[Any], text: Text) -> None:
    """Everything below the key too; put back, nothing is pending any more."""
    live.restart_only("server")
    text.write("server: {bind: 80, tls: {sni: true}}\na: 1\n")
    begin(live)
    text.write("server: {bind: 81, tls: {sni: false}}\na: 2\n")
    assert live.check() is Outcome.RELOADED
    assert (live.snapshot.config.server.bind, live.snapshot.config.a) == (80, 2)
    assert live.status().pending_restart == ("server.bind", "server.tls.sni")
    assert live.check() is Outcome.UNCHANGED  # the check that follows each reload has ended then
    text.write("server: {bind: 80, tls: {sni: true}}\na: 3\n")
    assert live.check() is Outcome.RELOADED
    assert live.status().pending_restart == ()


def test_such_keys_alone_are_no_new_version(live: ReloadCheck[Any], text: Text) -> None:
    """The edit is `unchanged`, and told once, by the code `restart` at the key's place."""
    told: list[ReloadEvent] = []
    live.restart_only("server.bind")
    text.write("server: {bind: 80}\n")
    begin(live)
    live.subscribe(told.append)
    text.write("server: {bind: 81}\n")
    assert live.check() is Outcome.UNCHANGED
    assert live.snapshot.version == 1
    assert live.status().pending_restart == ("server.bind",)
    assert live.check() is Outcome.UNCHANGED
    ((code, error),) = [(one.code, str(one.error)) for one in told]
    assert (code, error) == ("restart", f"app.yaml:1:16: server.bind: {NEEDS_RESTART}")
    assert live.status().history[-1].code == "restart"
    assert live.status().error is None


def test_what_waits_for_a_restart_beside_what_is_live_is_told_once(
    live: ReloadCheck[Any], text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """One line with the code `restart` names the key; the next edit of others repeats nothing."""
    caplog.set_level("INFO", "reloadcheck")
    live.restart_only("server.bind")
    text.write("server: {bind: 80}\na: 1\n")
    begin(live)
    for a in (2, 3):
        text.write(f"server: {{bind: 81}}\na: {a}\n")
        assert live.check() is Outcome.RELOADED
        assert live.check() is Outcome.UNCHANGED
    assert [
        record.getMessage()
        for record in caplog.records
        if getattr(record, "config_code", None) == "restart"
    ] == ["what needs a restart keeps its running value until then: server.bind"]


@pytest.mark.parametrize("text_after", ["server: null\na: 2\n", "a: 2\n", "server: 5\na: 2\n"])
def test_a_section_that_goes_takes_no_kept_key_along(
    live: ReloadCheck[Any], text: Text, text_after: str
) -> None:
    """Emptied, removed or replaced: the key below it has its running value."""
    live.restart_only("server.bind")
    text.write("server: {bind: 80}\na: 1\n")
    begin(live)
    text.write(text_after)
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.server == {"bind": 80}
    assert live.snapshot.config.a == 2


def test_wildcards_stand_for_each_name(live: ReloadCheck[Any], text: Text) -> None:
    """As in a contract."""
    live.restart_only("services.*.port")
    text.write("services: {a: {port: 1, size: 1}, b: {port: 2}}\n")
    begin(live)
    text.write("services: {a: {port: 9, size: 2}, b: {port: 2}}\n")
    assert live.check() is Outcome.RELOADED
    assert live.snapshot.config.services.a == {"port": 1, "size": 2}


def test_it_is_named_before_the_start_and_as_a_key(live: ReloadCheck[Any]) -> None:
    """What is no key path is refused, and so is a key after the start."""
    with pytest.raises(RegistrationError):
        live.restart_only("server..bind")
    begin(live)
    with pytest.raises(RegistrationError, match="before the engine starts"):
        live.restart_only("server.bind")


def test_no_contract_can_unset_it(shop: Shop) -> None:
    """`restart: false` there loosens nothing; keys of both are pending together."""
    contract = shop.contract.read_text()
    shop.contract.write_text(
        contract.replace("keys:\n", "keys:\n  log.level: {restart: false}\n", 1)
    )
    shop.live = shop.engine()
    shop.live.restart_only("log.level")
    shop.begin()
    text = shop.file.read_text().replace("INFO", "ERROR").replace("0.0.0.0:80", "0.0.0.0:81")
    shop.file.write_text(text)
    assert shop.live.check() is Outcome.UNCHANGED
    assert shop.live.status().pending_restart == ("log.level", "server.bind")


def test_a_section_that_becomes_null_waits_as_its_keys_do(shop: Shop) -> None:
    """What is in it needs leave, so its end does, and its return."""
    shop.begin()
    assert shop.edit("payment: {timeout: 3.0, api_key: abcabcabc}", "payment: null") is (
        Outcome.WAITING
    )
    waiting = shop.live.status().waiting
    assert waiting is not None
    assert waiting.keys == ("payment.timeout",)


def test_a_section_too_large_to_look_through_waits_for_what_may_be_in_it(shop: Shop) -> None:
    """Ten thousand other keys beside it let no key slip through its window."""
    shop.file.write_text(
        shop.file.read_text().replace("payment: {timeout: 3.0", "payments: {t: 3.0")
    )
    shop.begin()
    many = ", ".join(f"k{number}: 1" for number in range(10_100))
    text = shop.file.read_text()
    shop.file.write_text(f"{text}payment: {{{many}, timeout: 5.0}}\n")
    assert shop.live.check() is Outcome.WAITING
    waiting = shop.live.status().waiting
    assert waiting is not None
    assert (waiting.why, waiting.keys) == ("window", ("payment.timeout",))


def told_of(caplog: pytest.LogCaptureFixture, word: str) -> list[logging.LogRecord]:
    """Return the log lines that say by whose leave a version is live."""
    return [one for one in caplog.records if word in one.getMessage()]


def test_who_gave_leave_is_told(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """In the event, the log and the history; an approval is no warning."""
    caplog.set_level(logging.INFO, "reloadcheck")
    events: list[Any] = []
    shop.begin()
    shop.live.subscribe(events.append)
    assert shop.edit(*NIGHT_EDIT) is Outcome.WAITING
    shop.sign(DORA, ARNO)
    assert shop.live.check() is Outcome.RELOADED
    assert shop.live.check() is Outcome.UNCHANGED
    (record,) = told_of(caplog, "by leave of")
    people = f"{ARNO}, {DORA}"
    assert record.levelno == logging.INFO
    assert record.getMessage().endswith(f"version 2 is live by leave of {people}: more traffic")
    last = shop.live.status().attempt
    assert last is not None
    assert (last.actor, last.reason) == (people, "more traffic")
    until(lambda: any(one.outcome is Outcome.RELOADED for one in events))
    (event,) = [one for one in events if one.outcome is Outcome.RELOADED]
    assert (event.actor, event.reason) == (people, "more traffic")


def test_broken_glass_is_one_warning(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """With who and why; the next edit that needs nobody names nobody."""
    caplog.set_level(logging.INFO, "reloadcheck")
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    shop.sign(OTTO, kind="override", keys="log", until="2026-11-27T14:00+01:00")
    assert shop.live.check() is Outcome.RELOADED
    assert shop.live.check() is Outcome.UNCHANGED
    (record,) = told_of(caplog, "by override of")
    assert record.levelno == logging.WARNING
    assert f"by override of {OTTO}: more traffic" in record.getMessage()
    assert shop.edit("api_key: abcabcabc", "api_key: defdefdef") is Outcome.RELOADED
    last = shop.live.status().attempt
    assert last is not None
    assert (last.actor, last.reason) == (None, None)


def test_broken_glass_skips_the_trial(
    make: Make, tmp_path: Path, clock: FakeClock, signers: Signers
) -> None:
    """What is urgent goes live for all at once."""
    shop = Shop(make, tmp_path, clock, signers)
    shop.live = shop.engine(trial=True)
    shop.at(BLACK_FRIDAY)
    shop.begin()
    assert shop.edit("level: INFO", "level: ERROR") is Outcome.WAITING
    shop.sign(OTTO, kind="override", keys="log", until="2026-11-27T14:00+01:00")
    assert shop.live.check() is Outcome.RELOADED
    assert shop.live.snapshot.config.log.level == "ERROR"
