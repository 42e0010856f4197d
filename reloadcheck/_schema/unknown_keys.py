"""Find the keys of a tree that its schema does not know, and the key that was probably meant.

Takes annotations of pydantic, msgspec, dataclasses and typed dicts; where a schema takes any key,
or does not tell, nothing is unknown.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any, Final

from .._config.containers import is_dict, is_list
from ..types import KeyPath, Pause, key_path_text, no_pause
from .annotations import container_of, members_of, parameters_of, union_of
from .class_fields import class_fields, takes_extras

__all__ = ["UNKNOWN", "Unknown", "closest", "unknown_keys"]

UNKNOWN: Final = "is not a known key"
_NODES_A_PAUSE = 200


@dataclass(frozen=True, slots=True)
class Unknown:
    """A key that the schema does not know; `meant` is the known key that is most like it."""

    path: KeyPath
    meant: str | None

    @property
    def reason(self) -> str:
        """Return what a problem says of it."""
        meaning = "" if self.meant is None else f"; did you mean {key_path_text((self.meant,))}?"
        return f"{UNKNOWN}{meaning}"


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a mapping may hold: annotations by key, or one for any key when it is open."""

    fields: Mapping[str, Any]
    is_open: bool = False
    values: tuple[Any, ...] = ()


@dataclass(slots=True)
class _Plan:
    """What may stand somewhere; `items` is None where a list can hold nothing with keys."""

    annotation: object  # held, so that its identity becomes no other's
    shapes: Sequence[_Shape | None]
    items: Any
    known: dict[str, "_Plan | None"]


def unknown_keys(annotation: object, tree: object, pause: Pause = no_pause) -> Iterator[Unknown]:
    """Walk a tree beside its annotation; `pause` is called between small portions of it.

    Keys that start with `x-` are never unknown: by custom they hold what anchors refer to.
    """
    walk = _Walk(pause)
    return walk.unknown(walk.plan(annotation), tree, ())


class _Walk:
    """One walk over one tree; what an annotation means is found out once."""

    def __init__(self, pause: Pause) -> None:
        self._pause = pause
        self._nodes = 0
        self._plans: dict[int, _Plan] = {}

    def plan(self, annotation: Any) -> _Plan:
        known = self._plans.get(id(annotation))
        if known is None:
            members = list(_members(annotation))
            parts = [part for member in members for part in _items(member)]
            items = union_of(parts) if any(list(_members(part)) for part in parts) else None
            known = _Plan(annotation, [_shape(member) for member in members], items, {})
            self._plans[id(annotation)] = known
        return known

    def unknown(self, plan: _Plan, tree: object, path: KeyPath) -> Iterator[Unknown]:
        if is_dict(tree):
            yield from self._in_mapping(plan, tree, path)
        elif is_list(tree) and plan.items is not None:
            inner = self.plan(plan.items)
            for index, part in enumerate(tree):
                yield from self.unknown(inner, part, (*path, index))

    def _in_mapping(self, plan: _Plan, tree: Mapping[Any, Any], path: KeyPath) -> Iterator[Unknown]:
        told = [shape for shape in plan.shapes if shape is not None]
        if not told or len(told) < len(plan.shapes):
            return
        for key, part in tree.items():
            self._nodes += 1
            if self._nodes % _NODES_A_PAUSE == 0:
                self._pause()
            if key not in plan.known:
                plan.known[key] = self._inner(told, key)
            inner = plan.known[key]
            if inner is not None:
                yield from self.unknown(inner, part, (*path, key))
            elif not any(shape.is_open for shape in told) and not _is_extension(key):
                names = {name for shape in told for name in shape.fields}
                meant = closest(str(key), names - set(tree)) or closest(str(key), names)
                yield Unknown((*path, key), meant)

    def _inner(self, told: Sequence[_Shape], key: Any) -> _Plan | None:
        inner = [shape.fields[key] for shape in told if key in shape.fields]
        inner += [value for shape in told if key not in shape.fields for value in shape.values]
        return self.plan(union_of(inner)) if inner else None


def closest(key: str, names: Iterable[str]) -> str | None:
    """Return the name that was probably meant by a key; None when nothing is like it.

    `BASE-URL` is like `base_url`: by their letters they are the same.
    """
    letters: dict[str, str] = {}
    for name in sorted(names):
        letters.setdefault(_letters(name), name)
    found = get_close_matches(_letters(key), list(letters), n=1)
    return letters[found[0]] if found else None


def _letters(name: str) -> str:
    return name.casefold().replace("-", "_")


def _is_extension(key: object) -> bool:
    return isinstance(key, str) and key.lower().startswith("x-")


def _members(annotation: Any) -> Iterator[Any]:
    """Return what may stand there and hold something."""
    for member in members_of(annotation):
        if getattr(member, "__pydantic_root_model__", False):
            yield from _members(member.model_fields["root"].annotation)
        elif member not in (str, int, float, bool, bytes, NoneType):
            yield member


def _shape(annotation: Any) -> _Shape | None:
    """Return what a mapping of this annotation may hold; None when there is no telling."""
    fields = class_fields(annotation)
    if fields is not None:
        named = {key: field.annotation for field in fields for key in field.keys}
        return _Shape(named, is_open=takes_extras(annotation))
    container = container_of(annotation)
    if container is dict and parameters_of(annotation, 2) != (Any, Any):
        return _Shape({}, is_open=True, values=parameters_of(annotation, 2)[1:])
    return None if container in (None, dict) else _Shape({}, is_open=True)


def _items(annotation: Any) -> Iterator[Any]:
    """Return the annotations of what a list of this annotation may hold."""
    container = container_of(annotation)
    if container not in (None, dict):
        yield from parameters_of(annotation, 1)
    elif annotation is Any:
        yield Any
