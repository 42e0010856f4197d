"""Annotations that come seldom: type variables, aliases, protocols, what nobody can convert."""

# What comes seldom is made to happen from within.
# pyright: reportUnknownMemberType=false

import dataclasses
from collections.abc import Iterable, Set
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Generic, Literal, NewType, TypeVar

import pytest
from pydantic import (
    AfterValidator,
    AliasChoices,
    BaseModel,
    ConfigDict,
    Field,
    RootModel,
    StringConstraints,
)
from typing_extensions import TypeAliasType

from reloadcheck._schema.annotations import container_of, members_of, owner_of
from reloadcheck._schema.class_fields import class_fields, takes_extras
from reloadcheck._schema.field_paths import parts_of
from reloadcheck._schema.from_json_schema import annotation_of
from reloadcheck._schema.scalars import scalar_of
from reloadcheck._schema.schema import schema_of
from reloadcheck._schema.shapes import shape_of
from reloadcheck._schema.spellings import spellings
from reloadcheck._schema.text_meaning import NoMeaningError, inside, meaning_of
from reloadcheck._schema.to_json_schema import json_schema_of
from reloadcheck._schema.unknown_keys import unknown_keys
from reloadcheck._schema.with_json_schema import JSONSchema
from reloadcheck.exceptions import SchemaClassError, SchemaError

from .models import problems_of

T = TypeVar("T")
Number = TypeVar("Number", int, float)
Bound = TypeVar("Bound", bound=str)
Port = NewType("Port", int)
Names = TypeAliasType("Names", list[str])


@dataclasses.dataclass(frozen=True)
class Pair(Generic[T]):
    """A generic dataclass, whose types are given where it is used."""

    first: T
    rest: tuple[T, ...] = ()


@dataclasses.dataclass(frozen=True)
class Shop:
    """What has one of its kinds."""

    pair: Pair[int]


def test_a_generic_dataclass_has_the_types_that_it_was_given() -> None:
    """Of its own fields and of what they hold."""
    shop = schema_of(Shop).convert({"pair": {"first": 1, "rest": [2]}})
    assert (shop.pair.first, shop.pair.rest) == (1, (2,))
    assert problems_of(Shop, {"pair": {"first": "x", "rest": [1, "y"]}}) == {
        ("pair", "first"): "should be an integer, not a string",
        ("pair", "rest", 1): "should be an integer, not a string",
    }
    open_ = class_fields(Pair)
    assert open_ is not None
    assert open_[0].annotation is T


def test_a_variable_and_a_name_stand_for_what_they_may_be() -> None:
    """The one of its types, its bound, or anything; an alias for its value."""
    assert set(members_of(Number)) == {int, float}
    assert list(members_of(Bound)) == [str]
    assert list(members_of(T)) == [Any]
    assert list(members_of(Port)) == [int]
    assert list(members_of(Names)) == [list[str]]
    assert list(parts_of(Names)) == [list[str]]
    assert list(parts_of(Port)) == [int]


class Bag(Iterable[int]):
    """A class of somebody else's that one can iterate over, and that no list is."""


def test_a_protocol_of_the_standard_library_is_a_container() -> None:
    """An abstract set is a set; a class of somebody else's is none that a file can have."""
    assert container_of(Set[int]) is set
    assert container_of(Iterable[int]) is list
    assert container_of(Bag) is None
    assert class_fields(Literal["a"]) is None
    assert scalar_of(Literal["a"]) is None


def test_words_of_pydantic_beside_a_type_are_pydantics_to_read() -> None:
    """A dataclass whose field has them is read as they say."""
    annotation = Annotated[str, StringConstraints(to_upper=True)]
    owner = owner_of(annotation)
    assert (owner is not None, owner_of(str)) == (True, None)
    made = dataclasses.make_dataclass("Shop", [("name", annotation)], frozen=True)
    assert schema_of(made).convert({"name": "shop"}).name == "SHOP"


def test_annotations_that_cannot_be_resolved_are_refused() -> None:
    """By the name that is missing, when the engine is made."""
    made = dataclasses.make_dataclass("Shop", [("pair", "Nowhere")], frozen=True)
    with pytest.raises(SchemaClassError, match="`Nowhere` is not defined"):
        schema_of(made)
    foreign = Annotated[Bag, AfterValidator(str)]
    made = dataclasses.make_dataclass("Shop", [("bag", foreign)], frozen=True)
    with pytest.raises(SchemaClassError, match="field bag of Shop: pydantic cannot convert"):
        schema_of(made)


class Model(BaseModel):
    """A model that a dataclass has by another name."""

    model_config = ConfigDict(frozen=True)
    size: int = Field(multiple_of=5)


OtherName = TypeAliasType("OtherName", Model)


def test_an_alias_of_a_model_is_read_by_its_library() -> None:
    """And what stands beside a type need not be hashable."""
    fields = [("model", OtherName), ("number", Annotated[int, {"unit": "s"}])]
    made = dataclasses.make_dataclass("Shop", fields, frozen=True)
    assert schema_of(made).convert({"model": {"size": 5}, "number": 1}).model == Model(size=5)
    for wrong in ("x", 6):  # of what 6 is no multiple its library alone knows
        assert [*problems_of(made, {"model": {"size": wrong}, "number": 1})] == [("model", "size")]


