"""Frozen containers: read like ordinary ones, changed by nothing, shared where nothing changed.

Long because a frozen container is held to all that an ordinary one does.
"""

import copy
import json
import math
import pickle
import sys
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from pathlib import Path
from timeit import Timer
from typing import Any, NamedTuple, cast

import pytest

from reloadcheck._config.freeze import FrozenDict, FrozenList, FrozenSet, freeze, same_scalar

from .trees import TREE


def tree() -> dict[Any, Any]:
    """Return a copy that a test may edit."""
    return copy.deepcopy(TREE)


AWKWARD = [*dir(dict), "to_dict", "_x", "class", "a-b", "", "__dict__", "__class__", "_sealed", "é"]


@pytest.mark.parametrize("key", AWKWARD)
def test_awkward_keys_are_read_by_item(key: str) -> None:
    """A key may be called like a method or a dunder, and every mapping method still works."""
    config = FrozenDict({key: {"inner": 1}, "plain": 2})
    assert config[key] == {"inner": 1}
    assert config[key].inner == 1
    assert config.get(key) is config[key]
    assert [*config.keys()] == [key, "plain"]
    assert config.to_dict() == {key: {"inner": 1}, "plain": 2}
    assert json.loads(json.dumps(config)) == config
    assert pickle.loads(pickle.dumps(config)) == config
    assert copy.deepcopy(config) == config
    assert isinstance(repr(config), str)
    assert config.plain == 2


@pytest.mark.parametrize("key", ["_x", "class", "é", "database"])
def test_attributes_read_keys(key: str) -> None:
    """A key that is an identifier and no method's name is an attribute."""
    config = FrozenDict({key: 1})
    assert getattr(config, key) == 1


@pytest.mark.parametrize("key", ["__html__", "__fspath__", "__array__", "__wrapped__"])
def test_dunder_keys_promise_no_protocol(key: str) -> None:
    """A key that is called like a protocol's method does not make the config claim to have it."""
    config = FrozenDict({key: 1})
    assert not hasattr(config, key)
    assert config[key] == 1


def test_attributes_are_found_without_a_getattr_hook() -> None:
    """Reading an attribute costs an instance `__dict__` read: no hook is on the way."""
    assert not hasattr(FrozenDict, "__getattr__")
    assert "__getattribute__" not in vars(FrozenDict)
    assert vars(freeze(tree()).database)["url"] == "postgres://db"


@pytest.mark.alone
def test_an_attribute_is_read_no_slower_than_a_plain_dicts_item() -> None:
    """The best of many short runs of each, in turn; a second plain dict shows what chance does."""
    config, items, control = freeze(tree()), tree(), tree()
    read = {
        "config": Timer("x.database.url; x.database", globals={"x": config}),
        "items": Timer('x["database"]["url"]; x["database"]', globals={"x": items}),
        "control": Timer('x["database"]["url"]; x["database"]', globals={"x": control}),
    }
    found = dict.fromkeys(read, math.inf)
    for _ in range(100):
        for name, timer in read.items():
            found[name] = min(found[name], timer.timeit(2_000))
    plain = max(found["items"], found["control"])
    # From 3.14 on an interpreter is quick with the first thirty names of a class alone.
    assert found["config"] <= (plain if sys.version_info < (3, 14) else 2 * plain)


def test_a_missing_attribute_is_an_error_that_names_it() -> None:
    """A misspelt key raises AttributeError, which lets Python suggest the right one."""
    config = freeze(tree())
    with pytest.raises(AttributeError, match="databse") as caught:
        _ = config.databse
    assert caught.value.obj is config
    assert "database" in dir(config)


def test_equality_and_hash() -> None:
    """Frozen values equal their plain twins in any order, and equal ones hash alike."""
    config, again = freeze(tree()), freeze(dict(reversed(tree().items())))
    assert config == TREE
    assert config == again
    assert hash(config) == hash(again)
    assert FrozenList([1, 2]) == [1, 2]
    assert hash(FrozenList([1])) == hash(FrozenList([1]))
    assert FrozenSet({1, 2}) == {2, 1} == frozenset({1, 2})
    assert hash(FrozenSet({1, 2})) == hash(FrozenSet({2, 1}))
    assert {config: 1}[again] == 1


