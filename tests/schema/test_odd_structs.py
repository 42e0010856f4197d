"""Structs of msgspec whose problems only its own message places, or that it cannot convert."""

from pathlib import Path
from typing import Any

import msgspec
import pytest

from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import SchemaClassError

from .models import problems_of


class Low(msgspec.Struct, frozen=True, tag="low"):
    """One member of a union with tags."""

    level: int


class High(msgspec.Struct, frozen=True, tag="high", forbid_unknown_fields=True):
    """The other, which takes nothing unknown."""


class Tags(msgspec.Struct, frozen=True):
    """A struct whose members msgspec alone tells apart."""

    one: Low | High | None = None
    pair: tuple[int, str] = (1, "")
    deep: dict[str, dict[str, int]] | int = 1
    place: Path = Path("/")


@pytest.mark.parametrize(
    ("tree", "problems"),
    [
        ({"one": {"type": "low"}}, {("one", "level"): "is missing"}),
        ({"one": {"type": "high", "x": 1}}, {("one", "x"): "is not a known key"}),
        ({"pair": [1, 2]}, {("pair", 1): "should be a string, not an integer"}),
        (
            {"deep": {"a": {"x": 1}, "b": {"y": 1, "z": "no"}, "c": {}}},
            {("deep", "b", "z"): "should be an integer, not a string"},
        ),
    ],
)
def test_msgspecs_sentences_are_told_at_the_key(tree: Any, problems: Any) -> None:
    """Also where only its message says at which."""
    assert problems_of(Tags, tree) == problems


def test_a_path_in_a_struct_is_written_as_a_text() -> None:
    """A number is none."""
    assert [*problems_of(Tags, {"place": 5})] == [("place",)]


class Alike(msgspec.Struct, frozen=True):
    """A struct that no tag tells from the next."""


class AlikeToo(msgspec.Struct, frozen=True):
    """The next."""


def test_what_msgspec_cannot_convert_is_refused_when_the_engine_is_made() -> None:
    """Two structs without tags; and a class that it does not know is told at its key."""
    made: Any = msgspec.defstruct("Both", [("x", Alike | AlikeToo)], frozen=True)
    with pytest.raises(SchemaClassError, match="msgspec cannot convert to this schema"):
        schema_of(made)
