"""The one grammar of key paths, `database.hosts[2]."a.b"`, and the walks along them through a tree.

What `key_path_text` writes, `key_path_of` reads back. For registration, messages and
commands alike.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, cast

from ..exceptions import UsageError
from ..types import Key, KeyPath, printable
from .containers import is_dict, is_list, is_tuple
from .model_fields import field_values

__all__ = ["key_path_of", "leaves", "lookup", "path_key", "step_into"]

_LONGEST_NUMBER: Final = 20

_STEP: Final = re.compile(
    r"""(?:\A|(?!\A)\.)(?:"(?P<quoted>(?:[^"\\]|\\.)*)"|(?P<plain>[^."\[\]]+))|\[(?P<index>\d+)\]"""
)


_ESCAPE: Final = re.compile(r"\\(?:x([0-9a-f]{2})|u([0-9a-f]{4})|U([0-9a-f]{8})|(.))", re.DOTALL)
_LETTERS: Final = {"n": "\n", "r": "\r", "t": "\t"}


def _meant(escape: re.Match[str]) -> str:
    """Return the character that an escape stands for; a letter without a meaning is itself."""
    code = escape[1] or escape[2] or escape[3]
    return chr(int(code, 16)) if code else _LETTERS.get(escape[4], escape[4])


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
            keys.append(_ESCAPE.sub(_meant, step["quoted"]))
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
        own = _own_key(node, key)
        return path_key(own), node[own]
    raise LookupError


def path_key(key: object) -> Key:
    """Return a mapping's key as key paths have it: text or an integer, as in `ports[80]`."""
    return key if type(key) is str or type(key) is int else str(key)


def leaves(tree: object, path: KeyPath = ()) -> Iterator[tuple[KeyPath, object]]:
    """Return each value below a mapping with its key path: what holds no others."""
    if is_dict(tree) and tree:
        for key, part in tree.items():
            yield from leaves(part, (*path, path_key(key)))
    elif path:
        yield path, tree


def _own_key(mapping: Mapping[Any, object], key: Key) -> Key:
    """Return the key as the mapping has it, which may be a number where it is asked for as text."""
    if key in mapping:
        return key
    if isinstance(key, str):
        return int(key) if key.isdecimal() and len(key) < _LONGEST_NUMBER else key
    return str(key)


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
        return mapping[_own_key(mapping, key)]
    fields = field_values(value)
    if fields is not None:
        return fields[str(key)]
    return getattr(value, str(key))
