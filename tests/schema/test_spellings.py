"""How files may spell a key path: aliases of fields, wildcards, and what no schema has."""

from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from pydantic import AliasChoices, BaseModel, ConfigDict, Field, RootModel

from reloadcheck._schema.schema import schema_of
from reloadcheck.types import KeyPath


class Inner(BaseModel):
    """A field by an alias alone, one by either of two, one by its name."""

    model_config = ConfigDict(frozen=True)
    api_key: str = Field(alias="apiKey")
    size: int = Field(1, validation_alias=AliasChoices("size", "sz"))
    plain: int = 1


class Struct(msgspec.Struct, frozen=True, rename="camel"):
    """A struct whose fields go by other names."""

    pool_max: int = 1


class Numbers(RootModel[dict[str, Inner]]):
    """A model that is a mapping."""

    model_config = ConfigDict(frozen=True)


class Open(BaseModel):
    """A model that keeps what it does not know."""

    model_config = ConfigDict(frozen=True, extra="allow")


class Settings(BaseModel):
    """All of it."""

    model_config = ConfigDict(frozen=True, populate_by_name=True)
    payment: Inner = Field(alias="pay")
    services: dict[str, Inner]
    hosts: list[Inner] | None = None
    numbers: Numbers
    more: Open
    any: Any = None


@pytest.mark.parametrize(
    ("path", "spelled"),
    [
        (("payment", "plain"), {("pay", "plain"), ("payment", "plain")}),
        (("pay", "api_key"), {("pay", "apiKey"), ("payment", "apiKey")}),
        (("services", "*", "size"), {("services", "*", "size"), ("services", "*", "sz")}),
        (("services", "a", "apiKey"), {("services", "a", "apiKey")}),
        (("hosts", "*", "plain"), {("hosts", "*", "plain")}),
        (("*", "plain"), {("*", "plain")}),
        (("numbers", "x", "plain"), {("numbers", "x", "plain")}),
        (("more", "x", "y"), {("more", "x", "y")}),
        (("any", "x"), {("any", "x")}),
        (("services", "*", "nowhere"), set[KeyPath]()),
        (("servces", "*", "plain"), set[KeyPath]()),
        (("hosts", "*", "plain", "deep"), set[KeyPath]()),
        (("payment", "nowhere"), set[KeyPath]()),
    ],
)
def test_a_key_path_is_spelled_as_files_do(path: KeyPath, spelled: set[KeyPath]) -> None:
    """By a field's name or its alias, with `*` for items and values; a misspelt one in no way."""
    assert set(schema_of(Settings).spelled(path)) == spelled


def test_a_struct_that_renames_its_fields() -> None:
    """The name in the file is what counts, whichever is given."""
    for name in ("pool_max", "poolMax"):
        assert schema_of(Struct).spelled((name,)) == (("poolMax",),)


@dataclass(frozen=True)
class Node:
    """A class that contains itself."""

    inner: "Node | None" = None
    name: str = ""


def test_a_class_that_contains_itself_ends_with_the_path() -> None:
    """The path bounds the walk."""
    path = ("inner",) * 30 + ("name",)
    schema = schema_of(Node)
    assert schema.spelled(path) == (path,)
    made = schema.validate({"name": "a", "inner": {"name": "b", "inner": {"name": "c"}}})
    assert made == Node(Node(Node(None, "c"), "b"), "a")
