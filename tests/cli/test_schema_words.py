"""`reloadcheck schema` says what the contract says: as `x-` keywords, and as bounds."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from tests.cli.conftest import Run
from tests.policy.shop import SHOP

APP = """\
from dataclasses import dataclass, field

import msgspec
from pydantic import BaseModel, ConfigDict, Field

from reloadcheck import JSONSchema, ReloadCheck


class Model(BaseModel):
    model_config = ConfigDict(frozen=True)


class Limits(Model):
    timeout: float = 1.0


class Service(Model):
    limits: Limits
    api_key: str = Field("", alias="apiKey")


class Settings(Model):
    first: Limits
    second: Limits
    size: int = Field(1, ge=5)
    services: dict[str, Service] = {}
    hosts: list[Limits] = []


@dataclass(frozen=True)
class Plain:
    first: dict[str, int] = field(default_factory=dict)
    size: int = 1


class Struct(msgspec.Struct, frozen=True):
    size: int = 1


DOCUMENT = {"type": "object", "properties": {"size": {"type": "integer"}},
            "additionalProperties": False}
options = dict(contract="contract.yaml", environment="production")
model = ReloadCheck("c.yaml", schema=Settings, **options)
plain = ReloadCheck("c.yaml", schema=Plain, **options)
struct = ReloadCheck("c.yaml", schema=Struct, **options)
document = ReloadCheck("c.yaml", schema=JSONSchema(DOCUMENT), **options)
"""
SIZE = """\
reloadcheck: 1
keys:
  size: {baseline: 20, range: 1..100, window: quiet, owner: shop, required_in: [production]}
windows: {quiet: [mon 00:00-06:00]}
"""


@pytest.fixture
def shop(here: Path) -> Path:
    """An application with a contract."""
    (here / "service.py").write_text(APP)
    (here / "contract.yaml").write_text(SIZE)
    return here


@pytest.mark.parametrize("name", ["model", "plain", "struct", "document"])
def test_the_words_stand_at_their_key(run: Run, shop: Path, name: str) -> None:
    """Whoever writes the schema; a range tightens the schema's bounds and never loosens them."""
    document = json.loads(run("schema", "--app", f"service:{name}").out)
    root = document.get("$defs", {}).get(document.get("$ref", "").rpartition("/")[2], document)
    size: dict[str, Any] = root["properties"]["size"]
    assert {word: value for word, value in size.items() if word.startswith("x-")} == {
        "x-baseline": 20,
        "x-range": "1..100",
        "x-window": "quiet",
        "x-owner": "shop",
        "x-required_in": ["production"],
    }
    said = "Contract: 1..100; baseline 20; required in production; window quiet; owner shop."
    assert size["description"] == said
    assert size["maximum"] == 100
    assert size["minimum"] == (5 if name == "model" else 1)
    import_module("jsonschema_rs").validator_for(document)


def test_a_shared_definition_is_said_of_the_named_key_alone(run: Run, shop: Path) -> None:
    """`first.timeout` and `second.timeout` are one class, and the contract names one of them."""
    (shop / "contract.yaml").write_text(
        "reloadcheck: 1\nkeys:\n  first.timeout: {restart: true}\n  second: {owner: shop}\n"
        "  services.*.limits.timeout: {range: 0.1..}\n  hosts.*.timeout: {approve: none}\n"
        "  services.*.api_key: {secret: true, baseline: hunter2}\n"
    )
    document = json.loads(run("schema", "--app", "service:model").out)
    fields = document["properties"]
    assert fields["first"]["properties"]["timeout"]["x-restart"] is True
    assert fields["second"]["x-owner"] == "shop"
    assert document["$defs"]["Limits"]["properties"]["timeout"].keys() & {"x-restart"} == set()
    service = fields["services"]["additionalProperties"]
    assert service["properties"]["limits"]["properties"]["timeout"]["x-range"] == "0.1.."
    assert service["properties"]["apiKey"]["x-secret"] is True
    assert "x-baseline" not in service["properties"]["apiKey"]
    assert service["properties"]["apiKey"]["description"] == "Contract: secret."
    assert fields["hosts"]["items"]["properties"]["timeout"]["x-approve"] == "none"
    library: Any = import_module("jsonschema_rs")
    validator = library.validator_for(document)
    good = {"first": {"timeout": 1}, "second": {"timeout": 2}}
    assert validator.is_valid(good)
    assert not validator.is_valid({**good, "services": {"a": {"limits": {"timeout": 0}}}})


def test_every_word_of_a_key_is_written(run: Run, shop: Path) -> None:
    """Each word that the shop's contract uses of a key stands in the schema."""
    keys = SHOP.split("windows:")[0]
    fields = sorted({line.split(":")[0].strip() for line in keys.splitlines() if "{" in line})
    properties: dict[str, Any] = {}
    for name in fields:
        first, _, last = name.partition(".")
        part = properties.setdefault(first, {"type": "object", "properties": {}})
        if last:
            part["properties"][last] = {"type": "number"}
    (shop / "service.py").write_text(
        APP.replace("DOCUMENT = ", f"DOCUMENT = {properties!r}\nOLD = ")
    )
    text = (shop / "service.py").read_text()
    (shop / "service.py").write_text(
        text.replace("JSONSchema(DOCUMENT)", 'JSONSchema({"properties": {**DOCUMENT, "log": {}}})')
    )
    (shop / "contract.yaml").write_text(SHOP)
    (shop / "allowed_signers").write_text(
        "\n".join(f"{name}@example.test ssh-ed25519 AAAA" for name in ("dora", "arno", "otto"))
    )
    done = run("schema", "--app", "service:document")
    assert done.status == 0, done
    for word in ("baseline", "range", "required_in", "not_baseline_in", "secret", "owner",
                 "restart", "window", "approve", "signal", "trial"):  # fmt: skip
        assert (f'"x-{word}"' in done.out) == (f"{word}:" in keys), word


def test_a_contract_with_a_mistake_is_told(run: Run, shop: Path) -> None:
    """With its line, and no schema is printed that lacks the words."""
    (shop / "contract.yaml").write_text("reloadcheck: 1\nkeys: {sise: {restart: true}}\n")
    done = run("schema", "--app", "service:document")
    assert done.status == 2
    assert "contract.yaml:2:8: the schema has no key sise" in " ".join(done.err.split())
