"""Refuse a schema class whose instances could be changed, and name the line to add.

Walks the annotations of the class and of anything inside, before any configuration is read. How a
value is made read-only is `_config/freeze`'s.
"""

from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from types import SimpleNamespace
from typing import get_origin

from .._config.model_fields import Kind, is_immutable, kind_of
from ..exceptions import SchemaClassError
from .field_paths import fields_of, parts_of
from .settings_classes import reads_by_itself

__all__ = ["check_immutable", "check_result"]

_LINES = {
    Kind.PYDANTIC: "model_config = ConfigDict(frozen=True)",
    Kind.MSGSPEC: "class {name}(msgspec.Struct, frozen=True)",
    Kind.ATTRS: "@attrs.frozen",
    Kind.DATACLASS: "@dataclass(frozen=True)",
}
_MUTABLE: dict[type, str] = {
    deque: "list",
    bytearray: "bytes",
    OrderedDict: "dict",
    Counter: "dict",
    defaultdict: "dict",
    ChainMap: "dict",
    SimpleNamespace: "a frozen dataclass",
}


def check_immutable(schema: object) -> set[Kind]:
    """Return the kinds of classes that a schema is made of, at every depth.

    Raises SchemaClassError for a class whose instances can be changed.
    """
    kinds: set[Kind] = set()
    waiting: list[object] = [schema]
    seen: dict[int, object] = {}  # by identity: an annotation need not be hashable
    while waiting:
        annotation = waiting.pop()
        if id(annotation) in seen:
            continue
        seen[id(annotation)] = annotation
        cls = get_origin(annotation) or annotation
        if isinstance(cls, type):
            kinds |= _check_class(cls, schema)
        waiting.extend(fields_of(annotation).values())
        waiting.extend(parts_of(annotation))
    return kinds


def check_result(value: object) -> None:
    """Refuse what a callable schema returned if it could be changed afterwards.

    Raises SchemaClassError; a class of somebody else's is taken at its word.
    """
    cls = type(value)
    if cls in _MUTABLE:
        raise SchemaClassError(
            f"the schema returned a {cls.__name__}, which can be changed; use {_MUTABLE[cls]}"
        )
    _check_class(cls, cls)


def _check_class(cls: type, schema: object) -> set[Kind]:
    if cls in _MUTABLE:
        owner = getattr(schema, "__qualname__", "the schema")
        raise SchemaClassError(
            f"a field in {owner} is a {cls.__name__}, which can be changed; use {_MUTABLE[cls]}"
        )
    if (instead := reads_by_itself(cls)) is not None:
        raise SchemaClassError(instead)
    kind = kind_of(cls)
    if kind is None:
        return set()
    if not is_immutable(cls, kind):
        line = _LINES[kind].format(name=cls.__name__)
        raise SchemaClassError(f"{cls.__qualname__} can be changed; make it frozen: `{line}`")
    return {Kind.PYDANTIC, kind} if hasattr(cls, "__pydantic_validator__") else {kind}
