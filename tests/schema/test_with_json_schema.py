"""JSON Schema both ways: as the schema of a configuration, and written from one."""

import json
import time
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge

from reloadcheck import EnvironSource, JSONSchema, ReloadCheck
from reloadcheck._schema.schema import schema_of
from reloadcheck._schema.to_json_schema import json_schema_of
from reloadcheck.cli import main
from reloadcheck.exceptions import SchemaClassError, SchemaError, UsageError
from reloadcheck.testing import MemorySource

from .models import CANARY, AttrsSettings, Settings, StructDatabase, StructSettings, problems_of

SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["host"],
    "additionalProperties": False,
    "properties": {
        "host": {"type": "string", "minLength": 2, "pattern": "^[a-z]+$"},
        "port": {"type": "integer", "minimum": 1, "maximum": 65535},
        "tags": {"type": "array", "items": {"type": "string"}, "uniqueItems": True},
        "mode": {"enum": ["fast", "safe"]},
        "since": {"type": "string", "format": "date"},
        "node": {"$ref": "#/$defs/node"},
        "either": {"anyOf": [{"type": "integer"}, {"type": "null"}]},
    },
    "$defs": {
        "node": {
            "type": "object",
            "additionalProperties": False,
            "properties": {"size": {"type": "integer"}, "inner": {"$ref": "#/$defs/node"}},
        }
    },
}


def test_a_configuration_is_validated_by_a_json_schema() -> None:
    """All problems at the file's own keys, in our words, with no value quoted."""
    good = {"host": "db", "port": 1, "since": date(2026, 1, 2), "node": {"inner": {"size": 1}}}
    config: Any = schema_of(JSONSchema(SCHEMA)).convert(good)
    assert (config.host, config.node.inner.size) == ("db", 1)
    assert schema_of(JSONSchema(SCHEMA)).convert(good, config) is config
    bad = {"port": "x", "tags": ["a", "a"], "mode": CANARY, "either": CANARY, "node": {"siz": 1}}
    assert problems_of(JSONSchema(SCHEMA), bad) == {
        ("host",): "is missing",
        ("port",): "should be an integer, not a string",
        ("tags",): "holds an item twice",
        ("mode",): "is not one of the values allowed here",
        ("either",): "fits none of the alternatives",
        ("node", "siz"): "is not a known key",
    }
    assert problems_of(JSONSchema(SCHEMA), {"host": "X", "port": 0}) == {
        ("host",): "should match the pattern ^[a-z]+$",
        ("port",): "should be at least 1",
    }


def test_a_hostile_pattern_takes_no_time() -> None:
    """Other validators hang on it."""
    schema = JSONSchema({"properties": {"x": {"pattern": "^(a+)+$"}}})
    begun = time.process_time()
    assert problems_of(schema, {"x": "a" * 50_000 + "!"}) != {}
    assert time.process_time() - begun < 2


def test_it_may_be_a_file_that_is_read_at_the_first_load(tmp_path: Path) -> None:
    """Construction does no I/O; variables are typed by it, and misspelt keys suggested."""
    path = tmp_path / "schema.json"
    over = EnvironSource("APP", {"APP_PORT": "80", "APP_TAGS": "a,b", "APP_HOST": "yes"})
    live: ReloadCheck[Any] = ReloadCheck(
        MemorySource({"host": "db"}), over, schema=JSONSchema(path), environ={}
    )
    path.write_text(json.dumps(SCHEMA))
    live.start()
    assert dict(live.snapshot.config) == {"host": "yes", "port": 80, "tags": ["a", "b"]}
    live.close()
    with pytest.raises(SchemaError, match="hots: is not a known key; did you mean host"):
        ReloadCheck(MemorySource({"hots": "db"}), schema=JSONSchema(path)).start()


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (None, "the JSON Schema cannot be read: No such file or directory"),
        ("{", "the JSON Schema is not valid JSON"),
        ("[]", "the JSON Schema is not a mapping"),
        ('{"type": "wrong"}', "the JSON Schema cannot be used"),
        ('{"$ref": "http://127.0.0.1:9/x.json"}', "the JSON Schema cannot be used"),
    ],
)
def test_a_json_schema_that_cannot_be_used_is_told(
    tmp_path: Path, text: str | None, reason: str
) -> None:
    """With its own file; nothing is fetched from elsewhere."""
    path = tmp_path / "schema.json"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SchemaError) as caught:
        ReloadCheck(MemorySource({"a": 1}), schema=JSONSchema(path)).start()
    assert str(caught.value).startswith(f"{path}: {reason}")


def _nothing(name: str) -> None:
    """Find no library."""


def test_without_the_library_it_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """At construction, not at the first load."""
    monkeypatch.setattr("reloadcheck._schema.with_json_schema.find_spec", _nothing)
    with pytest.raises(SchemaClassError, match=r"pip install reloadcheck\[jsonschema\]"):
        JSONSchema({})


class Color(Enum):
    """Some values."""

    RED = "red"


@dataclass(frozen=True)
class Node:
    """A class that contains itself, and parts of other libraries."""

    name: Annotated[str, "the name"]
    size: Annotated[int, Ge(1)] = 1
    color: Color | None = None
    mode: Literal["fast", "safe"] = "fast"
    since: date | None = None
    tags: frozenset[str] = frozenset()
    parts: dict[str, "Node"] = field(default_factory=dict)
    struct: StructDatabase | None = None


@pytest.mark.parametrize("cls", [Settings, StructSettings, AttrsSettings, Node])
def test_a_schema_is_written_that_fits_what_it_takes(cls: Any) -> None:
    """For pydantic, msgspec, attrs and dataclasses; a validator of JSON Schema agrees."""
    schema = schema_of(cls)
    document = json_schema_of(schema.given, schema.annotation)
    library: Any = import_module("jsonschema_rs")
    validator = library.validator_for(json.loads(json.dumps(document, default=str)))
    good = {"name": "a", "parts": {"b": {"name": "b"}}, "struct": {"url": "u"}}
    good = good if cls is Node else {"database": {"url": "u"}}
    schema.convert(good)
    assert validator.is_valid(good)
    assert not validator.is_valid({})
    assert not validator.is_valid({**good, "name": 5, "database": {"url": 5}})


def test_the_command_prints_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of an app, or of a class; where nothing tells the keys it says so."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "printed.py").write_text(
        "from dataclasses import dataclass\nfrom reloadcheck import ReloadCheck\n"
        "@dataclass(frozen=True)\nclass S:\n    port: int\n"
        "live = ReloadCheck('c.yaml', schema=S)\nplain = ReloadCheck('c.yaml')\n"
    )
    expected = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "S",
        "type": "object",
        "properties": {"port": {"type": "integer"}},
        "required": ["port"],
    }
    for words in (["--app", "printed:live"], ["--schema", "printed:S"]):
        assert main(["schema", *words]) == 0
        assert json.loads(capsys.readouterr().out) == expected
    schema = schema_of(None)
    with pytest.raises(UsageError, match="nothing tells its keys"):
        json_schema_of(schema.given, schema.annotation)
