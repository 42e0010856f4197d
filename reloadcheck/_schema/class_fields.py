"""The fields of a class as a file writes them: under which keys, of what type, which must be there.

For every kind of class that maps keys to values: models of pydantic, structs of msgspec, attrs
classes, dataclasses, typed dicts and named tuples. Reads annotations, never an instance.
"""

import dataclasses
import sys
from dataclasses import dataclass
from typing import Any, ClassVar, TypeVar, get_args, get_origin, get_type_hints

from .._config.containers import is_dict
from .._config.model_fields import Kind, kind_of
from ..exceptions import SchemaClassError

__all__ = ["Field", "class_fields", "converts", "takes_extras"]


@dataclass(frozen=True, slots=True)
class Field:
    """One field: its name, its keys in a file, its annotation, whether a file must have it.

    `converts`: code of the class sees the value before its type is asked for.
    """

    name: str
    keys: tuple[str, ...]
    annotation: Any
    required: bool
    converts: bool = False

    @property
    def key(self) -> str:
        """Return the key that the field goes by."""
        return self.keys[0]


def class_fields(annotation: Any) -> list[Field] | None:
    """Return the fields of a class or of a generic one with its types; None for what has none.

    Raises SchemaClassError for annotations that cannot be resolved.
    """
    cls: Any = get_origin(annotation) or annotation
    if not isinstance(cls, type):
        return None
    kind = kind_of(cls)
    if kind is Kind.PYDANTIC:
        return _of_pydantic(cls)
    if kind is None and not hasattr(cls, "__total__") and not hasattr(cls, "_field_defaults"):
        return None
    given = dict(zip(getattr(cls, "__parameters__", ()), get_args(annotation), strict=False))
    hints = {
        name: _substituted(hint, given)
        for name, hint in _hints(cls).items()
        if get_origin(hint) is not ClassVar and hint is not ClassVar
    }
    if kind is Kind.MSGSPEC:
        return _of_struct(cls, hints)
    if kind is Kind.ATTRS:
        return _of_attrs(cls, hints)
    if kind is Kind.DATACLASS:
        return _of_dataclass(cls, hints)
    return _of_typed_dict(cls, hints) if hasattr(cls, "__total__") else _of_named_tuple(cls, hints)


def takes_extras(annotation: Any) -> bool:
    """Return whether a class of pydantic keeps the keys that it does not know."""
    cls = get_origin(annotation) or annotation
    config = getattr(cls, "model_config", getattr(cls, "__pydantic_config__", None))
    return is_dict(config) and config.get("extra") == "allow"


def _hints(cls: Any) -> dict[str, Any]:
    try:
        return get_type_hints(cls, include_extras=True)
    except NameError as error:
        raise SchemaClassError(
            f"the annotations of {cls.__qualname__} cannot be resolved: `{error.name}` is not "
            "defined in its module"
        ) from None


def _substituted(hint: Any, given: dict[Any, Any]) -> Any:
    """Put the types that a generic class was given in the place of its type variables."""
    if isinstance(hint, TypeVar):
        return given.get(hint, hint)
    variables = getattr(hint, "__parameters__", ())
    if not variables or not given or not get_args(hint):
        return hint
    generic: Any = hint
    return generic[tuple(given.get(one, one) for one in variables)]


def _of_struct(cls: Any, hints: dict[str, Any]) -> list[Field]:
    fields = sys.modules["msgspec"].structs.fields(cls)
    found = [Field(one.name, (one.encode_name,), hints[one.name], one.required) for one in fields]
    tag = cls.__struct_config__.tag_field  # which struct of a union it is
    return found if tag is None else [*found, Field(tag, (tag,), str, required=False)]


def _of_attrs(cls: Any, hints: dict[str, Any]) -> list[Field]:
    nothing = sys.modules["attr"].NOTHING
    return [
        Field(
            name=one.alias or one.name,
            keys=(one.alias or one.name,),
            annotation=hints.get(one.name, Any),
            required=one.default is nothing,
            converts=one.converter is not None,
        )
        for one in cls.__attrs_attrs__
        if one.init
    ]


def _of_dataclass(cls: Any, hints: dict[str, Any]) -> list[Field]:
    missing = dataclasses.MISSING
    return [
        Field(
            name=one.name,
            keys=(one.name,),
            annotation=hints[one.name],
            required=one.default is one.default_factory is missing,
        )
        for one in dataclasses.fields(cls)
        if one.init
    ]


def _of_typed_dict(cls: Any, hints: dict[str, Any]) -> list[Field]:
    required = cls.__required_keys__
    return [Field(name, (name,), hint, name in required) for name, hint in hints.items()]


def _of_named_tuple(cls: Any, hints: dict[str, Any]) -> list[Field]:
    defaults = cls._field_defaults
    return [
        Field(name, (name,), hints.get(name, Any), name not in defaults) for name in cls._fields
    ]


def _of_pydantic(cls: Any) -> list[Field]:
    cls.model_rebuild(raise_errors=False)  # resolves what was defined after the class
    by_name = any(cls.model_config.get(o) for o in ("populate_by_name", "validate_by_name"))
    checked = {
        name
        for one in cls.__pydantic_decorators__.field_validators.values()
        if one.info.mode != "after"
        for name in one.info.fields
    }
    found: list[Field] = []
    for name, field in cls.model_fields.items():
        aliases = _aliases(field.validation_alias or field.alias)
        keys = tuple(aliases if aliases and not by_name else [*aliases, name])
        own = name in checked or "*" in checked or any(map(converts, field.metadata))
        found.append(Field(name, keys, field.annotation, field.is_required(), own))
    return found


def converts(metadata: Any) -> bool:
    """Return whether an annotation of pydantic's looks at a value before its type does."""
    name = type(metadata).__name__ if not isinstance(metadata, type) else metadata.__name__
    return name in ("BeforeValidator", "Json", "PlainValidator", "WrapValidator")


def _aliases(alias: Any) -> list[str]:
    """Return the first keys of a pydantic alias, a path of keys or a choice of either."""
    if alias is None or isinstance(alias, str):
        return [] if alias is None else [alias]
    choices = getattr(alias, "choices", [alias])
    return [one if isinstance(one, str) else str(one.path[0]) for one in choices]
