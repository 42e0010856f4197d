"""Which library converts a dataclass, and what all of them accept."""

from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import Field
from pydantic.dataclasses import dataclass as pydantic_dataclass

import reloadcheck._schema
from reloadcheck._config.freeze import FrozenList
from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import SchemaClassError

from .models import Database, DataDatabase, DataSettings, Settings, StructSettings, problems_of


def test_dataclass_problems() -> None:
    """A dataclass is told about like a struct, and a path may be a `Path`."""
    assert problems_of(DataSettings, {"database": {"url": 5}}) == {
        ("database", "url"): "should be a string, not an integer"
    }
    assert problems_of(DataSettings, {"database": {}}) == {("database", "url"): "is missing"}
    assert problems_of(DataSettings, {"database": {"url": "u", "home": 5}}) == {
        ("database", "home"): "TypeError: a path should be a string"
    }
    config = schema_of(DataSettings).convert({"database": {"url": "u", "home": "/x"}})
    assert config.database.home == Path("/x")


def test_dataclasses_without_msgspec_are_converted_by_pydantic(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whichever library is installed converts; with neither the error names what to install."""
    missing = {"msgspec"}

    def import_module(name: str) -> object:
        if name in missing:
            raise ImportError(name)
        return __import__(name)

    monkeypatch.setattr(reloadcheck._schema.schema, "import_module", import_module)
    assert problems_of(DataSettings, {"database": {"url": 5}}) == {
        ("database", "url"): "should be a string, not an integer"
    }
    config = schema_of(DataSettings).convert({"database": {"url": "u", "hosts": ["a"]}})
    assert config == DataSettings(DataDatabase("u", hosts=["a"]))
    assert type(config.database.hosts) is FrozenList
    missing.add("pydantic")
    with pytest.raises(SchemaClassError, match=r"pip install reloadcheck\[msgspec\]"):
        schema_of(DataSettings)


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
