"""The configuration as an operator may see it: each value with its origin, secrets hidden.

Takes what is running, gives texts; computed when somebody looks and kept by nobody. What is hidden
is the judgement of `_config/veil.py`, as for the command line and for error messages.
"""

import json
import time
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final, TypeVar

from .._config.containers import is_dict
from .._config.mask import MASK
from .._config.veil import Veil, parts_of, written
from .._load.hidden import veil_of
from .._load.layers import layer_of
from ..parsers import locating_many
from ..seams.feed import Loaded
from ..types import Place, key_path_text, printable

T = TypeVar("T")

MOST_LEAVES: Final = 1_000
"""How many values one page shows."""

_LONGEST: Final = 200
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
    loaded: Loaded[Any],
    places: Sequence[Place],
    also: Collection[str] = (),
    find: str = "",
    public: Collection[str] = (),
) -> Leaves:
    """Return the values of a configuration, the first thousand of them, and where each came from.

    `also` are names of keys that the application calls secret, `public` those that it calls none;
    `find` is what the key paths must contain, in any case. It is not looked for in values, some of
    which are hidden.
    """
    find = find.casefold()
    private = {number for number, place in enumerate(places) if place.confidential}
    veil = veil_of(loaded, places, also, public)
    shown: list[Leaf] = []
    more = 0
    with locating_many():
        for path, value, hidden in _gently(veil.walk(loaded.config)):
            if find and find not in key_path_text(path).casefold():
                continue
            if len(shown) == MOST_LEAVES:
                more += 1
                continue
            layer = layer_of(loaded.layers, path)
            origin = None if layer is None else str(loaded.layers[layer].origin(path))
            hidden = hidden or layer in private or veil.is_private(path)
            text = MASK if hidden else _text(value, veil)
            shown.append(Leaf(key_path_text(path), text, MASK in text, origin))
    return Leaves(tuple(shown), more)


def _gently(leaves: Iterator[T]) -> Iterator[T]:
    """Let other threads have the interpreter now and then, as the reader does while it parses."""
    for count, leaf in enumerate(leaves):
        if count % _VALUES_A_NAP == _VALUES_A_NAP - 1:
            time.sleep(_NAP)
        yield leaf


def _text(value: object, veil: Veil) -> str:
    """Write a value as JSON, cut and escaped; of a foreign object give the class alone."""
    if isinstance(value, Enum):
        return _text(value.value, veil)
    if isinstance(value, str):
        return _quoted(value, veil)
    if veil.hides_number(value):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return json.dumps(value)
    if (text := written(value)) is not None:
        return _quoted(text, veil)
    if isinstance(value, bytes):
        return f"<{len(value)} bytes>"
    if parts_of(value) == []:
        return "{}" if is_dict(value) else "[]"
    return f"<{type(value).__name__}>"


def _quoted(text: str, veil: Veil) -> str:
    text = veil.text(text)
    if text == MASK:
        return MASK
    if len(text) > _LONGEST:
        text = text[:_LONGEST] + "…"
    return printable(json.dumps(text, ensure_ascii=False))
