"""What the contract says holds in a running engine: what is legal goes live, the rest waits.

Long because each word of a contract is tried in a running engine.
"""

from collections.abc import Callable
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pydantic import BaseModel, ConfigDict, Field

from reloadcheck import ConfigError, ContractError, Outcome, ReloadCheck
from reloadcheck.policy.cel import Expression
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, begin, until

from .signing import Signers
from .test_contract import SHOP

CONFIG = """\
server: {bind: 0.0.0.0:80}
database: {url: db.example.test, pool_max: 20, pool_min: 2}
payment: {timeout: 3.0, api_key: abcabcabc}
http: {timeout: 10}
log: {level: INFO}
flags: {}
"""
BERLIN = ZoneInfo("Europe/Berlin")
MONDAY_NOON = datetime(2026, 11, 23, 12, 0, tzinfo=BERLIN).timestamp()
TUESDAY_NIGHT = datetime(2026, 11, 24, 2, 0, tzinfo=BERLIN).timestamp()
BLACK_FRIDAY = datetime(2026, 11, 27, 11, 0, tzinfo=BERLIN).timestamp()

Edit = Callable[[str, str], Outcome]


@pytest.fixture(scope="session")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Signers:
    """The people of the shop, and one whom nobody knows."""
    people = Signers(tmp_path_factory.mktemp("people"))
    for person in ("dora", "arno", "otto"):
        people.add(f"{person}@example.test", 'namespaces="reloadcheck"')
    people.add("late@example.test", 'namespaces="reloadcheck",valid-before="20260101"')
    known = people.lines.copy()
    people.add("eve@example.test")
    people.lines[:] = known
    (people.directory / "allowed_signers").write_text("\n".join(known) + "\n")
    return people


@pytest.fixture
def clock() -> FakeClock:
    """It is Monday noon."""
    return FakeClock(MONDAY_NOON)


class Shop:
    """The shop behind its contract, its file, and people who sign beside it."""

    def __init__(self, make: Make, directory: Path, clock: FakeClock, signers: Signers) -> None:
        self.file = directory / "config.yaml"
        self.file.write_text(CONFIG)
        (directory / "allowed_signers").write_bytes(
            (signers.directory / "allowed_signers").read_bytes()
        )
        self.contract = directory / "contract.yaml"
        self.contract.write_text(SHOP)
        self.signers, self.clock, self.make = signers, clock, make
        self.live: ReloadCheck[Any] = self.engine()

    def engine(self, **options: Any) -> ReloadCheck[Any]:
        """Return an engine that is not started."""
        given = {"environment": "production", "contract": self.contract, **options}
        return self.make(self.file, settle=0.0, verify=0.0, window=1.0, **given)

    def begin(self) -> None:
        """Start it; a second check has ended then."""
        begin(self.live)

    def edit(self, old: str, new: str) -> Outcome:
        """Replace a text in the file and have it checked."""
        text = self.file.read_text()
        assert old in text
        self.file.write_text(text.replace(old, new))
        outcome = self.live.check()
        if outcome is Outcome.RELOADED:  # the check that follows each reload has ended then
            assert self.live.check() is Outcome.UNCHANGED
        return outcome

    def at(self, moment: float) -> None:
        """Set the wall clock."""
        self.clock.set_wall(moment)

    def sign(self, *people: str, kind: str = "approval", **words: str) -> None:
        """Lay a statement beside the file that fits the edit in it, but for `words`."""
        to = self.live.status().waiting
        fitting = {
            "base": self.live.snapshot.digest,
            "to": "" if to is None else to.digest,
            "kind": kind,
            **words,
        }
        path = self.file.with_name(f"config.yaml.{kind}")
        path.write_text(self.signers.statement(*people, **fitting))


@pytest.fixture
def shop(make: Make, tmp_path: Path, clock: FakeClock, signers: Signers) -> Shop:
    """The shop on Monday noon, not started."""
    return Shop(make, tmp_path, clock, signers)


def test_what_the_contract_does_not_mention_goes_live(shop: Shop) -> None:
    """At once, at any time."""
    shop.begin()
    assert shop.edit("level: INFO", "level: WARNING") is Outcome.RELOADED


@pytest.mark.parametrize(
    ("old", "new", "code", "sentence"),
    [
        ("timeout: 3.0", "timeout: 31", "range", "yaml:3:20: payment.timeout: is outside 0.1"),
        ("timeout: 3.0", "timeout: soon", "range", "payment.timeout: is no number outside 0.1"),
        ("pool_max: 20", "pool_max: 1", "rule", "pool_max: the maximum is below the minimum"),
        ("pool_max: 20", "pool_max: 41", "rule", "database.pool_max: a pool may at most double"),
        ("pool_max: 20", "pool_max: 400", "range", "database.pool_max: is outside 1..100"),
        ("level: INFO", "level: DEBUG", "rule", "yaml:5:14: log.level: no DEBUG in production"),
        ("url: db.example.test", "url: ", "required", "url: must be set in production"),
        ("timeout: 10", "timeout: 30", "required", "http.timeout: still has its baseline"),
        ("pool_min: 2", "pool_mini: 2", "rule-error", "on line 18 of the contract cannot be asked"),
    ],
)  # fmt: skip
def test_what_is_illegal_changes_nothing(
    shop: Shop, old: str, new: str, code: str, sentence: str
) -> None:
    """It is rejected at its place; it waits for nothing and nobody."""
    shop.begin()
    before = shop.live.snapshot
    assert shop.edit(old, new) is Outcome.REJECTED
    status = shop.live.status()
    assert status.code == code
    assert sentence in str(status.error)
    assert shop.live.snapshot is before


