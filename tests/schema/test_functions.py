"""Functions as schemas, and no schema at all."""

from collections import deque
from collections.abc import Callable
from functools import lru_cache
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import BaseModel

from reloadcheck._config.freeze import FrozenDict
from reloadcheck._schema.schema import schema_of
from reloadcheck.exceptions import SchemaClassError, SchemaError

from .models import CANARY, FROZEN, Settings, problems_of


def test_without_a_schema_the_tree_itself_is_frozen() -> None:
    """No schema: a FrozenDict of what the file says, shared with the previous one."""
    schema = schema_of(None)
    config = schema.convert({"a": {"b": [1]}})
    assert type(config) is FrozenDict
    assert config.a.b == [1]
    assert schema.convert({"a": {"b": [1]}}, config) is config
    assert schema.is_plain
    assert not schema_of(Settings).is_plain
    assert schema.field(("a", "b")) is None


def test_a_callable_gets_a_copy_and_may_return_anything() -> None:
    """A function may take its tree apart, and what it returns is the configuration."""
    tree = {"a": {"b": [1]}}
    mine = object()

    def take(given: dict[str, Any]) -> object:
        given["a"]["b"].append(2)
        given.clear()
        return mine

    assert schema_of(take).convert(tree) is mine
    assert tree == {"a": {"b": [1]}}
    assert schema_of(take).field(("a",)) is None
    frozen = schema_of(lambda given: given["a"]).convert(tree)
    assert type(frozen) is FrozenDict


class Silent(Exception):
    """An exception that cannot even be shown."""

    def __str__(self) -> str:
        raise RuntimeError(CANARY)


def _raise(error: Exception) -> Callable[[dict[str, Any]], object]:
    def schema(_: dict[str, Any]) -> object:
        raise error

    return schema


HERE = f"(test_functions.py:{_raise.__code__.co_firstlineno + 2})"


def _endless(_: dict[str, Any]) -> object:
    items: list[Any] = []
    items.append(items)
    return items


@pytest.mark.parametrize(
    ("schema", "reason"),
    [
        (_raise(ValueError(f"no such host: {CANARY}")), f"ValueError {HERE}: no such host: ***"),
        (_raise(KeyError(CANARY)), f"KeyError {HERE}: '***'"),
        (_raise(RuntimeError()), f"RuntimeError {HERE}"),
        (_raise(Silent()), f"Silent {HERE}"),
        (_raise(MemoryError()), f"MemoryError {HERE}"),
        (_endless, "what the schema made contains itself, or nests too deeply"),
    ],
)
def test_a_callables_failure_is_told_without_its_values(schema: Any, reason: str) -> None:
    """Whatever a function raises becomes one problem of the whole document, with its line."""
    assert problems_of(schema, {"host": CANARY}) == {(): reason}


class Inner(BaseModel):
    """A part, as a function's model has it."""

    model_config = FROZEN
    port: int
    token: str


class Outer(BaseModel):
    """What a function makes of the tree."""

    model_config = FROZEN
    db: Inner


PLACED = {("db", "port"): "should be an integer, not a string", ("db", "token"): "is missing"}


def _unpacked(tree: dict[str, Any]) -> Outer:
    return Outer(**tree)


def _validated(tree: dict[str, Any]) -> Outer:
    return Outer.model_validate(tree)


@pytest.mark.parametrize("schema", [_validated, _unpacked])
def test_a_model_inside_a_function_is_told_at_the_key(schema: Any) -> None:
    """As if the model were the schema: no sentence of pydantic's, one problem for each key."""
    assert problems_of(schema, {"db": {"port": CANARY}}) == PLACED


def test_a_model_of_something_else_is_told_as_the_functions() -> None:
    """A key of what the function has made up is no key of the file, though it be called so."""

    def schema(tree: dict[str, Any]) -> Inner:
        part: dict[str, Any] = {**tree["db"], "extra": 1}
        return Inner(**part)

    line = f"ValidationError (test_functions.py:{schema.__code__.co_firstlineno + 2}): "
    with pytest.raises(SchemaError) as caught:
        schema_of(schema).convert({"port": 1, "db": {"port": CANARY}})
    reasons = {(one.key_path, one.reason) for one in caught.value.problems}
    assert reasons == {
        ((), f"{line}port: should be an integer, not a string"),
        ((), f"{line}token: is missing"),
    }


@lru_cache
def get_settings() -> Outer:
    """Return what frameworks call settings."""
    raise AssertionError("never called")


def _of_two(one: object, two: object) -> object:
    return one, two


@pytest.mark.parametrize("schema", [get_settings, _of_two])
def test_a_function_that_takes_no_configuration_is_refused(schema: Any) -> None:
    """At construction, with what a schema function takes, not at the start with a riddle."""
    with pytest.raises(SchemaClassError, match=r"called with the configuration as a mapping"):
        schema_of(schema)


class Changeable(BaseModel):
    """A model that a function might return."""

    a: int


@pytest.mark.parametrize(
    "made", [Changeable(a=1), SimpleNamespace(a=1), deque([1]), bytearray(b"a")], ids=type
)
def test_a_function_may_not_return_what_can_be_changed(made: object) -> None:
    """What a callable schema returns is refused where it could be changed afterwards."""
    with pytest.raises(SchemaError, match=r"can be changed; (use|make it frozen)"):
        schema_of(lambda tree: made).convert({"a": 1})
