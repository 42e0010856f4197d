"""Which key paths a schema has: the fields of a class by name, as they are declared.

For paths that code names, of resources and rules. Under which keys a file writes them is
`class_fields`' and `spellings`'; whether a class may be used at all is `immutable`'s.
"""

from collections.abc import Iterator
from types import NoneType, UnionType
from typing import Annotated, Any, ClassVar, NewType, get_args, get_origin, get_type_hints

from .._config.containers import is_dict
from .._config.model_fields import Kind, kind_of
from ..exceptions import SchemaClassError
from ..types import KeyPath

__all__ = ["fields_of", "has_field", "parts_of"]

_SCALARS: tuple[object, ...] = (str, int, float, bool, bytes, NoneType)


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
    origin, parts = get_origin(annotation), [*parts_of(annotation)]
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


def parts_of(annotation: object) -> Iterator[Any]:
    """Return what an annotation is written from: its arguments, an alias's value, the base."""
    if isinstance(annotation, NewType):
        yield annotation.__supertype__
    elif (aliased := getattr(annotation, "__value__", None)) is not None:  # a `type` statement's
        yield aliased
    elif get_origin(annotation) is Annotated:
        yield get_args(annotation)[0]
    else:
        yield from (part for part in get_args(annotation) if part is not Ellipsis)
