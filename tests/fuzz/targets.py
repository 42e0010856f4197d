"""Feed one document to a parser and hold it to its promises; raise `AssertionError` otherwise."""

import json
import tomllib
from collections.abc import Callable, Mapping
from datetime import date, time
from math import isfinite
from typing import Final, cast

import yaml

from reloadcheck.exceptions import ConfigSyntaxError, SourceError
from reloadcheck.parsers import locate, locating_many, parse
from reloadcheck.types import Document, Key, KeyPath

_SCALARS: Final = (str, int, float, date, time, type(None))


class _Oracle(yaml.SafeLoader):
    """The library, but for merge keys, which it reads otherwise from 6.0.4 on.

    Written after the draft of the merge key's type (yaml.org/type/merge.html): an entry of the
    mapping itself wins, then the earlier of the mappings that are merged. What is merged stands
    first, the last of the mappings before the others.
    """

    def flatten_mapping(self, node: yaml.MappingNode) -> None:
        """Replace a node's merge keys by the entries that they stand for, the winning ones last."""
        merged: list[tuple[yaml.Node, yaml.Node]] = []
        own: list[tuple[yaml.Node, yaml.Node]] = []
        for key, value in node.value:
            if key.tag != "tag:yaml.org,2002:merge":
                if key.tag == "tag:yaml.org,2002:value":
                    key.tag = "tag:yaml.org,2002:str"
                own.append((key, value))
                continue
            parts = value.value if isinstance(value, yaml.SequenceNode) else [value]
            for part in reversed(parts):
                assert isinstance(part, yaml.MappingNode), "accepted, though it merges no mapping"
                self.flatten_mapping(part)
                merged += part.value
        node.value = merged + own


def oracle(text: str) -> object:
    """Return what a YAML text means."""
    return cast(object, yaml.load(text, _Oracle))


def _json(text: str) -> object:
    return cast(object, json.loads(text))


_LIBRARIES: Final[Mapping[str, Callable[[str], object]]] = {
    "json": _json,
    "toml": tomllib.loads,
    "yaml": oracle,
}


def check(format_: str, data: bytes) -> bool:
    """Return whether the document is accepted, after holding the answer to every promise."""
    document = Document("fuzz", data, format_)
    try:
        tree = parse(document, lambda: None)
    except (ConfigSyntaxError, SourceError) as error:
        _check_refusal(document, error)
        return False
    expected = _LIBRARIES[format_](data.decode().removeprefix("\ufeff"))
    assert same(expected, tree), "differs from the library"
    with locating_many():
        _check_tree(document, tree)
    return True


def same(left: object, right: object) -> bool:
    """Return whether two trees are equal to the type, the sign of zero and the order of keys."""
    return type(left) is type(right) and repr(left) == repr(right)


def _check_refusal(document: Document, error: ConfigSyntaxError | SourceError) -> None:
    assert error.path == "fuzz"
    assert error.__context__ is None, "a foreign error travels along"
    assert str(error).isprintable()
    lines = document.data.count(b"\n") + 1
    assert error.line is None or 1 <= error.line <= lines
    assert isinstance(error, SourceError) or error.line is not None, "a refusal without a line"
    locate(document, error.key_path)


def _check_tree(document: Document, tree: dict[str, object]) -> None:
    lines = document.data.count(b"\n") + 1
    todo: list[tuple[KeyPath, object]] = [((), tree)]
    count = 0
    while todo:
        path, value = todo.pop()
        if isinstance(value, dict):
            todo += [((*path, key), part) for key, part in _items(cast(dict[str, object], value))]
        elif isinstance(value, list):
            todo += [((*path, key), part) for key, part in enumerate(cast(list[object], value))]
        else:
            _check_scalar(value)
        count += 1
        if count <= 50:
            place = locate(document, path)
            assert place is not None, "an accepted value without a place"
            assert 1 <= place[0] <= lines


def _items(value: dict[str, object]) -> list[tuple[Key, object]]:
    for key in value:
        assert type(key) in (str, int)
    return list(value.items())


def _check_scalar(value: object) -> None:
    assert isinstance(value, _SCALARS), f"a {type(value).__name__} in the tree"
    if type(value) is int:
        assert -(2**63) <= value < 2**63
    if isinstance(value, float):
        assert isfinite(value)
    if isinstance(value, str):
        value.encode()
