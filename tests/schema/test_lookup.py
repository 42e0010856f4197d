"""Paths into a configuration: what its class shows at registration, what is found at a path."""

from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

import pytest
from pydantic import BaseModel, ConfigDict, Field

from reloadcheck._config.key_path import lookup
from reloadcheck._schema.schema import schema_of
from reloadcheck.types import KeyPath

from .models import Box, Cat, Database, DataSettings, MutableData, Node, Settings, StructSettings


@dataclass(frozen=True)
class Counting:
    """A dataclass with something that belongs to the class, not to the configuration."""

    counts: ClassVar[MutableData] = MutableData()
    x: int = 1


class Open(BaseModel):
    """A model that tolerates other keys."""

    model_config = ConfigDict(frozen=True, extra="allow")
    known: Database | None = None
    either: Database | Cat | None = None
    raw: Any = None
    listed: list[Annotated[Cat, Field(title="t")]] = []


@pytest.mark.parametrize(
    ("schema", "path", "expected"),
    [
        (Settings, (), True),
        (Settings, ("database",), True),
        (Settings, ("database", "url"), True),
        (Settings, ("database", "pool_size"), True),
        (Settings, ("database", "pool-size"), False),
        (Settings, ("database", "nope"), False),
        (Settings, ("nope", "url"), False),
        (Settings, ("database", "timeout", "x"), False),
        (Settings, ("services", "any"), None),
        (Settings, ("services", "any", "url"), None),
        (Settings, ("services", "any", "nope"), False),
        (Settings, ("database", "hosts", 0), None),
        (Settings, ("database", "hosts", 0, "x"), False),
        (Settings, ("database", "port", "x"), None),
        (StructSettings, ("database", "pool_size"), True),
        (StructSettings, ("database", "pool-size"), False),
        (DataSettings, ("database", "home"), True),
        (DataSettings, ("database", "nope"), False),
        (Open, ("other",), None),
        (Open, ("known", "url"), True),
        (Open, ("known", "nope"), False),
        (Open, ("either", "url"), True),
        (Open, ("either", "nope"), False),
        (Open, ("raw", "x"), None),
        (Open, ("listed", 0, "kind"), None),
        (Open, ("listed", 0, "nope"), False),
        (Box[Database], ("content", "url"), True),
        (Box[Database], ("content", "nope"), False),
        (Node, ("children", 0, "children", 0, "name"), None),
        (Node, ("children", 0, "nope"), False),
        (None, ("x",), None),
        (Counting, ("counts",), False),
        (Counting, ("x",), True),
    ],
)
def test_field_tells_what_the_class_shows(
    schema: Any, path: KeyPath, expected: bool | None
) -> None:
    """A misspelt path is known at registration wherever the class decides it."""
    assert schema_of(schema).field(path) is expected


@pytest.mark.parametrize("schema", [None, Settings, StructSettings, DataSettings])
def test_lookup_reads_any_configuration(schema: Any) -> None:
    """Fields, items and indexes are read alike; what is missing names the first part that is."""
    config: object = schema_of(schema).convert(
        {"database": {"url": "u", "hosts": ["a", "b"]}, "services": {"x.y": {"url": "v"}}}
    )
    assert lookup(config, ()) is config
    assert lookup(config, ("database", "hosts", 1)) == "b"
    assert lookup(config, ("database", "hosts", "1")) == "b"
    assert lookup(config, ("services", "x.y")) is lookup(lookup(config, ("services",)), ("x.y",))
    for path, missing in [
        (("database", "nope", "x"), ("database", "nope")),
        (("services", "x", "y"), ("services", "x")),
        (("database", "hosts", 2), ("database", "hosts", 2)),
        (("database", "hosts", "x"), ("database", "hosts", "x")),
        (("database", "url", "x"), ("database", "url", "x")),
        (("model_dump",), ("model_dump",)),
    ]:
        with pytest.raises(KeyError) as caught:
            lookup(config, path)  # type: ignore[arg-type]
        assert caught.value.args == (missing,)
        assert caught.value.__cause__ is None


def test_lookup_finds_a_key_as_the_mapping_has_it() -> None:
    """A number is found where it is asked for as text, text that looks like one as it stands."""
    config = {80: "a number", "8080": "text", 1: "one", "1": "text of one"}
    assert lookup(config, ("80",)) == "a number"
    assert lookup(config, ("8080",)) == "text"
    assert lookup(config, (8080,)) == "text"
    assert [lookup(config, (key,)) for key in (1, "1")] == ["one", "text of one"]
    with pytest.raises(KeyError):
        lookup(config, ("9" * 20,))


def test_lookup_reads_null_extras_and_plain_objects() -> None:
    """A key that is present as null is found, extra keys too, and attributes of any object."""
    config = schema_of(Open).convert({"other": {"x": None}})
    assert lookup(config, ("other", "x")) is None
    assert lookup(config, ("known",)) is None

    class Bare:
        url = "u"

    assert lookup({"bare": Bare()}, ("bare", "url")) == "u"
