"""Who converts which class, and what all of them accept."""

import subprocess
import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any

import msgspec
import pytest
from annotated_types import Gt, Le, MultipleOf
from pydantic import Field
from pydantic.dataclasses import dataclass as pydantic_dataclass

from reloadcheck._config.freeze import FrozenList
from reloadcheck._schema.schema import schema_of

from .models import (
    CANARY,
    AttrsDatabase,
    AttrsSettings,
    Database,
    DataDatabase,
    DataSettings,
    Settings,
    StructDatabase,
    StructSettings,
    problems_of,
)


def test_dataclass_problems() -> None:
    """A dataclass is told about like a struct, and a path may be a `Path`."""
    assert problems_of(DataSettings, {"database": {"url": 5}}) == {
        ("database", "url"): "should be a string, not an integer"
    }
    assert problems_of(DataSettings, {"database": {}}) == {("database", "url"): "is missing"}
    assert problems_of(DataSettings, {"database": {"url": "u", "home": 5}}) == {
        ("database", "home"): "should be a path, not an integer"
    }
    config = schema_of(DataSettings).convert({"database": {"url": "u", "home": "/x"}})
    assert config.database.home == Path("/x")


@pytest.mark.parametrize("blocked", [("pydantic",), ("msgspec",), ("pydantic", "msgspec", "attr")])
def test_what_else_is_installed_changes_no_answer(blocked: tuple[str, ...]) -> None:
    """A dataclass is read by one set of rules, with both libraries, either or neither."""
    assert _answers(*blocked) == _answers()


def _answers(*blocked: str) -> str:
    program = Path(__file__).with_name("answers.py")
    command = [sys.executable, str(program), *blocked]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def _untouched(tree: dict[str, Any]) -> dict[str, Any]:
    return tree


@pytest.mark.parametrize(
    ("schema", "reader"),
    [
        (Settings, "pydantic"),
        (StructSettings, "msgspec"),
        (DataSettings, "reloadcheck"),
        (AttrsSettings, "reloadcheck"),
        (_untouched, "function"),
        (None, "none"),
    ],
)
def test_who_reads_a_schema_is_told(schema: Any, reader: str) -> None:
    """The choice follows from the class and is kept."""
    assert schema_of(schema).reader == reader


@pydantic_dataclass(frozen=True)
class Checked:
    """A dataclass of pydantic's own."""

    size: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True)
class Holder:
    """A plain dataclass that holds pydantic's."""

    checked: Checked
    database: Database | None = None


def test_pydantic_parts_of_a_dataclass_are_validated_by_pydantic() -> None:
    """What only pydantic can check is not left to msgspec."""
    assert problems_of(Holder, {"checked": {"size": 0}}) == {
        ("checked", "size"): "should be at least 1"
    }
    assert problems_of(Checked, {"size": 0}) == {("size",): "should be at least 1"}


def test_dates_of_yaml_and_toml_pass() -> None:
    """Values that parsers make are accepted as they are."""
    part = {"url": "u", "since": date(2026, 1, 2)}
    assert schema_of(Settings).convert({"database": part}).database.since == date(2026, 1, 2)
    assert schema_of(StructSettings).convert({"database": part}).database.since == date(2026, 1, 2)


def _attrs_database(**fields: Any) -> AttrsDatabase:
    return AttrsDatabase(**fields)


def test_an_attrs_class_is_read_through_its_fields() -> None:
    """Each field under its own key: aliases, converters, defaults and validators as attrs has."""
    tree = {"database": {"url": "u", "home": "/x", "names": "a", "computed": 5}}
    config = schema_of(AttrsSettings).convert(tree)
    assert config == AttrsSettings(_attrs_database(url="u", home=Path("/x"), names="a"))
    assert type(config.database.hosts) is FrozenList
    assert schema_of(AttrsSettings).convert(tree, config) is config
    assert schema_of(AttrsSettings).field(("database", "nope")) is False
    assert problems_of(AttrsSettings, {"database": {"pool_size": "5", "home": 1}}) == {
        ("database", "url"): "is missing",
        ("database", "pool_size"): "should be an integer, not a string",
        ("database", "home"): "should be a path, not an integer",
    }
    assert problems_of(AttrsSettings, {"database": {"url": CANARY}}) == {
        ("database",): "ValueError: the url '***' is not known"
    }


@dataclass(frozen=True)
class Bounded:
    """A dataclass with constraints of either spelling, and a struct inside."""

    port: Annotated[int, Gt(0), Le(65535)] = 1
    name: Annotated[str, msgspec.Meta(min_length=2, max_length=3, pattern="^[a-z]+$")] = "db"
    even: Annotated[int | None, MultipleOf(2)] = None
    struct: StructDatabase | None = None


def test_constraints_of_a_dataclass_hold() -> None:
    """What is annotated beside a type is asked for, and a struct inside is msgspec's."""
    good = {"port": 80, "name": "abc", "even": None, "struct": {"url": "u"}}
    assert schema_of(Bounded).convert(good) == Bounded(80, "abc", None, StructDatabase("u"))
    bad = {"port": 0, "name": "a", "even": 3, "struct": {"url": "u", "nope": 1}}
    assert problems_of(Bounded, bad) == {
        ("port",): "should be greater than 0",
        ("name",): "should have length at least 2",
        ("even",): "should be a multiple of 2",
        ("struct", "nope"): "is not a known key",
    }
    assert problems_of(Bounded, {"port": 70000, "name": "abcd"}) == {
        ("port",): "should be at most 65535",
        ("name",): "should have length at most 3",
    }
    assert problems_of(Bounded, {"name": "AB"}) == {("name",): "should match the pattern ^[a-z]+$"}


@dataclass(frozen=True)
class Strict:
    """A dataclass whose own code refuses."""

    items: tuple[DataDatabase, ...]

    def __post_init__(self) -> None:
        if any(item.url.startswith("c4n4ry") for item in self.items):
            raise ValueError(f"{self.items[0].url} is not liked")


def test_a_dataclass_may_refuse_by_itself() -> None:
    """What its own code raises is told without the value it quotes."""
    assert problems_of(Strict, {"items": [{"url": CANARY}]}) == {(): "ValueError: *** is not liked"}
