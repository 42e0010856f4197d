"""Models of one snapshot and the next: what did not change is shared, and nothing else is."""

import copy
from dataclasses import dataclass, field
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict

from reloadcheck._config.freeze import FrozenList, freeze
from reloadcheck._schema.schema import Schema, schema_of

from .models import CLASSES, TREE, Pool, Settings


@pytest.mark.parametrize("cls", CLASSES)
def test_an_equal_model_is_the_previous_object(cls: type[Any]) -> None:
    """Reading the same content again gives the object that already runs."""
    schema = schema_of(cls)
    config = schema.convert(TREE)
    assert schema.convert(copy.deepcopy(TREE), config) is config
    assert schema.convert(dict(reversed(TREE.items())), config) is config
    assert freeze(config, config) is config
    assert freeze(schema.convert(TREE), config) is config


@pytest.mark.parametrize("cls", CLASSES)
def test_what_did_not_change_in_a_model_is_shared(cls: type[Any]) -> None:
    """After an edit of one part all others are the objects that resources were built from."""
    schema: Schema[Any] = schema_of(cls)
    config = schema.convert(TREE)
    after = schema.convert(TREE | {"hosts": [[1, 2], [4]]}, config)
    assert after is not config
    assert after.hosts == [[1, 2], [4]]
    assert after.hosts[0] is config.hosts[0]
    assert after.pool is config.pool
    assert after.limits is config.limits
    assert after.tags is config.tags
    assert after.pair is config.pair
    assert after.pools is config.pools
    assert config.hosts == [[1, 2], [3]]
    nested = schema.convert(TREE | {"pools": {"p": {"size": 1}, "q": {"size": 9}}}, config)
    assert nested.pools["p"] is config.pools["p"]
    assert nested.pools["q"].size == 9


def test_a_changed_secret_is_a_change() -> None:
    """Two secrets look alike and are still compared by what they hide."""
    schema = schema_of(Settings)
    config = schema.convert({"password": "hunter2"})
    assert schema.convert({"password": "hunter2"}, config) is config
    after = schema.convert({"password": "hunter3"}, config)
    assert after.password.get_secret_value() == "hunter3"
    assert schema.convert({"password": "hunter2", "surplus": [1]}, config) is not config


def test_extras_are_shared_and_compared() -> None:
    """Keys that a model only tolerates count as configuration like any other."""
    schema: Schema[Any] = schema_of(Settings)
    config = schema.convert({"one": [1], "two": [2]})
    assert schema.convert({"two": [2], "one": [1]}, config) is config
    after: Any = schema.convert({"one": [1], "two": [3]}, config)
    assert after.one is config.one
    assert after.two == [3]
    assert schema.convert({"one": [1]}, config) is not config
    assert type(config.one) is FrozenList


@dataclass(frozen=True)
class Working:
    """A dataclass with a field that is not configuration."""

    size: int = 1
    found: list[object] = field(init=False, default_factory=lambda: [object()])


def test_a_dataclass_field_of_its_own_is_frozen_and_not_compared() -> None:
    """What a class makes for itself is read-only too, and no reason for a reload."""
    config = freeze(Working())
    assert type(config.found) is FrozenList
    assert freeze(Working(), config) is config
    assert freeze(Working(2), config) is not config


class Other(BaseModel):
    """A model with the same field as `Pool`."""

    model_config = ConfigDict(frozen=True)
    size: int = 5
    hosts: list[str] = ["a"]


def test_models_of_different_classes_are_never_shared() -> None:
    """A union's other member with equal fields is a change."""
    before = freeze({"x": Pool()})
    after: Any = freeze({"x": Other()}, before)
    assert type(after.x) is Other
