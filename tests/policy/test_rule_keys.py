"""A rule that reads what is not there is told, and lets nothing through as if it held."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from reloadcheck import ContractError, Outcome
from reloadcheck.policy.cel import asks_environment, named_in
from tests.support.fixtures import Make
from tests.support.rig import begin


class Database(BaseModel):
    """A part with an alias, one that may be absent, and one of any keys."""

    model_config = ConfigDict(frozen=True)
    pool_max: int = Field(default=2, alias="poolMax")
    pool_min: int | None = None
    tags: dict[str, str] = {}


class Settings(BaseModel):
    """What the contract is about."""

    model_config = ConfigDict(frozen=True)
    database: Database = Database()
    hosts: list[str] = []


CONTRACT = "reloadcheck: 1\nrules:\n  - {{key: database, rule: '{}', says: not so}}\n"


@pytest.mark.parametrize(
    ("rule", "fault"),
    [
        (
            "self.databse.pool_max <= oldSelf.databse.pool_max * 2",
            "the schema has no field databse.pool_max; did you mean database?",
        ),
        (
            "self.database.pool_maxx <= oldSelf.database.pool_max * 2",
            "the schema has no field database.pool_maxx; did you mean database.pool_max?",
        ),
        (
            "has(self.database.poolMax) && oldSelf.database.pool_max > 0",
            "the schema has no field database.poolMax",
        ),
        ('self["datbase"].pool_max > 0', "the schema has no field datbase.pool_max"),
        ("self.hosts.all(h, h != self.other)", "the schema has no field other"),
    ],
)
def test_a_misspelt_key_fails_the_start(tmp_path: Path, make: Make, rule: str, fault: str) -> None:
    """At the rule's place, with what was probably meant: also where only an edit would ask it."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    file.write_text("database: {poolMax: 2}\n")
    contract.write_text(CONTRACT.format(rule))
    live = make(file, schema=Settings, contract=contract, settle=0.0)
    with pytest.raises(ContractError) as caught:
        live.start()
    assert f"contract.yaml:3:27: the rule reads what is not there: {fault}" in str(caught.value)


@pytest.mark.parametrize(
    "rule",
    [
        "has(self.database.pool_min) ? self.database.pool_min <= self.database.pool_max : true",
        '!("team" in self.database.tags) || self.database.tags.team.startsWith("t")',
        "self.hosts.size() < 3 && self.hosts.all(h, h.size() > 1)",
        'self.database.tags["any.thing"] != "self.nowhere" || true',
    ],
)
def test_what_may_be_there_is_taken(tmp_path: Path, make: Make, rule: str) -> None:
    """Keys of a mapping, a part that may be absent, calls, texts that look like a key."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    file.write_text("database: {poolMax: 2, pool_min: 1, tags: {any.thing: x}}\nhosts: [aa]\n")
    contract.write_text(CONTRACT.format(rule))
    live = make(file, schema=Settings, contract=contract, settle=0.0, verify=0.0)
    begin(live)
    file.write_text("database: {poolMax: 3, pool_min: 1, tags: {any.thing: x}}\nhosts: [aa]\n")
    assert live.check() is Outcome.RELOADED


def test_without_a_schema_it_is_asked_in_vain(tmp_path: Path, make: Make) -> None:
    """A transition rule of a part that is nowhere refuses edits; else it would hold for nothing."""
    file, contract = tmp_path / "config.yaml", tmp_path / "contract.yaml"
    file.write_text("database: {pool_max: 2}\n")
    contract.write_text(CONTRACT.format("self.databse.pool_max <= oldSelf.databse.pool_max * 2"))
    live = make(file, contract=contract, settle=0.0, verify=0.0)
    begin(live)
    file.write_text("database: {pool_max: 9}\n")
    assert live.check() is Outcome.REJECTED
    assert live.status().code == "rule-error"
    assert "is a key missing" in str(live.status().error)


def test_what_an_expression_reads() -> None:
    """Up to the first call or computed index; texts are no keys."""
    text = 'self.a. b["c d"].size() > 1 && x.self.no != "self.x.y" && oldSelf.l[0].z == self["q"]'
    assert named_in(text) == (("a", "b", "c d"), ("l",), ("q",))


@pytest.mark.parametrize(
    ("text", "asks"),
    [
        ('environment != "production"', True),
        ('self.log.level != "x" || environment == "a"', True),
        ("self.environment == 'environment'", False),
        ('self["environment"] == "environment"', False),
        ("self.environments.size() > 0", False),
    ],
)
def test_a_rule_that_asks_for_the_environment_is_known(text: str, asks: bool) -> None:
    """By the name itself, and no key or text that is called so."""
    assert asks_environment(text) is asks
