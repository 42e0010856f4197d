"""Reads a record of a board into a dataclass, as far as it makes sense to this release.

A record may be another release's, or typed by hand. A field that is not there, or is nothing that
its type can be, has its default; what has to be there makes a record that is none.
"""

import json
import math
from collections.abc import Mapping
from functools import cache
from types import UnionType
from typing import Any, Final, TypeVar, get_args, get_origin, get_type_hints

from .._config.containers import is_dict, is_list
from .._runtime.clock import dated

__all__ = ["object_in", "record"]

T = TypeVar("T")
_NOTHING: Final = object()


def object_in(text: str) -> dict[str, Any] | None:
    """Return the JSON object of a text; None for what is none."""
    try:
        found: Any = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if is_dict(found) else None


def record(kind: type[T], found: Any) -> T | None:
    """Return a value of a dataclass, read from a JSON object; None for what cannot be one."""
    if not is_dict(found):
        return None
    given = {
        name: value
        for name, hint in _hints(kind).items()  # type: ignore[arg-type]
        if name in found and (value := _as(hint, found[name])) is not _NOTHING
    }
    try:
        return kind(**given)
    except TypeError:
        return None


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)


def _as(hint: Any, value: Any) -> Any:
    """Return a JSON value as what a type says, `_NOTHING` where it is not one."""
    origin = get_origin(hint)
    if origin is UnionType:
        read = (_as(each, value) for each in get_args(hint))
        return next((one for one in read if one is not _NOTHING), _NOTHING)
    if origin is tuple:
        return _as_tuple(get_args(hint), value)
    if origin is Mapping:
        return _as_mapping(get_args(hint)[1], value)
    if hint is float and type(value) in (int, float):
        return dated(value) if math.isfinite(value) else _NOTHING
    if hasattr(hint, "__dataclass_fields__") and not isinstance(value, hint):
        one = record(hint, value)
        return _NOTHING if one is None else one
    if hint in (int, float) and isinstance(value, bool):
        return _NOTHING
    return value if isinstance(value, hint) else _NOTHING


def _as_tuple(hints: tuple[Any, ...], value: Any) -> Any:
    if not is_list(value):
        return _NOTHING
    if hints[-1] is ...:
        hints = (hints[0],) * len(value)
    read = tuple(map(_as, hints, value)) if len(hints) == len(value) else (_NOTHING,)
    return _NOTHING if _NOTHING in read else read


def _as_mapping(hint: Any, value: Any) -> Any:
    if not is_dict(value):
        return _NOTHING
    read = {str(key): _as(hint, one) for key, one in value.items()}
    return {key: one for key, one in read.items() if one is not _NOTHING}
