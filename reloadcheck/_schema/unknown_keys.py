"""Find the keys of a tree that its schema does not know, and the key that was probably meant.

Takes annotations of pydantic, msgspec, dataclasses and typed dicts; where a schema takes any key,
or does not tell, nothing is unknown.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from types import NoneType, UnionType
from typing import Annotated, Any, NewType, Union, get_args, get_origin

from .._config.containers import is_dict, is_list
from .._config.model_fields import Kind, kind_of
from ..types import KeyPath
from .annotations import fields_of

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
        inner = _united([part for member in members for part in _items(member)])
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
            yield from unknown_keys(_united(inner), part, (*path, key))
        elif not any(shape.is_open for shape in told):
            meant = get_close_matches(key, names - set(tree), n=1)
            yield Unknown((*path, key), meant[0] if meant else None)


def _members(annotation: Any) -> Iterator[Any]:
    """Give what may stand there, without null, constraints and names for types."""
    if get_origin(annotation) is Annotated:
        yield from _members(get_args(annotation)[0])
    elif get_origin(annotation) in (Union, UnionType):
        for part in get_args(annotation):
            yield from _members(part)
    elif isinstance(annotation, NewType):
        yield from _members(annotation.__supertype__)
    elif (aliased := getattr(annotation, "__value__", None)) is not None:
        yield from _members(aliased)
    elif hasattr(annotation, "__pydantic_root_model__") and annotation.__pydantic_root_model__:
        yield from _members(annotation.model_fields["root"].annotation)
    elif not _is_scalar(annotation):
        yield annotation


def _is_scalar(annotation: Any) -> bool:
    return annotation in (str, int, float, bool, bytes, NoneType)


def _shape(annotation: Any) -> _Shape | None:
    """Give what a mapping of this annotation may hold; None when there is no telling."""
    cls: Any = get_origin(annotation) or annotation
    if not isinstance(cls, type):
        return None
    kind = kind_of(cls)
    if kind is not None or hasattr(cls, "__total__"):
        return _Shape(_named(cls, annotation, kind), is_open=_is_open(cls))
    if issubclass(cls, Mapping) and len(get_args(annotation)) == 2:
        return _Shape({}, is_open=True, values=get_args(annotation)[1:])
    if issubclass(cls, list | tuple | set | frozenset):
        return _Shape({}, is_open=True)
    return None


def _named(cls: Any, annotation: object, kind: Kind | None) -> dict[str, Any]:
    """Give the fields of a class by the keys that they have in a file."""
    fields = fields_of(annotation)
    named: dict[str, Any]
    if kind is Kind.MSGSPEC:
        told = sys.modules["msgspec"].structs.fields(cls)
        named = {field.encode_name: fields[field.name] for field in told}
        tag = cls.__struct_config__.tag_field  # which struct of a union it is
        return named if tag is None else {**named, tag: str}
    if kind is not Kind.PYDANTIC:
        return fields
    named = {}
    by_name = any(cls.model_config.get(o) for o in ("populate_by_name", "validate_by_name"))
    for name, field in cls.model_fields.items():
        aliases = _aliases(field.validation_alias or field.alias)
        for key in aliases if aliases and not by_name else [*aliases, name]:
            named[key] = fields[name]
    return named


def _aliases(alias: Any) -> list[str]:
    """Give the first keys of a pydantic alias, a path of keys or a choice of either."""
    if alias is None or isinstance(alias, str):
        return [] if alias is None else [alias]
    choices = getattr(alias, "choices", [alias])
    return [one if isinstance(one, str) else str(one.path[0]) for one in choices]


def _is_open(cls: Any) -> bool:
    config = getattr(cls, "model_config", getattr(cls, "__pydantic_config__", None))
    return is_dict(config) and config.get("extra") == "allow"


def _items(annotation: Any) -> Iterator[Any]:
    """Give the annotations of what a list of this annotation may hold."""
    origin, arguments = get_origin(annotation), get_args(annotation)
    if isinstance(origin, type) and not issubclass(origin, Mapping):
        yield from (part for part in arguments if part is not Ellipsis)
    elif annotation is Any or not arguments:
        yield Any


def _united(annotations: Sequence[Any]) -> Any:
    """Make one annotation of several, of which not every one need be a class."""
    return Union[tuple(annotations)] if annotations else Any  # noqa: UP007
