"""Models inside a snapshot: frozen at every depth, shared when equal, and otherwise as before.

Long because dataclasses, pydantic and msgspec are each held to the same promises.
"""

import copy
import json
import pickle
from collections import OrderedDict, defaultdict
from collections.abc import Callable
from dataclasses import FrozenInstanceError, dataclass, field, replace
from typing import Any, TypeAlias

import msgspec
import pytest
from pydantic import BaseModel, ConfigDict, PrivateAttr, SecretStr, ValidationError, computed_field
from pydantic.dataclasses import dataclass as pydantic_dataclass

from reloadcheck._config.freeze import FrozenDict, FrozenList, FrozenSet, freeze
from reloadcheck._schema.schema import Schema, schema_of

Change: TypeAlias = Callable[[Any], object]


class Pool(BaseModel):
    """A nested pydantic model."""

    model_config = ConfigDict(frozen=True)
    size: int = 5
    hosts: list[str] = ["a"]


class Settings(BaseModel):
    """A pydantic model with one of each kind of container."""

    model_config = ConfigDict(frozen=True, extra="allow")
    pool: Pool = Pool()
    hosts: list[list[int]] = [[1]]
    limits: dict[str, list[int]] = {"a": [1]}
    tags: set[str] = {"x"}
    fixed: frozenset[str] = frozenset({"x"})
    pair: tuple[list[int], str] = ([1], "a")
    pools: dict[str, Pool] = {"p": Pool()}
    chain: list[Pool] = [Pool()]
    anything: Any = None
    password: SecretStr = SecretStr("hunter2")
    _notes: list[str] = PrivateAttr(default_factory=lambda: ["n"])

    @computed_field  # type: ignore[prop-decorator]
    @property
    def double(self) -> int:
        """Give a value that is computed."""
        return self.pool.size * 2


class StructPool(msgspec.Struct, frozen=True):
    """A nested struct."""

    size: int = 5
    hosts: list[str] = msgspec.field(default_factory=lambda: ["a"])


class StructSettings(msgspec.Struct, frozen=True):
    """A struct with one of each kind of container."""

    pool: StructPool = StructPool()
    hosts: list[list[int]] = msgspec.field(default_factory=lambda: [[1]])
    limits: dict[str, list[int]] = msgspec.field(default_factory=lambda: {"a": [1]})
    tags: set[str] = msgspec.field(default_factory=lambda: {"x"})
    pair: tuple[list[int], str] = msgspec.field(default_factory=lambda: ([1], "a"))
    pools: dict[str, StructPool] = msgspec.field(default_factory=lambda: {"p": StructPool()})


@dataclass(frozen=True, slots=True)
class DataPool:
    """A nested dataclass."""

    size: int = 5
    hosts: list[str] = field(default_factory=lambda: ["a"])


@dataclass(frozen=True)
class DataSettings:
    """A dataclass with one of each kind of container."""

    pool: DataPool = field(default_factory=DataPool)
    hosts: list[list[int]] = field(default_factory=lambda: [[1]])
    limits: dict[str, list[int]] = field(default_factory=lambda: {"a": [1]})
    tags: set[str] = field(default_factory=lambda: {"x"})
    pair: tuple[list[int], str] = ([1], "a")
    pools: dict[str, DataPool] = field(default_factory=lambda: {"p": DataPool()})
    total: int = field(init=False, default=0)


@pydantic_dataclass(frozen=True)
class CheckedSettings:
    """A pydantic dataclass with one of each kind of container."""

    pool: Pool = field(default_factory=Pool)
    hosts: list[list[int]] = field(default_factory=lambda: [[1]])
    limits: dict[str, list[int]] = field(default_factory=lambda: {"a": [1]})
    tags: set[str] = field(default_factory=lambda: {"x"})
    pair: tuple[list[int], str] = field(default_factory=lambda: ([1], "a"))
    pools: dict[str, Pool] = field(default_factory=lambda: {"p": Pool()})


TREE: dict[str, Any] = {
    "pool": {"size": 7, "hosts": ["a", "b"]},
    "hosts": [[1, 2], [3]],
    "limits": {"a": [1], "b": [2]},
    "tags": ["x", "y"],
    "pair": [[1, 2], "z"],
    "pools": {"p": {"size": 1}, "q": {"hosts": []}},
}
CLASSES: list[type[Any]] = [Settings, StructSettings, DataSettings, CheckedSettings]


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


def pydantic_config(**more: Any) -> Settings:
    """Give a frozen configuration."""
    return schema_of(Settings).convert(TREE | more)


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


def test_pydantic_behaves_as_before() -> None:
    """Dumps, copies, equality, hashes and pickles are those of the model nobody froze."""
    given = TREE | {"surplus": [1], "anything": {"a": [1]}}
    loose, config = (
        Settings.model_validate(given),
        pydantic_config(surplus=[1], anything={"a": [1]}),
    )
    assert config == loose
    assert config.model_dump() == loose.model_dump()
    assert config.model_dump(mode="json") == loose.model_dump(mode="json")
    assert json.loads(config.model_dump_json()) == json.loads(loose.model_dump_json())
    assert config.model_dump(exclude_unset=True) == loose.model_dump(exclude_unset=True)
    assert type(config.model_dump()["hosts"]) is list
    assert isinstance(config.tags, set)
    assert config.double == 14
    assert hash(config.pool) == hash(pydantic_config().pool)
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config == copy.copy(config)
    assert Settings.model_validate(config.model_dump(exclude={"double"})) == config


def test_a_copy_of_a_pydantic_model_is_the_callers_own() -> None:
    """`model_copy` with an update works, extras included, and leaves the snapshot as it is."""
    config = pydantic_config(surplus=[1])
    for deep in (False, True):
        other: Any = config.model_copy(update={"hosts": [], "more": 1}, deep=deep)
        assert other.hosts == []
        assert other.model_extra == {"surplus": [1], "more": 1}
        assert other.model_fields_set >= {"hosts", "more"}
    for mine in (copy.copy(config), copy.deepcopy(config)):
        assert mine.model_extra is not None
        mine.model_extra["more"] = 1
        mine.model_fields_set.add("more")
    assert config.hosts == [[1, 2], [3]]
    assert config.model_extra == {"surplus": [1]}
    assert "more" not in config.model_fields_set


def test_msgspec_behaves_as_before() -> None:
    """Encoding, conversion, equality and `replace` are those of the struct nobody froze."""
    loose = msgspec.convert(TREE, StructSettings)
    config = schema_of(StructSettings).convert(TREE)
    assert config == loose
    assert msgspec.json.decode(msgspec.json.encode(config)) == msgspec.json.decode(
        msgspec.json.encode(loose)
    )
    assert msgspec.to_builtins(config, str_keys=True)["hosts"] == [[1, 2], [3]]
    assert msgspec.structs.replace(config, hosts=[]).hosts == []
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config


def test_dataclasses_behave_as_before() -> None:
    """Equality, `replace` and pickling are those of the dataclass nobody froze."""
    config = schema_of(DataSettings).convert(TREE)
    assert config.pool == DataPool(7, ["a", "b"])
    assert replace(config, hosts=[]).hosts == []
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config


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
