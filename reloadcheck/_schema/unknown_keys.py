"""Find the keys of a tree that its schema does not know, and the key that was probably meant.

Takes annotations of pydantic, msgspec, dataclasses and typed dicts; where a schema takes any key,
or does not tell, nothing is unknown.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType
from typing import Any

from .._config.containers import is_dict, is_list
from ..types import KeyPath
from .class_fields import class_fields, takes_extras
from .members import container_of, members_of, parameters_of, union_of

__all__ = ["Unknown", "unknown_keys"]


@dataclass(frozen=True, slots=True)
class Unknown:
    """A key that the schema does not know; `meant` is the known key that is most like it."""

    path: KeyPath
    meant: str | None


@dataclass(frozen=True, slots=True)
class _Shape:
    """What a mapping may hold: annotations by key, or one for any key when it is open."""

    fields: Mapping[str, Any]
    is_open: bool = False
    values: tuple[Any, ...] = ()


def unknown_keys(annotation: object, tree: object, path: KeyPath = ()) -> Iterator[Unknown]:
    """Walk a tree beside its annotation."""
    members = list(_members(annotation))
    if is_dict(tree):
        yield from _in_mapping([_shape(member) for member in members], tree, path)
    elif is_list(tree):
        inner = union_of([part for member in members for part in _items(member)])
        for index, part in enumerate(tree):
            yield from unknown_keys(inner, part, (*path, index))


def _in_mapping(
    shapes: Sequence[_Shape | None], tree: Mapping[str, Any], path: KeyPath
) -> Iterator[Unknown]:
    told = [shape for shape in shapes if shape is not None]
    if not told or len(told) < len(shapes):
        return
    names = {name for shape in told for name in shape.fields}
    for key, part in tree.items():
        inner = [shape.fields[key] for shape in told if key in shape.fields]
        inner += [value for shape in told if key not in shape.fields for value in shape.values]
        if inner:
            yield from unknown_keys(union_of(inner), part, (*path, key))
        elif not any(shape.is_open for shape in told):
            meant = get_close_matches(str(key), names - set(tree), n=1)
            yield Unknown((*path, key), meant[0] if meant else None)


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
