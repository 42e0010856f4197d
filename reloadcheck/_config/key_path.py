"""Read a key path the way this package shows one: `database.hosts[2]."a.b"`."""

import re
from collections.abc import Mapping
from typing import Final, cast

from ..exceptions import UsageError
from ..types import Key, KeyPath, printable
from .containers import is_dict, is_list, is_tuple
from .model_fields import field_values

__all__ = ["key_path_of", "step_into"]

_STEP: Final = re.compile(
    r"""(?:\A|\.)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^."\[\]]+))|\[(?P<index>\d+)\]"""
)


def key_path_of(text: str) -> KeyPath:
    """Return the keys; raises `UsageError` for what is no key path."""
    keys: list[Key] = []
    position = 0
    while position < len(text):
        step = _STEP.match(text, position)
        if step is None:
            break
        if step["index"] is not None:
            keys.append(int(step["index"]))
        elif step["quoted"] is not None:
            keys.append(step["quoted"].replace('\\"', '"'))
        else:
            keys.append(step["plain"])
        position = step.end()
    if not keys or position < len(text):
        raise UsageError(f"{printable(text)} is no key path; write it as in database.hosts[2]")
    return tuple(keys)


def step_into(node: object, key: Key) -> tuple[Key, object]:
    """Return what a tree has at a key, and the key as the tree knows it; raises `LookupError`."""
    if is_list(node):
        index = int(key) if isinstance(key, int) or key.isdecimal() else -1
        if not 0 <= index < len(node):
            raise LookupError
        return index, node[index]
    if is_dict(node):
        return str(key), node[str(key)]
    raise LookupError


def lookup(config: object, path: KeyPath) -> object:
    """Return what a configuration has at a path: a field, an item or an index.

    Raises KeyError with the shortest part of the path that is not there.
    """
    for depth, key in enumerate(path, 1):
        try:
            config = _step(config, key)
        except (LookupError, AttributeError, ValueError):
            raise KeyError(path[:depth]) from None
    return config


def _step(value: object, key: Key) -> object:
    if is_list(value) or is_tuple(value):
        return value[int(key)]
    if isinstance(value, Mapping):
        mapping = cast(Mapping[Key, object], value)
        return mapping[key]
    fields = field_values(value)
    if fields is not None:
        return fields[str(key)]
    return getattr(value, str(key))
