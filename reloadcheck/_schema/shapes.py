"""Cut a part of a tree to what can be validated alone, so that one validation finds every problem.

For problems only: a successful validation never comes here. What it does not know, a union of two
structs for one, it leaves whole.
"""

import dataclasses
import sys
from dataclasses import dataclass
from typing import Any, get_args, get_origin, get_type_hints

from .._config.containers import is_dict, is_list
from .._config.key_path import path_key
from .._config.model_fields import Kind, kind_of
from ..types import Key
from .annotations import present_in

__all__ = ["Shape", "shape_of"]


@dataclass(frozen=True, slots=True)
class Shape:
    """The parts of a node, each with its key and annotation, and the keys it lacks or has more."""

    parts: tuple[tuple[Key, Any, object], ...] = ()
    missing: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()


def shape_of(annotation: Any, node: object) -> Shape:
    """Take one step into a node: the fields of a mapping, the items of a list."""
    annotation = present_in(annotation)
    if isinstance(annotation, type) and is_dict(node):
        kind = kind_of(annotation)
        if kind is not None:
            return _of_fields(_fields(annotation, kind), _is_closed(annotation, kind), node)
    origin, arguments = get_origin(annotation), get_args(annotation)
    if not isinstance(origin, type) or not arguments:
        return Shape()
    if issubclass(origin, dict) and is_dict(node):
        return Shape(tuple((path_key(key), arguments[-1], part) for key, part in node.items()))
    alike = len(arguments) == 1 or (issubclass(origin, tuple) and arguments[1:] == (Ellipsis,))
    if alike and issubclass(origin, list | tuple | set | frozenset) and is_list(node):
        return Shape(tuple((n, arguments[0], part) for n, part in enumerate(node)))
    return Shape()


def _fields(cls: Any, kind: Kind) -> dict[str, tuple[Any, bool]]:
    """Return each field's annotation and whether it must be there, by the key it has in a file."""
    if kind is Kind.MSGSPEC:
        fields = sys.modules["msgspec"].structs.fields(cls)
        return {field.encode_name: (field.type, field.required) for field in fields}
    hints = get_type_hints(cls, include_extras=True)
    missing = dataclasses.MISSING
    return {
        field.name: (hints[field.name], field.default is field.default_factory is missing)
        for field in dataclasses.fields(cls)
        if field.init
    }


def _is_closed(cls: Any, kind: Kind) -> bool:
    return kind is Kind.MSGSPEC and bool(cls.__struct_config__.forbid_unknown_fields)


def _of_fields(fields: dict[str, tuple[Any, bool]], closed: bool, node: dict[Any, Any]) -> Shape:
    present = [(key, fields[key][0], part) for key, part in node.items() if key in fields]
    missing = [key for key, (_, required) in fields.items() if required and key not in node]
    unknown = [str(key) for key in node if closed and key not in fields]
    return Shape(tuple(present), tuple(missing), tuple(unknown))
