"""A contract's keys are the schema's: by field or by alias, and a misspelt one fails the start."""

from pathlib import Path

import pytest
from pydantic import BaseModel, ConfigDict, Field

from reloadcheck import ContractError, Outcome
from tests.support.fixtures import Make
from tests.support.rig import begin

from .signing import Signers


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
