"""Pydantic's models: problems that name keys and quote nothing, validators that do as they like."""

from enum import Enum
from typing import Annotated, Any, Literal

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, field_validator, model_validator
from pydantic_core import PydanticCustomError

from reloadcheck._schema.schema import schema_of
from reloadcheck.types import KeyPath

from .models import CANARY, FROZEN, Cat, Settings, problems_of

Kind = Enum("Kind", {"FAST": "fast", "SAFE": "safe"})

PYDANTIC_CASES: list[tuple[dict[str, Any], dict[KeyPath, str]]] = [
    ({}, {("url",): "is missing"}),
    ({"url": 5}, {("url",): "should be a string, not an integer"}),
    ({"url": None}, {("url",): "should be a string, not null"}),
    ({"url": "u", "pool-size": 0}, {("pool-size",): "should be at least 1"}),
    ({"url": "u", "pool-size": 101}, {("pool-size",): "should be at most 100"}),
    ({"url": "u", "pool-size": CANARY}, {("pool-size",): "should be an integer, not a string"}),
    ({"url": "u", "pool-size": 1.5}, {("pool-size",): "should be an integer, not a number"}),
    ({"url": "u", "pool-size": [1]}, {("pool-size",): "should be an integer, not a list"}),
    ({"url": "u", "pool_size": 5}, {("pool_size",): "is not a known key"}),
    ({"url": "u", "hosts": ["a", 5]}, {("hosts", 1): "should be a string, not an integer"}),
    ({"url": "u", "hosts": CANARY}, {("hosts",): "should be a list, not a string"}),
    ({"url": "u", "hosts": [CANARY]}, {("hosts",): "ValueError: host '***' is not known"}),
    ({"url": "u", "kind": CANARY}, {("kind",): "should be 'fast' or 'safe'"}),
    ({"url": "u", "port": CANARY}, {("port",): "should be an integer or a mapping, not a string"}),
    ({"url": "u", "port": {"a": CANARY}}, {
        ("port",): "should be an integer, not a mapping",
        ("port", "a"): "should be an integer, not a string",
    }),
    ({"url": "u", "since": CANARY}, {("since",): "should be a date"}),
    ({"url": "u", "at": CANARY}, {("at",): "should be a date and time"}),
    ({"url": "u", "link": CANARY}, {("link",): "should be a URL"}),
    ({"url": "u", "another": CANARY}, {("another",): "should be an integer, not a string"}),
    ({"url": "u", "nest": {"deep": CANARY}}, {
        ("nest", "deep"): "should be an integer, not a string",
    }),
    ({"url": "u", "name": "a"}, {("name",): "should have at least 2 characters"}),
    ({"url": "u", "name": "abcdef"}, {("name",): "should have at most 5 characters"}),
    ({"url": "u", "name": "A-B"}, {("name",): "should match the pattern ^[a-z]+$"}),
]  # fmt: skip


@pytest.mark.parametrize(("part", "expected"), PYDANTIC_CASES)
def test_pydantic_problems(part: dict[str, Any], expected: dict[KeyPath, str]) -> None:
    """Each problem is one sentence at the file's own key, wherever the part stands."""
    at_top = {("database", *path): reason for path, reason in expected.items()}
    assert problems_of(Settings, {"database": part}) == at_top
    in_map = {("services", "a.b", *path): reason for path, reason in expected.items()}
    tree = {"database": {"url": "u"}, "services": {"x": {"url": "u"}, "a.b": part}}
    assert problems_of(Settings, tree) == in_map


def test_pydantic_reports_all_problems_together() -> None:
    """An edit with several mistakes is told about all of them at once."""
    part = {"pool-size": 0, "hosts": [1], "what": CANARY}
    assert problems_of(Settings, {"database": part, "services": {"s": {}}}) == {
        ("database", "url"): "is missing",
        ("database", "pool-size"): "should be at least 1",
        ("database", "hosts", 0): "should be a string, not an integer",
        ("database", "what"): "is not a known key",
        ("services", "s", "url"): "is missing",
    }
    assert problems_of(Settings, {}) == {("database",): "is missing"}
    assert problems_of(Settings, {"database": [1]}) == {
        ("database",): "should be a mapping, not a list"
    }


