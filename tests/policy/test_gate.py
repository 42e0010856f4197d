"""What a contract refuses changes nothing, what it leaves open is live; a bad one fails starts."""

from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict

from reloadcheck import ConfigError, ContractError, Outcome
from tests.support.fixtures import Make

from .shop import BLACK_FRIDAY, CONFIG, SHOP, Shop


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
