"""The diff: which key paths changed, came and went, by type and never by value."""

import copy
from datetime import date
from typing import Any

import pytest

from reloadcheck._config.diff import diff
from reloadcheck._config.freeze import freeze
from reloadcheck.types import Diff, key_path_text

BASE: dict[Any, Any] = {
    "database": {"url": "x", "pool": {"size": 5}},
    "hosts": [{"name": "a"}, {"name": "b"}],
    "greeting": "hello",
    5: {"a.b": 1},
}


def edited(**more: Any) -> dict[Any, Any]:
    """Return a copy of the tree with other values at its top."""
    return copy.deepcopy(BASE) | more


CASES: list[tuple[str, dict[Any, Any], Diff]] = [
    ("nothing", edited(), Diff()),
    ("a leaf", edited(greeting="hi"), Diff(changed=(("greeting",),))),
    (
        "a nested leaf",
        edited(database={"url": "x", "pool": {"size": 6}}),
        Diff(changed=(("database", "pool", "size"),)),
    ),
    (
        "a key more",
        edited(database={"url": "x", "pool": {"size": 5}, "new": {"deep": 1}}),
        Diff(added=(("database", "new"),)),
    ),
    ("a key less", edited(database={"url": "x"}), Diff(removed=(("database", "pool"),))),
    (
        "an item",
        edited(hosts=[{"name": "a"}, {"name": "c"}]),
        Diff(changed=(("hosts", 1, "name"),)),
    ),
    ("a longer list", edited(hosts=[{"name": "a"}]), Diff(changed=(("hosts",),))),
    ("another shape", edited(database=None), Diff(changed=(("database",),))),
    ("a list for a mapping", edited(database=["x"]), Diff(changed=(("database",),))),
    ("a key that is a number", {**edited(), 5: {"a.b": 2}}, Diff(changed=((5, "a.b"),))),
]


@pytest.mark.parametrize("frozen", [False, True])
@pytest.mark.parametrize(("tree", "expected"), [c[1:] for c in CASES], ids=[c[0] for c in CASES])
def test_paths(tree: dict[Any, Any], expected: Diff, frozen: bool) -> None:
    """Each edit is told by the shortest key path that covers it, in plain and frozen trees."""
    old: Any = freeze(BASE) if frozen else BASE
    new: Any = freeze(tree, old) if frozen else tree
    assert diff(old, new) == expected
    assert bool(diff(old, new)) is bool(expected != Diff())


def test_the_reverse_swaps_added_and_removed() -> None:
    """Going back is the same diff the other way round."""
    new = edited(extra=1)
    assert diff(BASE, new) == Diff(added=(("extra",),))
    assert diff(new, BASE) == Diff(removed=(("extra",),))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (1, True),
        (1, 1.0),
        (0.0, -0.0),
        ("1", 1),
        (None, ""),
        ((1,), (True,)),
        ({1}, {True}),
        ([1], (1,)),
        (date(2026, 1, 1), "2026-01-01"),
    ],
)
def test_it_is_typed(old: object, new: object) -> None:
    """What Python calls equal and people write differently is a change."""
    assert diff({"a": old}, {"a": new}) == Diff(changed=(("a",),))
    assert not diff({"a": old}, {"a": old})
    assert not diff({"a": copy.deepcopy(old)}, {"a": old})


def test_keys_are_typed() -> None:
    """The keys `1` and `true` are two keys."""
    assert diff({1: "x"}, {True: "x"}) == Diff(added=(("True",),), removed=((1,),))


def test_the_order_of_keys_does_not_matter() -> None:
    """A re-ordered file is no change."""
    assert not diff(BASE, dict(reversed(BASE.items())))


def test_no_value_is_in_it() -> None:
    """What a diff shows holds keys alone."""
    assert "hunter2" not in repr(diff({"a": "hunter2"}, {"a": "hunter2x", "b": "hunter2"}))


def test_shared_parts_cost_nothing() -> None:
    """A one-value edit of a large configuration looks only along the path to it."""
    big = {f"part{n}": {f"key{m}": m for m in range(200)} for n in range(100)}
    old = freeze(big)
    new = freeze(big | {"part7": {**big["part7"], "key3": "new"}}, old)
    pauses: list[None] = []
    assert diff(old, new, lambda: pauses.append(None)) == Diff(changed=(("part7", "key3"),))
    assert len(pauses) == 3
    diff(big, copy.deepcopy(big), lambda: pauses.append(None))
    assert len(pauses) > 200


def test_a_key_of_megabytes_is_cut_where_it_is_shown() -> None:
    """Of each key a path shows two hundred characters, so that no log or history is filled."""
    shown = key_path_text(("a", "b" * 3_000_000, "c d" * 1_000_000, 0))
    assert shown.startswith('a."' + "b" * 200 + '…"."c dc d')
    assert len(shown) < 450