def test_all_that_is_wrong_is_told_at_once(shop: Shop) -> None:
    """Ranges, required keys and rules of one edit together."""
    shop.begin()
    shop.file.write_text(CONFIG.replace("timeout: 3.0", "timeout: 99").replace("INFO", "DEBUG"))
    assert shop.live.check() is Outcome.REJECTED
    error = str(shop.live.status().error)
    assert "is outside 0.1..30" in error
    assert "no DEBUG in production" in error


def test_the_first_load_is_held_to_ranges_and_rules(shop: Shop) -> None:
    """It fails the start; transition rules, windows and leave are not asked."""
    shop.at(BLACK_FRIDAY)
    shop.file.write_text(CONFIG.replace("timeout: 3.0", "timeout: 99"))
    with pytest.raises(ConfigError, match="is outside 0"):
        shop.live.start()
    shop.file.write_text(CONFIG)
    shop.live.start()


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


def test_an_override_is_found_soon_while_nobody_asks(shop: Shop) -> None:
    """An idle application looks for it once a second, and not at the opening alone."""
    shop.at(TUESDAY_NIGHT)
    shop.begin()
    assert shop.edit("timeout: 3.0", "timeout: 5.0") is Outcome.WAITING
    shop.sign(OTTO, kind="override", keys="any", until="2026-11-24T05:00+01:00")
    shop.clock.advance(1.5)
    until(lambda: shop.live.snapshot.config.payment.timeout == 5.0)


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


def test_a_key_waits_for_a_restart(shop: Shop) -> None:
    """The rest of the edit goes live, also at night; the key is named."""
    shop.begin()
    shop.file.write_text(CONFIG.replace("0.0.0.0:80", "0.0.0.0:81").replace("INFO", "ERROR"))
    assert shop.live.check() is Outcome.RELOADED
    assert shop.live.snapshot.config.server.bind == "0.0.0.0:80"
    assert shop.live.snapshot.config.log.level == "ERROR"
    assert shop.live.status().pending_restart == ("server.bind",)


def test_a_changed_contract_waits_for_a_restart(shop: Shop) -> None:
    """Nobody loosens a rule and breaks it in one edit."""
    shop.begin()
    shop.contract.write_text(SHOP.replace("0.1..30", "0.1..300"))
    assert shop.edit("timeout: 3.0", "timeout: 99") is Outcome.REJECTED
    shop.clock.advance(10.0)
    assert shop.live.check() is Outcome.REJECTED
    assert shop.live.status().pending_restart == ("contract.yaml",)


DORA, ARNO, OTTO = "dora@example.test", "arno@example.test", "otto@example.test"
NIGHT_EDIT = ("pool_max: 20", "pool_max: 30")


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


class Numbers(BaseModel):
    """Fields that make something of a number."""

    model_config = ConfigDict(frozen=True)
    of_float: float = 30
    of_decimal: Decimal = Decimal(30)
    of_duration: timedelta = timedelta(seconds=30)
    of_text: str = "30"
    of_switch: bool = True


