"""Digests: equal for equal content, different for anything that reads differently."""

from datetime import UTC, date, datetime, time
from itertools import combinations
from typing import Any

import pytest
from blake3 import blake3

from reloadcheck._config.digest import source_digest, tree_digest
from reloadcheck._config.freeze import FrozenDict, freeze
from reloadcheck.types import Document, Untyped, Verbatim

DIFFERENT: list[Any] = [
    {},
    {"a": None},
    {"a": ""},
    {"a": "1"},
    {"a": Untyped("1")},
    {"a": Untyped("")},
    {"a": 1},
    {"a": True},
    {"a": 1.0},
    {"a": -1},
    {"a": 0},
    {"a": 0.0},
    {"a": -0.0},
    {"a": False},
    {"a": b"1"},
    {"a": "None"},
    {"a": []},
    {"a": {}},
    {"a": [1, 2]},
    {"a": [2, 1]},
    {"a": [12]},
    {"a": [[1], 2]},
    {"a": [[1, 2]]},
    {"a": (1, 2)},
    {"a": {1, 2}},
    {"a": {"b": 1}},
    {"a": 1, "b": 1},
    {"a": {"b": {}}},
    {"a": {}, "b": {}},
    {1: "x"},
    {True: "x"},
    {1.0: "x"},
    {"1": "x"},
    {None: "x"},
    {"": 1},
    {"a": date(2026, 1, 1)},
    {"a": datetime(2026, 1, 1)},
    {"a": datetime(2026, 1, 1, tzinfo=UTC)},
    {"a": "2026-01-01"},
    {"a": time(1, 2)},
    {"a": 2**63 - 1},
    {"a": float(2**63)},
    {date(2026, 1, 1): 1},
    {(1, 2): 1},
]


def test_trees_that_read_differently_have_different_digests() -> None:
    """No two of these share a digest, however alike Python finds them."""
    for left, right in combinations(DIFFERENT, 2):
        assert tree_digest(left) != tree_digest(right), (left, right)


@pytest.mark.parametrize("tree", DIFFERENT, ids=repr)
def test_frozen_and_plain_trees_share_a_digest(tree: dict[Any, Any]) -> None:
    """The digest is of the content, not of the containers it is held in."""
    assert tree_digest(freeze(tree)) == tree_digest(tree)


def test_untyped_text_has_one_digest_wherever_it_comes_from() -> None:
    """A secret's file and a variable mean the same to a field; a typed string may not."""
    assert tree_digest({"a": Verbatim("x")}) == tree_digest({"a": Untyped("x")})


def test_the_order_of_keys_does_not_matter() -> None:
    """Workers whose files order their keys differently show one digest."""
    tree = {"b": {"y": 1, "x": [1]}, 1: 2, "a": 3, None: 4}
    turned = {None: 4, "a": 3, "b": {"x": [1], "y": 1}, 1: 2}
    assert tree_digest(tree) == tree_digest(turned)
    colliding = {0, 8}, {8, 0}
    assert [*colliding[0]] != [*colliding[1]]
    assert tree_digest({"a": colliding[0]}) == tree_digest({"a": colliding[1]})


def test_the_canonical_form_is_fixed() -> None:
    """Every process agrees: the form is tags, lengths and content, keys in order of their bytes."""

    def size(number: int) -> bytes:
        return number.to_bytes(8, "big")

    form = b"m" + size(2) + b"s" + size(1) + b"a" + b"l" + size(2) + b"i" + size(2) + b"1f" + b"n"
    form += b"s" + size(1) + b"b" + b"t"
    assert tree_digest({"b": True, "a": [31, None]}) == blake3(form).hexdigest()
    long = b"l" + size(3000) + (b"s" + size(20) + b"x" * 20) * 3000
    assert tree_digest(["x" * 20] * 3000) == blake3(long).hexdigest()


def test_large_trees_are_hashed_in_portions() -> None:
    """Other threads get their turns, and where a portion ends changes nothing."""
    tree = {f"key{n}": "x" * 100 for n in range(1000)}
    pauses: list[None] = []
    digest = tree_digest(tree, lambda: pauses.append(None))
    assert len(pauses) == 10 + 1  # the keys are sorted in two runs
    assert digest == tree_digest(dict(reversed(tree.items())))
    assert digest != tree_digest(tree | {"key999": "y" * 100})
    assert len(digest) == 64


def test_lone_surrogates_do_not_stop_it() -> None:
    """A string that UTF-8 cannot write still has a digest of its own."""
    assert tree_digest({"a": "\ud800"}) != tree_digest({"a": "\ud801"})


def test_what_no_parser_makes_is_refused_without_quoting_it() -> None:
    """An object without a canonical form is an error that names its type alone."""
    with pytest.raises(TypeError, match="complex") as caught:
        tree_digest({"a": 8675309j})
    assert "8675309" not in str(caught.value)


def doc(name: str, data: bytes, kind: str = "yaml") -> Document:
    """Return a document."""
    return Document(name, data, kind)


def test_source_digests_frame_names_formats_and_bytes() -> None:
    """Moving a byte between two documents, a name or a format changes the digest."""
    sets = [
        [],
        [doc("a", b"")],
        [doc("a", b"x")],
        [doc("ax", b"")],
        [doc("a", b"x", "json")],
        [doc("a", b"x"), doc("b", b"y")],
        [doc("b", b"y"), doc("a", b"x")],
        [doc("a", b"xb"), doc("", b"y")],
        [doc("a", b""), doc("b", b"xy")],
        [doc("a", b"x"), doc("b", b"y"), doc("c", b"")],
    ]
    digests = {source_digest(documents) for documents in sets}
    assert len(digests) == len(sets)
    assert source_digest([doc("a", b"x")]) == source_digest([doc("a", b"x")])
    forged = b"n" + b"\0" * 7 + b"\1bf" + b"\0" * 7 + b"\4yaml"
    assert source_digest([doc("a", b"x" + forged)]) != source_digest(
        [doc("a", b"x"), doc("b", b"")]
    )
    assert source_digest([doc("\udcff", b"x")]) != source_digest([doc("a", b"x")])


def test_an_empty_frozen_dict_is_an_empty_mapping() -> None:
    """A configuration with nothing in it has a digest like any other."""
    assert tree_digest(FrozenDict()) == tree_digest({})
