"""The configuration as an operator may see it: each value with its origin, secrets hidden.

Takes what is running, gives texts; computed when somebody looks and kept by nobody. A value is
hidden when its path or its look says that it is secret, when its source is confidential, and when
the same text stands in a hidden place.
"""

import json
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from datetime import time as clock_time
from decimal import Decimal
from enum import Enum
from functools import partial
from itertools import chain
from pathlib import PurePath
from typing import Any, Final

from .._config.containers import is_dict, is_frozenset, is_list, is_set, is_tuple
from .._config.key_path import path_key
from .._config.model_fields import field_values
from .._config.redact import MASK, is_secret
from .._load.layers import layer_of
from ..parsers import locating_many
from ..seams import Loaded
from ..types import Key, KeyPath, Place, key_path_text, printable

MOST_LEAVES: Final = 1_000
"""How many values one page shows."""

_LONGEST: Final = 200
_SHORT: Final = 3
_DEEPEST: Final = 100
_VALUES_A_NAP, _NAP = 1_000, 0.0002


@dataclass(frozen=True, slots=True)
class Leaf:
    """One value: its key path, what may be shown of it, and where it came from.

    `origin` is None for what no source holds, as a schema's default.
    """

    path: str
    value: str
    hidden: bool
    origin: str | None


@dataclass(frozen=True, slots=True)
class Leaves:
    """The values of a configuration, and how many more there are."""

    shown: tuple[Leaf, ...] = ()
    more: int = 0


def leaves_of(
    loaded: Loaded[Any], places: Sequence[Place], also: Collection[str] = (), find: str = ""
) -> Leaves:
    """Give the values of a configuration, the first thousand of them, and where each came from.

    `also` are names of keys that the application calls secret; `find` is what the key paths must
    contain, in any case. It is not looked for in values, some of which are hidden.
    """
    find = find.casefold()
    private = {number for number, place in enumerate(places) if place.confidential}
    secrets = _secrets(loaded, private, also)
    shown: list[Leaf] = []
    more = 0
    with locating_many():
        for path, value in _gently(_walk((), loaded.config, partial(is_secret, also=also))):
            if find and find not in key_path_text(path).casefold():
                continue
            if len(shown) == MOST_LEAVES:
                more += 1
                continue
            layer = layer_of(loaded.layers, path)
            looks = is_secret(path, value, also=also)
            hidden = looks or layer in private or _is_among(secrets, value)
            origin = None if layer is None else str(loaded.layers[layer].origin(path))
            text = MASK if hidden else _text(value)
            shown.append(Leaf(key_path_text(path), text, hidden, origin))
    return Leaves(tuple(shown), more)


def _secrets(loaded: Loaded[Any], private: set[int], also: Collection[str]) -> set[str]:
    """Give the texts that are secret somewhere, so that they are shown nowhere."""
    found: set[str] = set()
    for path, value in _gently(chain(_walk((), loaded.tree), _walk((), loaded.config))):
        if is_secret(path, value, also=also):
            reveal = getattr(value, "get_secret_value", None)
            value = value if reveal is None else reveal()
            found.update([value] if isinstance(value, str) else [])
    for number in private & set(range(len(loaded.layers))):
        tree = loaded.layers[number].tree
        found.update(value for _, value in _walk((), tree) if isinstance(value, str))
    return {text for text in found if len(text) >= _SHORT}


def _is_among(secrets: set[str], value: object) -> bool:
    return isinstance(value, str) and value in secrets


def _walk(
    path: KeyPath, value: object, closed: Callable[[KeyPath], bool] = lambda path: False
) -> Iterator[tuple[KeyPath, object]]:
    """Give each value that holds no others, with its path; what is `closed` is given whole.

    The keys of a mapping may be as secret as its values.
    """
    parts = _parts(value)
    if not parts or len(path) > _DEEPEST or closed(path):
        yield path, value
        return
    for key, part in parts:
        yield from _walk((*path, key), part, closed)


def _gently(pairs: Iterator[tuple[KeyPath, object]]) -> Iterator[tuple[KeyPath, object]]:
    """Let other threads have the interpreter now and then, as the reader does while it parses."""
    for count, pair in enumerate(pairs):
        if count % _VALUES_A_NAP == _VALUES_A_NAP - 1:
            time.sleep(_NAP)
        yield pair


def _parts(value: object) -> list[tuple[Key, object]] | None:
    mapping = value if is_dict(value) else field_values(value)
    if mapping is not None:
        return [(path_key(key), part) for key, part in mapping.items()]
    if is_list(value) or is_tuple(value):
        return list(enumerate(value))
    if is_set(value) or is_frozenset(value):
        return list(enumerate(sorted(value, key=repr)))
    return None


def _text(value: object) -> str:
    """Write a value as JSON, cut and escaped; of a foreign object give the class alone."""
    if isinstance(value, Enum):
        return _text(value.value)
    if isinstance(value, str):
        return _quoted(value)
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if isinstance(value, date | clock_time | Decimal | PurePath):
        return _quoted(str(value))
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if _parts(value) == []:
        return "{}" if is_dict(value) else "[]"
    return f"<{type(value).__name__}>"


def _quoted(text: str) -> str:
    address, mark, query = text.partition("?")
    if query and "://" in address:  # what follows may be a key
        text = address + mark + MASK
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    return printable(json.dumps(text, ensure_ascii=False))