def test_to_dict_is_plain_deep_and_mutable() -> None:
    """What `to_dict` gives is the caller's own."""
    config = freeze(tree() | {"set": {1}, "pair": ([1], 2)})
    given = config.to_dict()
    given["database"]["hosts"][1]["name"] = "changed"
    given["set"].add(2)
    given["pair"][0].append(2)
    assert type(given) is type(given["database"]) is dict
    assert type(given["database"]["hosts"]) is list
    assert config.database.hosts[1].name == "b"
    assert config.set == {1}
    assert config.pair == ([1], 2)


def test_copies() -> None:
    """A shallow copy is the same frozen object; a deep one is built-in and its owner's."""
    config = freeze(tree() | {"set": {1}})
    assert copy.copy(config) is config
    deep = copy.deepcopy(config)
    assert deep == config
    parts: list[object] = [deep, deep["database"], deep["database"]["hosts"], deep["set"]]
    assert [type(part).__name__ for part in parts] == ["dict", "dict", "list", "set"]
    assert type(config.copy()) is dict
    mine = Owned()
    copied: Any = copy.deepcopy(FrozenDict({"mine": mine, "list": [mine]}))
    assert copied["mine"] is not mine
    assert copied["list"][0] is copied["mine"]


class Owned:
    """An object that deepcopy copies."""


def test_pickling_keeps_types() -> None:
    """A frozen tree comes back from pickle frozen at every depth."""
    config = freeze(tree() | {"set": {1, 2}})
    back: Any = pickle.loads(pickle.dumps(config))
    assert back == config
    assert type(back.database) is FrozenDict
    assert type(back.database.hosts) is FrozenList
    assert type(back.set) is FrozenSet
    with pytest.raises(TypeError):
        cast(Any, back.database.hosts).append(1)


def test_the_constructor_freezes_what_is_inside() -> None:
    """A FrozenDict made by hand, as tests do, is frozen at every depth too."""
    config = FrozenDict({"a": {"b": [{"c": 1}]}}, d={1})
    assert config.a.b[0].c == 1
    assert type(config.d) is FrozenSet
    assert FrozenDict() == {}
    assert FrozenDict([("a", 1)]).a == 1


def test_reprs_show_keys_and_never_values() -> None:
    """No repr of ours holds a value, however it is reached."""
    secret, strange = "hunter2", {"\x1b": 1, "\u202e": 2}
    config = freeze({"password": secret, "a-b": 1, "l": [secret], "s": {secret}} | strange)
    assert repr(config) == "FrozenDict(password=…, 'a-b'=…, l=…, s=…, '\\x1b'=…, '\\u202e'=…)"
    for text in (f"{config}", str(config.l), f"{config.s!r}", repr({"x": config})):
        assert "hunter2" not in text
    assert len(repr(FrozenDict({f"k{n}": n for n in range(1000)}))) < 1000


def test_operators_give_plain_results() -> None:
    """Combining frozen values gives the caller ordinary ones and leaves the parts alone."""
    config, items, members = FrozenDict({"a": 1}), FrozenList([1]), FrozenSet({1})
    assert type(config | {"b": 2}) is dict
    assert type(items.__add__([2])) is list
    assert type(items * 2) is list
    assert type(sorted(items)) is list
    assert (config, items, members) == ({"a": 1}, [1], {1})
    assert members | {2} == {1, 2}


def test_an_equal_tree_is_the_previous_object() -> None:
    """A re-read, re-ordered tree freezes to the object that already runs."""
    config = freeze(tree())
    assert freeze(tree(), config) is config
    assert freeze(dict(reversed(tree().items())), config) is config
    assert freeze(config, config) is config
    assert freeze(config) is config


