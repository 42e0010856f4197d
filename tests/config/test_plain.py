"""A configuration given to what takes built-in types alone: copies, dumpers, serializers."""

from dataclasses import dataclass, field
from datetime import date
from typing import Any, NamedTuple

import attrs
import msgspec
import pytest
import yaml
from pydantic import BaseModel, ConfigDict, SecretStr

from reloadcheck import FrozenDict, ReloadCheck, plain
from reloadcheck._config.containers import is_dict, is_list, is_tuple
from reloadcheck._schema.schema import schema_of
from reloadcheck.testing import MemorySource


class Pool(BaseModel):
    """A part."""

    model_config = ConfigDict(frozen=True)
    size: int = 1


class ByPydantic(BaseModel):
    """A schema by pydantic."""

    model_config = ConfigDict(frozen=True, extra="allow")
    hosts: list[str]
    pools: dict[str, Pool]
    tags: set[int]
    pair: tuple[list[int], int]


class StructPool(msgspec.Struct, frozen=True):
    """A part."""

    size: int = 1


class ByMsgspec(msgspec.Struct, frozen=True):
    """A schema by msgspec."""

    hosts: list[str]
    pools: dict[str, StructPool]
    tags: set[int]
    pair: tuple[list[int], int]


@dataclass(frozen=True)
class DataPool:
    """A part."""

    size: int = 1


@dataclass(frozen=True)
class ByDataclass:
    """A schema that is a dataclass."""

    hosts: list[str]
    pools: dict[str, DataPool] = field(default_factory=dict)
    tags: set[int] = field(default_factory=set)
    pair: tuple[list[int], int] = ([], 1)


@attrs.frozen
class ByAttrs:
    """A schema by attrs."""

    hosts: list[str]
    pools: dict[str, DataPool]
    tags: set[int]
    pair: tuple[list[int], int]


class Point(NamedTuple):
    """A tuple with names."""

    x: int


TREE: dict[str, Any] = {
    "hosts": ["a"],
    "pools": {"x": {"size": 2}},
    "tags": [1, 2],
    "pair": [[1], 2],
}


def exact(value: Any) -> Any:
    """Return the exact types of a value, at every depth."""
    if is_dict(value):
        return dict, {key: exact(part) for key, part in value.items()}
    if is_list(value) or is_tuple(value):
        return type(value), [exact(part) for part in value]
    return value.__class__


@pytest.mark.parametrize("schema", [ByPydantic, ByMsgspec, ByDataclass, ByAttrs])
def test_every_kind_of_schema_is_given_as_built_in_containers(schema: Any) -> None:
    """Deep, of exact types, and its owner may change it without changing the snapshot."""
    config = schema_of(schema).convert(TREE)
    mine = plain(config)
    expected = {"hosts": ["a"], "pools": {"x": {"size": 2}}, "tags": {1, 2}, "pair": ([1], 2)}
    assert (mine, exact(mine)) == (expected, exact(expected))
    mine["hosts"].append("b")
    mine["pair"][0].clear()
    assert config.hosts == ["a"]
    assert config.pair == ([1], 2)


def test_without_a_schema_and_of_parts_and_of_single_values() -> None:
    """Any part of a configuration may be given; what holds nothing else is kept."""
    point = Point(1)
    secret, day = SecretStr("s"), date(2026, 1, 2)
    config = FrozenDict({"a": [{"b": {1}}], "secret": secret, "day": day, "at": point})
    mine = plain(config)
    assert mine == {"a": [{"b": {1}}], "secret": secret, "day": day, "at": (1,)}
    assert exact(mine) == exact({**mine, "at": (1,)})
    assert mine["secret"] is secret
    assert plain(config.a) == [{"b": {1}}]
    assert plain(frozenset({1})) == frozenset({1})
    assert plain(5) == 5
    extra = schema_of(ByPydantic).convert(TREE | {"more": [1]})
    assert exact(plain(extra)["more"]) == (list, [int])


DUMPS: list[Any] = [getattr(yaml, name) for name in ("safe_dump", "dump")]


@pytest.mark.parametrize("dump", DUMPS)
def test_yaml_dumpers_know_the_types_of_a_configuration(dump: Any) -> None:
    """What was loaded can be dumped, sets included, as if it were built-in."""
    tree = {"hosts": ["a", {"b": 1}], "limits": {"low": 1}}
    live = ReloadCheck(MemorySource(tree, "a.json"))
    live.start()
    assert dump(live.snapshot.config) == dump(tree)
    assert dump(FrozenDict({"x": {1}})) == dump({"x": {1}})
    live.close()