@pytest.mark.parametrize(
    ("baseline", "key", "value", "is_baseline"),
    [
        ("30", "of_float", "30", True),
        ("30.0", "of_float", "30", True),
        ("30", "of_float", None, True),
        ("30", "of_float", "31", False),
        ("30", "of_decimal", "30", True),
        ("30", "of_duration", "30", True),
        ("'30'", "of_text", "'30'", True),
        ("30", "of_text", "'30'", False),
        ("1", "of_switch", "true", False),
        ("on", "of_switch", "true", True),
    ],
)
def test_a_baseline_is_the_same_whatever_the_schema_makes_of_it(
    tmp_path: Path, make: Make, baseline: str, key: str, value: str | None, is_baseline: bool
) -> None:
    """30 is 30.0 where the field is a float: production is not let keep it by its type."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    file.write_text("{}" if value is None else f"{key}: {value}\n")
    contract.write_text(
        f"reloadcheck: 1\nkeys: {{{key}: {{baseline: {baseline}, not_baseline_in: [here]}}}}\n"
    )
    live = make(file, schema=Numbers, contract=contract, environment="here", settle=0.0)
    if is_baseline:
        with pytest.raises(ConfigError, match="still has its baseline"):
            live.start()
    else:
        live.start()


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


def test_an_operator_can_switch_the_contract_off(make: Make, shop: Shop) -> None:
    """`RELOAD_CHECK_CONTRACT=off` wins over the code; a path names another contract."""
    shop.live = shop.engine(environ={"RELOAD_CHECK_CONTRACT": "off"})
    shop.begin()
    assert shop.edit("level: INFO", "level: DEBUG") is Outcome.RELOADED


@pytest.mark.parametrize(
    ("old", "new", "sentence"),
    [
        ("reloadcheck: 1", "reloadcheck: 2", "contract.yaml:1:14: begin with `reloadcheck: 1`"),
        ("environment != ", "environmint != ", "contract.yaml:20:"),
        ("pool_max * 2,", "pool_max * ,", "is no expression in CEL, at character"),
    ],
)
def test_a_contract_that_is_wrong_fails_the_start(
    shop: Shop, old: str, new: str, sentence: str
) -> None:
    """At its line, whatever the configuration is like; once it is right, the start succeeds."""
    shop.contract.write_text(SHOP.replace(old, new))
    with pytest.raises(ContractError) as caught:
        shop.live.start()
    assert sentence in str(caught.value)
    assert caught.value.code == "contract"
    shop.contract.write_text(SHOP)
    shop.live.start()


def test_a_contract_that_names_environments_wants_to_know_which(shop: Shop) -> None:
    """Without one nothing could be required anywhere."""
    shop.live = shop.engine(environment=None)
    with pytest.raises(ContractError, match="say which this is by"):
        shop.live.start()


def test_what_the_contract_calls_secret_is_hidden(shop: Shop) -> None:
    """As if it stood in `secrets=`."""
    from reloadcheck._engine.api import engine_of

    shop.contract.write_text(
        SHOP.replace("http.timeout:  ", "log.level: {secret: true}\n  http.timeout:  ")
    )
    shop.begin()
    assert engine_of(shop.live).options.secrets == {"api_key", "level"}


class Payment(BaseModel):
    """A field that files call by its alias."""

    model_config = ConfigDict(frozen=True)
    api_key: str = Field(alias="apiKey")
    size: int = 1


class Aliased(BaseModel):
    """A configuration with aliases."""

    model_config = ConfigDict(frozen=True)
    payment: Payment = Field(alias="pay")


@pytest.mark.parametrize("key", ["payment.api_key", "pay.apiKey", "payment.*"])
@pytest.mark.parametrize(
    ("terms", "outcome"),
    [
        ("window: never", Outcome.WAITING),
        ("approve: [dba]", Outcome.WAITING),
        ("restart: true", Outcome.UNCHANGED),
    ],
)
def test_an_alias_is_no_way_around_the_contract(
    tmp_path: Path, make: Make, signers: Signers, key: str, terms: str, outcome: Outcome
) -> None:
    """What is said of a field holds for its aliases, whichever of both the contract names."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    file.write_text("pay: {apiKey: one, size: 1}\n")
    (tmp_path / "allowed_signers").write_text("\n".join(signers.lines))
    contract.write_text(
        f"reloadcheck: 1\nkeys: {{'{key}': {{{terms}}}}}\nwindows: {{never: []}}\n"
        "approvers: allowed_signers\nroles: {dba: [dora@example.test]}\n"
    )
    live = make(file, schema=Aliased, contract=contract, settle=0.0, verify=0.0)
    begin(live)
    file.write_text("pay: {apiKey: two, size: 1}\n")
    assert live.check() is outcome
    assert live.snapshot.config.payment.api_key == "one"


def test_restart_only_in_code_holds_for_an_alias(tmp_path: Path, make: Make) -> None:
    """`live.restart_only("payment.api_key")` keeps what the file calls `pay.apiKey`."""
    file = tmp_path / "config.yaml"
    file.write_text("pay: {apiKey: one, size: 1}\n")
    live = make(file, schema=Aliased, settle=0.0, verify=0.0)
    live.restart_only("payment.api_key")
    begin(live)
    file.write_text("pay: {apiKey: two, size: 2}\n")
    assert live.check() is Outcome.RELOADED
    assert (live.snapshot.config.payment.api_key, live.snapshot.config.payment.size) == ("one", 2)
    assert live.status().pending_restart == ("pay.apiKey",)


def test_a_misspelt_key_behind_a_wildcard_fails_the_start(tmp_path: Path, make: Make) -> None:
    """`servces.*.timeout` would hold for nothing, and nobody would see it."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    file.write_text("pay: {apiKey: one, size: 1}\n")
    contract.write_text(
        "reloadcheck: 1\nkeys:\n  pya.*: {restart: true}\n  payment.sise: {range: 1..2}\n"
    )
    live = make(file, schema=Aliased, contract=contract, settle=0.0)
    with pytest.raises(ContractError) as caught:
        live.start()
    assert [f"{one.line}:{one.column}: {one.reason}" for one in caught.value.problems] == [
        "3:3: the schema has no key pya.*",
        "4:3: the schema has no key payment.sise; did you mean payment.size?",
    ]
