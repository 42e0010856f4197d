"""Msgspec's structs: problems that name keys and quote nothing, also where msgspec misleads."""

from typing import Annotated, Any

import msgspec
import pytest

from reloadcheck.types import KeyPath

from .models import CANARY, StructSettings, problems_of

MSGSPEC_CASES: list[tuple[dict[str, Any], KeyPath, str]] = [
    ({}, ("url",), "is missing"),
    ({"url": 5}, ("url",), "should be a string, not an integer"),
    ({"url": None}, ("url",), "should be a string, not null"),
    ({"url": "u", "pool-size": 0}, ("pool-size",), "should be at least 1"),
    ({"url": "u", "pool-size": 101}, ("pool-size",), "should be at most 100"),
    ({"url": "u", "pool-size": CANARY}, ("pool-size",), "should be an integer, not a string"),
    ({"url": "u", "pool-size": True}, ("pool-size",), "should be an integer, not a boolean"),
    ({"url": "u", "pool_size": 5}, ("pool_size",), "is not a known key"),
    ({"url": "u", "hosts": ["a", 5]}, ("hosts", 1), "should be a string, not an integer"),
    ({"url": "u", "kind": CANARY}, ("kind",), "is not one of the values allowed here"),
    (
        {"url": "u", "port": CANARY},
        ("port",),
        "should be an integer or a mapping or null, not a string",
    ),
    (
        {"url": "u", "port": {"b": 1, "a": CANARY}},
        ("port", "a"),
        "should be an integer, not a string",
    ),
    ({"url": "u", "since": CANARY}, ("since",), "Invalid RFC3339 encoded date"),
    ({"url": "u", "name": "a"}, ("name",), "should have length at least 2"),
    ({"url": CANARY}, (), "ValueError: the url '***' is not known"),
]


@pytest.mark.parametrize(("part", "path", "reason"), MSGSPEC_CASES)
def test_msgspec_problems(part: dict[str, Any], path: KeyPath, reason: str) -> None:
    """The first problem is one sentence at the file's own key, also where msgspec tells no key."""
    assert problems_of(StructSettings, {"database": part}) == {("database", *path): reason}
    for key in ("z", "a.b", "a[0]", "[...]", ""):
        tree: dict[str, Any]
        tree = {"database": {"url": "u"}, "services": {str(n): {"url": "u"} for n in range(9)}}
        tree["services"][key] = part
        assert problems_of(StructSettings, tree) == {("services", key, *path): reason}
    assert problems_of(StructSettings, {}) == {("database",): "is missing"}


def test_msgspec_keys_of_the_wrong_type() -> None:
    """A key that is no string is named too."""
    tree = {"database": {"url": "u"}, "services": {"a": {"url": "u"}, 5: {"url": "u"}}}
    assert problems_of(StructSettings, tree) == {
        ("services", 5): "as a key should be a string, not an integer"
    }


class Few(msgspec.Struct, frozen=True):
    """A struct whose mapping cannot be made smaller."""

    limits: Annotated[dict[str, int], msgspec.Meta(min_length=2)]


class Dotless(msgspec.Struct, frozen=True, rename={"x": "a", "y": "a.b"}):
    """A struct whose keys could be mistaken for paths."""

    x: int = 1
    y: int = 1


class Tagged(msgspec.Struct, frozen=True, tag="one"):
    """One member of a union with tags."""


class TaggedToo(msgspec.Struct, frozen=True, tag="two"):
    """Another member."""


class Union(msgspec.Struct, frozen=True):
    """A struct whose errors quote tags."""

    member: Tagged | TaggedToo


class Nested(msgspec.Struct, frozen=True):
    """A struct whose key continues another one's."""

    bcd: int


class Continued(msgspec.Struct, frozen=True, rename={"y": "a.bc"}):
    """A struct with a key that begins like a path."""

    a: Nested
    y: int = 1


def test_msgspec_paths_that_mislead() -> None:
    """A key is named only when it is certain, and keys with dots are read as they stand."""
    assert problems_of(Few, {"limits": {"b": "x", "a": 1, "c": 1}}) == {
        ("limits", "b"): "should be an integer, not a string"
    }
    assert problems_of(Continued, {"a": {"bcd": "x"}, "a.bc": 1}) == {
        ("a", "bcd"): "should be an integer, not a string"
    }
    assert problems_of(Dotless, {"a": 1, "a.b": "x"}) == {
        ("a.b",): "should be an integer, not a string"
    }
    assert problems_of(Union, {"member": {"type": CANARY}}) == {
        ("member", "type"): "Invalid value '***'"
    }
