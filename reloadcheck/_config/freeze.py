"""Takes a tree or a validated model and gives it back read-only at every depth.

Each part that did not change is the *previous* object, so "did `database` change?" is answered by
`is`. Never looks at a clock, never does I/O, never changes what is already published.
"""

from collections.abc import Callable
from datetime import date, datetime, time
from itertools import chain, repeat
from operator import is_
from sys import intern
from typing import Any, TypeVar, overload

from ..types import Pause, no_pause
from .containers import (
    FrozenDict,
    FrozenList,
    FrozenSet,
    is_attribute,
    is_dict,
    is_frozen,
    is_frozenset,
    is_list,
    is_set,
    is_tuple,
    only_text,
    plain,
    typed,
)
from .model_fields import freeze_fields, is_immutable, kind_of

__all__ = ["FrozenDict", "FrozenList", "FrozenSet", "freeze", "is_frozen", "plain", "same_scalar"]

T = TypeVar("T")
_ABSENT = object()
_PLAIN_SCALARS = frozenset({str, int, bool, bytes, type(None), date})
# These call values equal that are written differently: 0.0 and -0.0, one instant in two zones.
_WRITTEN: dict[type, Callable[[Any], object]] = {
    float: float.hex,
    datetime: datetime.isoformat,
    time: time.isoformat,
}
_NODES_A_PAUSE = 100
_KEYS_A_PAUSE = 200


@overload
def freeze(
    value: dict[str, Any], previous: object = None, pause: Pause = no_pause
) -> FrozenDict: ...
@overload
def freeze(value: T, previous: object = None, pause: Pause = no_pause) -> T: ...
def freeze(value: object, previous: object = None, pause: Pause = no_pause) -> object:
    """Return `value` read-only, as a dict, list, set or frozen model of the same content.

    Parts equal to those of `previous`, an earlier result, are taken from there; `previous` itself
    is given when all are. Equal is typed (`1` is neither `True` nor `1.0`) and ignores the order
    of keys. Objects of other classes are kept as they are. `pause` is called between small
    portions of work. A model's fields are replaced in place, so freeze it before it is shared.
    """
    return _Freezing(pause).part(value, previous)


def same_scalar(left: object, right: object) -> bool:
    """Return whether two values that contain nothing else have one type and one written form."""
    if type(left) is not type(right):
        return False
    written = _WRITTEN.get(type(left))
    if written is None and type(left).__module__ == "decimal":  # imported by who makes them
        written = str
    if written is not None:
        return written(left) == written(right)
    try:
        return bool(left == right)
    except Exception:  # a foreign `__eq__`
        return False


class _Freezing:
    """One walk over one value; counts the nodes it visits."""

    __slots__ = ("_nodes", "_pause")

    def __init__(self, pause: Pause) -> None:
        self._nodes = 0
        self._pause = pause

    def part(self, value: object, previous: Any) -> Any:
        self._count()
        if value is previous:
            return value
        kind: type = type(value)
        if kind in _PLAIN_SCALARS:
            return previous if type(previous) is kind and previous == value else value
        if is_dict(value):
            return self._mapping(value, previous)
        if is_list(value):
            return self._list(value, previous)
        if is_set(value) or is_frozenset(value):
            return self._set(value, previous)
        if is_tuple(value):
            return self._tuple(value, previous)
        model = kind_of(kind)
        if model is not None and is_immutable(kind, model):
            return freeze_fields(value, previous, model, self.part)
        return previous if same_scalar(value, previous) else value

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes % _NODES_A_PAUSE == 0:
            self._pause()

    def _mapping(self, value: dict[Any, Any], previous: Any) -> Any:
        old = previous if isinstance(previous, FrozenDict) else FrozenDict()
        same = previous is old and len(old) == len(value) and _same_keys(old, value)
        fresh = not isinstance(value, FrozenDict)
        parts: dict[Any, Any] = {}
        part: object
        for key, part in value.items():
            before = old.get(key, _ABSENT)
            kind = type(part)
            if kind not in _PLAIN_SCALARS:
                frozen = self.part(part, before)
            else:
                self._count()
                frozen = before if type(before) is kind and before == part else part
            if frozen is not before:
                same = False
            if frozen is not part:
                fresh = True
            parts[key] = frozen
        if same:
            return old
        return self._assembled(parts) if fresh else value

    def _assembled(self, parts: dict[Any, Any]) -> FrozenDict:
        items: dict[Any, Any] = {}
        attributes: dict[str, Any] = {}
        for count, (key, part) in enumerate(parts.items(), start=1):
            if count % _KEYS_A_PAUSE == 0:
                self._pause()
            if type(key) is not str:
                items[key] = part
                continue
            name = intern(key)
            items[name] = part
            if is_attribute(name):
                attributes[name] = part
        return FrozenDict.assembled(items, attributes)

    def _list(self, value: list[Any], previous: Any) -> Any:
        old: list[Any] = previous if is_list(previous) and is_frozen(previous) else []
        parts, same = self._items(value, old)
        if same and old is previous:
            return old
        untouched = isinstance(value, FrozenList) and _identical(parts, value)
        return value if untouched else FrozenList(parts)

    def _tuple(self, value: tuple[Any, ...], previous: Any) -> Any:
        old = previous if type(previous) is type(value) else ()
        parts, same = self._items(value, old)
        if same and old is previous:
            return previous
        if _identical(parts, value):
            return value
        make: Callable[[list[Any]], Any] = getattr(type(value), "_make", type(value))
        return make(parts)

    def _items(
        self, value: list[Any] | tuple[Any, ...], old: list[Any] | tuple[Any, ...]
    ) -> tuple[list[Any], bool]:
        same = len(old) == len(value)
        parts: list[Any] = []
        part: object
        for part, before in zip(value, chain(old, repeat(_ABSENT)), strict=False):
            kind = type(part)
            if kind not in _PLAIN_SCALARS:
                frozen = self.part(part, before)
            else:
                self._count()
                frozen = before if type(before) is kind and before == part else part
            if frozen is not before:
                same = False
            parts.append(frozen)
        return parts, same

    def _set(self, value: set[Any] | frozenset[Any], previous: Any) -> Any:
        frozen = value if isinstance(value, frozenset | FrozenSet) else FrozenSet(value)
        if type(previous) is not type(frozen) or previous != frozen:
            return frozen
        return previous if set(map(typed, previous)) == set(map(typed, frozen)) else frozen


def _identical(left: Any, right: Any) -> bool:
    return len(left) == len(right) and all(map(is_, left, right))


def _same_keys(old: dict[Any, Any], new: dict[Any, Any]) -> bool:
    """Return whether keys that are no strings have the same types; `1` finds `True` in a dict."""
    if only_text(new):
        return True
    return set(map(typed, old)) == set(map(typed, new))