class Dog(BaseModel):
    """Another member."""

    model_config = FROZEN
    kind: Literal["dog"]
    age: int


class Pets(BaseModel):
    """A model whose errors quote tags and checks."""

    model_config = FROZEN
    pet: Annotated[Cat | Dog, Field(discriminator="kind")]
    even: Annotated[int, Field(multiple_of=2)] = 2
    few: Annotated[list[int], Field(max_length=1)] = []
    mode: Kind = Kind.FAST

    @model_validator(mode="after")
    def fitting(self) -> "Pets":
        """Check several fields at once."""
        if self.even >= 100:
            raise AssertionError(f"{self.even} is too much")
        return self


def test_pydantic_words_that_would_quote() -> None:
    """Tags, enums and assertions are told without the value that failed."""
    assert problems_of(Pets, {"pet": {"kind": CANARY}}) == {
        ("pet",): "should have one of 'cat', 'dog' as 'kind'"
    }
    assert problems_of(Pets, {"pet": {}}) == {("pet",): "should have the key 'kind'"}
    assert problems_of(Pets, {"pet": {"kind": "dog"}}) == {("pet", "age"): "is missing"}
    cat = {"kind": "cat"}
    assert problems_of(Pets, {"pet": cat, "even": 3}) == {("even",): "should be a multiple of 2"}
    assert problems_of(Pets, {"pet": cat, "few": [1, 2]}) == {
        ("few",): "should have at most 1 items"
    }
    assert problems_of(Pets, {"pet": cat, "mode": CANARY}) == {
        ("mode",): "should be 'fast' or 'safe'"
    }
    assert problems_of(Pets, {"pet": cat, "even": 4930}) == {(): "AssertionError: *** is too much"}


def test_a_pydantic_validator_may_change_its_input() -> None:
    """A `before` validator that pops from its input leaves the tree as it is."""

    class Popping(BaseModel):
        model_config = FROZEN
        a: int

        @model_validator(mode="before")
        @classmethod
        def pop(cls, data: dict[str, Any]) -> dict[str, Any]:
            return {"a": data.pop("b")}

    tree = {"b": 1}
    assert schema_of(Popping).convert(tree).a == 1
    assert tree == {"b": 1}


def test_any_exception_in_a_validator_is_a_problem() -> None:
    """A validator that fails in a way pydantic does not catch is told the same way."""

    class Failing(BaseModel):
        model_config = FROZEN
        a: str

        @field_validator("a")
        @classmethod
        def fail(cls, value: str) -> str:
            raise LookupError(value)

    assert problems_of(Failing, {"a": CANARY}) == {(): "LookupError: ***"}


def test_a_custom_error_of_pydantics_is_scrubbed() -> None:
    """A validator's own kind of error is told without the value it was given."""

    class Custom(BaseModel):
        model_config = FROZEN
        a: str

        @field_validator("a")
        @classmethod
        def fail(cls, value: str) -> str:
            raise PydanticCustomError("odd", "Input is odd: {value}", {"value": value})

    assert problems_of(Custom, {"a": CANARY}) == {("a",): "is odd: ***"}


def test_an_error_of_pydantics_own_kind_that_a_validator_raises_quotes_nothing() -> None:
    """What such an error names as its bound may be the value itself."""

    def refuse(value: str) -> str:
        raise PydanticCustomError("less_than", "not {lt}", {"lt": f"<{value}>"})

    class Model(BaseModel):
        model_config = ConfigDict(frozen=True)
        name: Annotated[str, AfterValidator(refuse)]

    (reason,) = problems_of(Model, {"name": "a secret, long enough"}).values()
    assert reason == "not <***>"
