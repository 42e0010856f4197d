"""Frozen containers are changed by nothing: no syntax, no method, no method of a later Python."""

from collections.abc import Callable
from types import MappingProxyType
from typing import Any

import pytest

from reloadcheck._config.freeze import FrozenDict, FrozenList, FrozenSet, freeze

from .trees import TREE


def _delete(target: Any) -> None:
    del target["greeting"]


def _or(target: Any) -> None:
    target |= {"x": 1}


def _set_item(target: Any) -> None:
    target["x"] = 1


def _delete_attribute(target: Any) -> None:
    del target.greeting


def _set_attribute(target: Any) -> None:
    target.greeting = 1


DICT_CHANGES: list[Callable[[Any], object]] = [
    _delete,
    _or,
    _set_item,
    _delete_attribute,
    _set_attribute,
    lambda x: x.update({"x": 1}),
    lambda x: x.update(x=1),
    lambda x: x.pop("greeting"),
    lambda x: x.pop("nothing", None),
    lambda x: x.popitem(),
    lambda x: x.setdefault("x", 1),
    lambda x: x.clear(),
    lambda x: x.__init__({"x": 1}),
    lambda x: setattr(x, "_sealed", False),
    lambda x: setattr(x, "to_dict", None),
]


@pytest.mark.parametrize("change", DICT_CHANGES)
@pytest.mark.parametrize("content", [TREE, {}], ids=["full", "empty"])
def test_nothing_changes_a_dict(change: Callable[[Any], object], content: dict[str, Any]) -> None:
    """Each statement and method that changes a dict raises TypeError and changes nothing."""
    config = freeze(dict(content))
    with pytest.raises(TypeError, match="part of a snapshot"):
        change(config)
    assert config == content
    assert vars(config).keys() <= {key for key in content if isinstance(key, str)}


def _plus(target: Any) -> None:
    target += [1]


def _times(target: Any) -> None:
    target *= 2


def _set_index(target: Any) -> None:
    target[0] = 1


def _set_slice(target: Any) -> None:
    target[:] = []


def _delete_index(target: Any) -> None:
    del target[0]


def _delete_slice(target: Any) -> None:
    del target[:]


LIST_CHANGES: list[Callable[[Any], object]] = [
    _plus,
    _times,
    _set_index,
    _set_slice,
    _delete_index,
    _delete_slice,
    lambda x: x.append(1),
    lambda x: x.extend([1]),
    lambda x: x.insert(0, 1),
    lambda x: x.pop(),
    lambda x: x.remove(2),
    lambda x: x.reverse(),
    lambda x: x.sort(),
    lambda x: x.clear(),
    lambda x: x.__init__([9]),
    lambda x: setattr(x, "_sealed", False),
]


@pytest.mark.parametrize("change", LIST_CHANGES)
def test_nothing_changes_a_list(change: Callable[[Any], object]) -> None:
    """Each statement and method that changes a list raises TypeError and changes nothing."""
    items = FrozenList([2, 1])
    with pytest.raises(TypeError, match="part of a snapshot"):
        change(items)
    assert items == [2, 1]


def _set_or(target: Any) -> None:
    target |= {3}


def _set_and(target: Any) -> None:
    target &= {3}


def _set_minus(target: Any) -> None:
    target -= {1}


def _set_xor(target: Any) -> None:
    target ^= {1}


SET_CHANGES: list[Callable[[Any], object]] = [
    _set_or,
    _set_and,
    _set_minus,
    _set_xor,
    lambda x: x.add(3),
    lambda x: x.discard(1),
    lambda x: x.remove(1),
    lambda x: x.pop(),
    lambda x: x.clear(),
    lambda x: x.update({3}),
    lambda x: x.difference_update({1}),
    lambda x: x.intersection_update({1}),
    lambda x: x.symmetric_difference_update({1}),
    lambda x: x.__init__({3}),
    lambda x: setattr(x, "_sealed", False),
]


@pytest.mark.parametrize("change", SET_CHANGES)
def test_nothing_changes_a_set(change: Callable[[Any], object]) -> None:
    """Each statement and method that changes a set raises TypeError and changes nothing."""
    members = FrozenSet({1, 2})
    with pytest.raises(TypeError, match="part of a snapshot"):
        change(members)
    assert members == {1, 2}


@pytest.mark.parametrize(
    ("cls", "frozen", "frozen_twin"),
    [
        (dict, FrozenDict, MappingProxyType),
        (list, FrozenList, tuple),
        (set, FrozenSet, frozenset),
    ],
)
def test_no_method_of_the_builtin_is_forgotten(cls: type, frozen: type, frozen_twin: type) -> None:
    """Every method that a mutable builtin has and its immutable twin lacks is overridden."""
    reading = {*dir(object), *dir(frozen_twin), "copy", "fromkeys", "__reversed__"}
    changing = {name for name in dir(cls) if name not in reading} | {"__init__", "__setattr__"}
    assert len(changing) > 8
    assert changing - vars(frozen).keys() == set()