def test_what_did_not_change_is_shared_at_every_depth() -> None:
    """After an edit only the parts on the way to it are new."""
    config: Any = freeze(tree())
    edited = tree()
    edited["database"]["hosts"][1]["name"] = "c"
    after: Any = freeze(edited, config)
    assert after.database is not config.database
    assert after.database.hosts is not config.database.hosts
    assert after.database.pool is config.database.pool
    assert after[5] is config[5]
    assert after == edited
    assert config == TREE
    assert freeze(freeze(edited), config).database.pool is config.database.pool


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ("1", 1),
        (None, False),
        ([1], [True]),
        ([1], [1, 2]),
        ([1, 2], [1]),
        ([], {}),
        ({"a": 1}, {"a": 1, "b": None}),
        ({"a": 1, "b": None}, {"a": 1}),
        ({1: "x"}, {True: "x"}),
        ({"a": {1}}, {"a": {True}}),
        ({"a": frozenset({1})}, {"a": frozenset({1.0})}),
        ((1, [2]), (1, [True])),
        (date(2026, 1, 1), datetime(2026, 1, 1)),
        (
            datetime(2026, 1, 1, tzinfo=UTC),
            datetime(2026, 1, 1, 1, tzinfo=timezone(timedelta(hours=1))),
        ),
        (Decimal("1.0"), Decimal("1.00")),
    ],
)
def test_sharing_is_typed(old: object, new: object) -> None:
    """Values that Python calls equal but people write differently are a change."""
    before = freeze({"x": old, "y": 1})
    after = freeze({"x": new, "y": 1}, before)
    assert after is not before
    assert repr(after.to_dict()) == repr({"x": new, "y": 1})


def test_other_objects_are_kept_and_shared_when_equal() -> None:
    """An object of a foreign class is never copied, and an equal one keeps its part unchanged."""
    before = freeze({"path": Path("/a"), "lock": (mine := Owned())})
    assert before["lock"] is mine
    after = freeze({"path": Path("/a"), "lock": mine}, before)
    assert after is before
    assert freeze({"path": Path("/a"), "lock": Owned()}, before) is not before


class Rude:
    """An object that cannot be compared."""

    def __eq__(self, other: object) -> bool:
        raise RuntimeError

    __hash__ = None  # type: ignore[assignment]


def test_an_object_that_cannot_be_compared_counts_as_changed() -> None:
    """A foreign `__eq__` that raises stops no reload."""
    assert not same_scalar(Rude(), Rude())
    before = freeze({"x": Rude()})
    assert freeze({"x": Rude()}, before) is not before


class Pair(NamedTuple):
    """A tuple with names."""

    left: Any
    right: Any


def test_tuples_keep_their_class() -> None:
    """Lists inside tuples are frozen, and a named tuple stays one."""
    config: Any = freeze({"pair": Pair([1], 2), "bare": (1, [2]), "flat": (1, 2)})
    assert type(config.pair) is Pair
    assert type(config.pair.left) is FrozenList
    assert type(config.bare[1]) is FrozenList
    assert freeze(flat := (1, "a")) is flat
    again: Any = freeze({"pair": Pair([1], 2), "bare": (1, [2]), "flat": (1, 2)}, config)
    assert again is config


def test_nan_is_equal_to_itself() -> None:
    """A value that is not a number, which a schema may make, is no endless change."""
    before = freeze({"x": float("nan")})
    assert freeze({"x": float("nan")}, before) is before
    assert freeze({"x": 1.0}, before) is not before


def test_the_input_is_left_alone() -> None:
    """Freezing a tree changes nothing of it."""
    given = tree()
    config = freeze(given)
    given["database"]["hosts"].append("c")
    assert type(given["database"]) is dict
    assert config == TREE


def test_depth_sixty_four_is_fine_and_pauses_come_often() -> None:
    """The deepest tree that parsers accept freezes; other threads get their turns."""
    deep: dict[str, Any] = {}
    for _ in range(64):
        deep = {"a": deep}
    pauses: list[None] = []
    assert freeze(deep, None, lambda: pauses.append(None)) == deep
    assert pauses == []
    freeze({str(n): n for n in range(1000)}, None, lambda: pauses.append(None))
    assert len(pauses) == 10 + 5  # while it compares, and while it assembles
