"""What a schema class promises before any configuration is read.

Walks the annotations of a class: refuses it, naming the line to add, when an instance of it or of
anything inside could be changed, and tells whether a field path exists in it.
"""

from collections import ChainMap, Counter, OrderedDict, defaultdict, deque
from collections.abc import Iterator
from types import NoneType, SimpleNamespace, UnionType
from typing import (
    Annotated,
    Any,
    ClassVar,
    NewType,
    get_args,
    get_origin,
    get_type_hints,
)

from .._config.containers import is_dict
from .._config.model_fields import Kind, is_immutable, kind_of
from ..exceptions import SchemaClassError
from ..types import KeyPath
from .settings_classes import reads_by_itself

__all__ = ["check_immutable", "check_result", "fields_of", "has_field"]

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
_SCALARS: tuple[object, ...] = (str, int, float, bool, bytes, NoneType)


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
        waiting.extend(_parts(annotation))
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


def has_field(annotation: object, path: KeyPath) -> bool | None:
    """Return whether a value of this annotation has something at `path`; None when it depends."""
    if not path:
        return True
    key, rest = path[0], path[1:]
    if _is_model(annotation):
        fields = fields_of(annotation)
        if key in fields:
            return has_field(fields[str(key)], rest)
        return None if _takes_extras(annotation) else False
    if annotation in _SCALARS:
        return False
    origin, parts = get_origin(annotation), [*_parts(annotation)]
    # Before Python 3.13 `Annotated` is a class too; what is left are containers of any kind.
    if isinstance(origin, type) and origin not in (UnionType, Annotated):
        answers = [has_field(part, rest) for part in parts[-1:]]
        return False if answers == [False] else None
    return _either([has_field(part, path) for part in parts if part is not NoneType])


def fields_of(annotation: object) -> dict[str, Any]:
    """Return the annotations of a class's fields by name; empty for what has no fields."""
    if not _is_model(annotation):
        return {}
    cls: Any = get_origin(annotation) or annotation
    if kind_of(cls) is Kind.PYDANTIC:
        cls.model_rebuild(raise_errors=False)  # resolves what was defined after the class
        return {name: field.annotation for name, field in cls.model_fields.items()}
    try:
        hints = get_type_hints(cls)
    except NameError as error:
        raise SchemaClassError(
            f"the annotations of {cls.__qualname__} cannot be resolved: `{error.name}` is not "
            "defined in its module"
        ) from None
    return {name: hint for name, hint in hints.items() if get_origin(hint) is not ClassVar}


def _is_model(annotation: object) -> bool:
    cls = get_origin(annotation) or annotation
    if not isinstance(cls, type):
        return False
    # A typed dict has a `__total__`, a named tuple `_field_defaults`, whoever's module made it.
    return kind_of(cls) is not None or hasattr(cls, "__total__") or hasattr(cls, "_field_defaults")


def _takes_extras(annotation: Any) -> bool:
    config = getattr(get_origin(annotation) or annotation, "model_config", None)
    return is_dict(config) and config.get("extra") == "allow"


def _either(answers: list[bool | None]) -> bool | None:
    if True in answers:
        return True
    return False if answers and None not in answers else None


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


def _parts(annotation: object) -> Iterator[Any]:
    """Return what an annotation is written from: its arguments, an alias's value, the base."""
    if isinstance(annotation, NewType):
        yield annotation.__supertype__
    elif (aliased := getattr(annotation, "__value__", None)) is not None:  # a `type` statement's
        yield aliased
    elif get_origin(annotation) is Annotated:
        yield get_args(annotation)[0]
    else:
        yield from (part for part in get_args(annotation) if part is not Ellipsis)
