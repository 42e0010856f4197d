"""What one variable sets, in the environment or a `.env` file: `DATABASE__URL` sets `database.url`.

Takes a name without its prefix, its text and what lies below; never quotes the text.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final, cast

from ..exceptions import ConfigSyntaxError
from ..types import Key, KeyPath, Origin, Problem, Untyped
from ._nest import MAX_DEPTH, Nest

__all__ = ["put_variable"]

_NEST: Final = "__"
_NULLS: Final = ("null", "Null", "NULL", "~")


def put_variable(nest: Nest, name: str, text: str, below: Mapping[str, Any], place: Origin) -> None:
    """Put a variable into a tree, spelled as the keys that it overrides are."""
    path, old = _key_path(name, below, place)
    nest.put(path, _value(text, old, place), place)


def _key_path(name: str, below: Mapping[str, Any], place: Origin) -> tuple[KeyPath, object]:
    """Return the key path that a variable means, and the value below that it replaces."""
    parts = name.split(_NEST)
    if not all(parts):
        raise _error("names an empty key", place)
    node: object = below
    keys: list[Key] = []
    for part in parts[: MAX_DEPTH + 1]:
        keys.append(_spelled(part, node, place))
        node = cast("Mapping[Key, object]", node).get(keys[-1]) if _is_mapping(node) else None
    return tuple(keys), node


def _spelled(part: str, node: object, place: Origin) -> Key:
    """Spell `part` as the one key of `node` that differs at most in case; else in lower case."""
    keys = cast("Mapping[Key, object]", node if _is_mapping(node) else {})
    found = [key for key in keys if str(key).lower() == part.lower()]
    if len(found) > 1:
        named = " and ".join(str(key) for key in found)
        raise _error(f"could mean either of the keys {named}", place)
    return found[0] if found else part.lower()


def _value(text: str, old: object, place: Origin) -> object:
    """Return what a variable sets: text, unless it replaces a list or lies over a mapping."""
    try:
        text.encode()
    except UnicodeEncodeError:
        raise _error("is not valid UTF-8", place) from None
    if isinstance(old, list):
        from ..parsers import parse_list  # at the first load: no import reads YAML's tables

        return None if text in _NULLS else _placed(parse_list, text, place)
    if _is_mapping(old):
        from ..parsers import parse_mapping

        return None if text in ("", *_NULLS) else _placed(parse_mapping, text, place)
    return Untyped(text)


def _placed(parse: Callable[[str, str], object], text: str, place: Origin) -> object:
    """Parse, and place an error."""
    try:
        return parse(text, place.name)
    except ConfigSyntaxError as error:
        reason = error.reason
    raise _error(reason, place)


def _is_mapping(node: object) -> bool:
    return isinstance(node, Mapping)


def _error(reason: str, place: Origin) -> ConfigSyntaxError:
    return ConfigSyntaxError(Problem(reason, place.name, place.line, place.column))