class Colour(Enum):
    """More values than a sentence names."""

    A, B, C, D, E, F, G, H, J, K, L, M = range(12)


def test_of_very_many_values_none_is_named() -> None:
    """The sentence would be longer than what is wrong."""
    made = dataclasses.make_dataclass("Shop", [("colour", Colour)], frozen=True)
    assert problems_of(made, {"colour": 99}) == {
        ("colour",): "is not one of the values allowed here"
    }


def test_a_tuple_of_some_length_wants_a_list() -> None:
    """Not a mapping, nor a text."""
    made = dataclasses.make_dataclass("Shop", [("pair", tuple[int, str])], frozen=True)
    assert problems_of(made, {"pair": "ab"}) == {("pair",): "should be a list, not a string"}


def test_a_shape_is_that_of_a_dataclass_too() -> None:
    """Its fields, which must be there, and what is unknown."""
    shape = shape_of(Shop, {"pair": {}, "more": 1})
    assert [key for key, _, _ in shape.parts] == ["pair"]
    assert shape_of(Shop, {}).missing == ("pair",)
    assert shape_of(str, {"a": 1}).parts == ()


class Many(BaseModel):
    """A field that goes by very many names."""

    model_config = ConfigDict(frozen=True)
    x: int = Field(1, validation_alias=AliasChoices(*(f"n{number}" for number in range(2000))))


def test_spellings_are_bounded() -> None:
    """A schema may have more than anybody looks through; what is no container is as it is."""
    found = spellings(Many, ("x",))
    assert 0 < len(found) < 2000
    assert spellings(Bag, ("x", "y")) == (("x", "y"),)


class Root(RootModel[dict[str, int]]):
    """A model that is a mapping."""

    model_config = ConfigDict(frozen=True)


def test_a_text_means_what_a_root_model_is_of() -> None:
    """Inside it too; where anything may stand there is no telling."""
    assert inside(Root, "a") is int
    assert inside(Any, "a") is Any
    loose = type("Loose", (BaseModel,), {"model_config": ConfigDict(frozen=True, extra="allow")})
    assert inside(loose, "a") is Any
    assert [*unknown_keys(Root, {"a": 1})] == []
    with pytest.raises(NoMeaningError):
        meaning_of(RootModel[int], "x")  # type: ignore[arg-type]


def test_a_json_schema_as_an_annotation() -> None:
    """A mapping of what its other keys may be; an object that takes more keeps more."""
    assert (
        annotation_of({"type": "object", "additionalProperties": {"type": "integer"}})
        == dict[str, int]
    )
    open_ = {
        "type": "object",
        "properties": {"a": {"type": "string"}},
        "additionalProperties": True,
    }
    assert inside(annotation_of(open_), "b") is Any
    assert takes_extras(annotation_of(open_))
    assert not takes_extras(annotation_of({**open_, "additionalProperties": False}))


def test_a_json_schema_has_a_name_and_no_text_of_its_own(tmp_path: Path) -> None:
    """In a message it is its file, or an ellipsis."""
    assert repr(JSONSchema({"type": "object"})) == "JSONSchema('…')"
    assert repr(JSONSchema(tmp_path / "s.json")).startswith("JSONSchema('")
    schema = JSONSchema({"type": "object", "properties": {"a": {"not": {"type": "string"}}}})
    assert [*problems_of(schema, {"a": "x"})] == [("a",)]
    assert schema({"a": 1}) == {"a": 1}
    assert schema({"a": 2}) == {"a": 2}


def test_the_schema_of_a_class_that_has_no_fields_says_nothing_of_it() -> None:
    """An editor takes anything there."""
    made = dataclasses.make_dataclass("Shop", [("bag", Annotated[Any, "x"])], frozen=True)
    assert json_schema_of(made, made)["properties"]["bag"] == {}


def test_a_builtin_that_does_not_tell_its_parameters_is_a_schema_all_the_same() -> None:
    """It is called with the tree."""
    assert schema_of(max).convert({"a": 1, "b": 2}) == "b"


class Cat(BaseModel):
    """One member of a union with tags."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["cat"]
    lives: int


class Dog(BaseModel):
    """The other."""

    model_config = ConfigDict(frozen=True)
    kind: Literal["dog"]


class Pets(BaseModel):
    """A model whose findings name the member as well."""

    model_config = ConfigDict(frozen=True)
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]


def test_what_pydantic_finds_in_a_member_is_told_at_the_trees_key() -> None:
    """The member's tag is no key of the file."""
    assert problems_of(Pets, {"pet": {"kind": "cat"}}) == {("pet", "lives"): "is missing"}
    with pytest.raises(SchemaError):
        schema_of(Pets).convert({"pet": {"kind": "cat", "lives": "x"}})
