"""Models inside a snapshot are frozen at every depth: no statement or method changes one."""

from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import FrozenInstanceError
from typing import Any, TypeAlias

import pytest
from pydantic import ValidationError

from reloadcheck._config.freeze import FrozenDict, FrozenList, FrozenSet, freeze
from reloadcheck._schema.schema import schema_of

from .models import CLASSES, TREE, DataPool, StructPool, pydantic_config

Change: TypeAlias = Callable[[Any], object]


def _set_field(config: Any) -> None:
    config.hosts = []


def _set_nested(config: Any) -> None:
    config.pool.size = 1


def _set_in_dict(config: Any) -> None:
    config.pools["p"].size = 1


def _delete_field(config: Any) -> None:
    del config.hosts


def _add_items(config: Any) -> None:
    config.hosts += [[9]]


def _multiply_items(config: Any) -> None:
    config.hosts *= 2


def _merge(config: Any) -> None:
    config.limits |= {"x": [1]}


def _unite(config: Any) -> None:
    config.tags |= {"q"}


def _set_item(config: Any) -> None:
    config.hosts[0] = []


def _set_inner_item(config: Any) -> None:
    config.hosts[0][0] = 9


def _set_key(config: Any) -> None:
    config.limits["a"] = []


def _delete_key(config: Any) -> None:
    del config.limits["a"]


def _set_in_tuple(config: Any) -> None:
    config.pair[0][0] = 9


CHANGES: list[Change] = [
    _set_field,
    _set_nested,
    _set_in_dict,
    _delete_field,
    _add_items,
    _multiply_items,
    _merge,
    _unite,
    _set_item,
    _set_inner_item,
    _set_key,
    _delete_key,
    _set_in_tuple,
    lambda c: c.hosts.append([1]),
    lambda c: c.hosts[0].append(1),
    lambda c: c.hosts.sort(),
    lambda c: c.limits.update(x=[1]),
    lambda c: c.limits["a"].append(1),
    lambda c: c.limits.pop("a"),
    lambda c: c.tags.add("q"),
    lambda c: c.pair[0].append(1),
    lambda c: c.pools.clear(),
    lambda c: c.pools["p"].hosts.append("x"),
    lambda c: c.pool.hosts.clear(),
    lambda c: setattr(c, "anything_else", 1),
]


@pytest.mark.parametrize("change", CHANGES)
@pytest.mark.parametrize("cls", CLASSES)
def test_no_ordinary_syntax_changes_a_model(cls: type[Any], change: Change) -> None:
    """Statements and methods that change a field or what is in it raise, at any depth."""
    config = schema_of(cls).convert(TREE)
    untouched = schema_of(cls).convert(TREE)
    refusals = (TypeError, AttributeError, FrozenInstanceError, ValidationError)
    with pytest.raises(refusals):
        change(config)
    assert config == untouched


@pytest.mark.parametrize("cls", CLASSES)
def test_defaults_are_frozen_too(cls: type[Any]) -> None:
    """A field that the file does not mention is as read-only as the others."""
    config: Any = schema_of(cls).convert({})
    for change in CHANGES:
        with pytest.raises((TypeError, AttributeError, ValidationError)):
            change(config)
    assert config == schema_of(cls).convert({})


STATE_CHANGES: list[Change] = [
    lambda c: c.model_fields_set.add("x"),
    lambda c: c.model_fields_set.clear(),
    lambda c: c.model_extra.update(x=1),
    lambda c: c.surplus.append(1),
    lambda c: c.model_extra["surplus"].append(1),
    lambda c: c._notes.append("x"),
    lambda c: setattr(c, "_notes", []),
    lambda c: setattr(c, "surplus", 1),
    lambda c: c.anything["a"].append(1),
    lambda c: c.chain[0].hosts.append(1),
]


@pytest.mark.parametrize("change", STATE_CHANGES)
def test_a_pydantic_models_other_state_is_frozen(change: Change) -> None:
    """Extras, private attributes and the set of given fields cannot be changed either."""
    config = pydantic_config(surplus=[1], anything={"a": [1]})
    before = config.model_dump(), config.model_dump(exclude_unset=True)
    with pytest.raises((TypeError, ValidationError)):
        change(config)
    assert before == (config.model_dump(), config.model_dump(exclude_unset=True))


def test_odd_containers_become_ordinary_frozen_ones() -> None:
    """Ordered and defaulting dicts, which a schema may make, are frozen as well."""
    config: Any = freeze({"o": OrderedDict(a=[1]), "d": defaultdict(list, b=[1]), "s": {1}})
    assert (type(config.o), type(config.d), type(config.s)) == (FrozenDict, FrozenDict, FrozenSet)
    assert type(config.d.b) is FrozenList


class Mutable:
    """An object that says nothing about itself."""


def test_models_inside_callables_results_are_frozen() -> None:
    """What a callable schema returns is frozen as far as its classes promise it."""
    mine = Mutable()

    def make(tree: dict[str, Any]) -> dict[str, Any]:
        return {"data": DataPool(1, ["x"]), "struct": StructPool(), "mine": mine, "raw": tree}

    config: Any = schema_of(make).convert({"a": [1]})
    assert config["mine"] is mine
    for items in (config.data.hosts, config.struct.hosts, config.raw.a):
        with pytest.raises(TypeError):
            items.append(1)
