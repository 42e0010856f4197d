"""Writes a schema as JSON Schema, so that editors complete and check the files.

Pydantic and msgspec write their own classes, this package dataclasses and attrs classes.
"""

from enum import Enum
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from .._config.model_fields import Kind
from ..exceptions import UsageError
from .annotations import container_of, members_of, metadata_of, owner_of, parameters_of
from .class_fields import class_fields
from .scalars import scalar_of
from .with_json_schema import JSONSchema

__all__ = ["json_schema_of"]

_DIALECT = "https://json-schema.org/draft/2020-12/schema"
_SCALARS: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    int: {"type": "integer"},
    float: {"type": "number"},
    bool: {"type": "boolean"},
    NoneType: {"type": "null"},
}
_FORMATS = {
    "a date": "date",
    "a date and time": "date-time",
    "a time": "time",
    "a UUID": "uuid",
    "an IPv4 address": "ipv4",
    "an IPv6 address": "ipv6",
}
_WORDS = {
    "gt": "exclusiveMinimum",
    "ge": "minimum",
    "lt": "exclusiveMaximum",
    "le": "maximum",
    "multiple_of": "multipleOf",
    "min_length": "minLength",
    "max_length": "maxLength",
    "pattern": "pattern",
}


def json_schema_of(schema: Any, annotation: Any) -> dict[str, Any]:
    """Return the JSON Schema of what was given as schema; `UsageError` where nothing tells it."""
    if isinstance(schema, JSONSchema):
        return schema.document
    if annotation is Any:
        raise UsageError("the schema is a function, or there is none: nothing tells its keys")
    writing = _Writing()
    root = writing.of(annotation)
    if list(root) == ["$ref"] and root["$ref"].startswith("#/$defs/"):
        name = root["$ref"].removeprefix("#/$defs/")
        root = writing.definitions[name]
        if not writing.is_referred(name):
            del writing.definitions[name]
    found = {"$schema": _DIALECT, **root}
    return found | ({"$defs": writing.definitions} if writing.definitions else {})


class _Writing:
    """One document; each class is defined once."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}
        self._uses: dict[str, int] = {}

    def is_referred(self, name: str) -> bool:
        return self._uses.get(name, 0) > 1

    def of(self, annotation: Any) -> dict[str, Any]:
        owner = owner_of(annotation)
        if owner is not None:
            return self._foreign(annotation, owner)
        members = list(members_of(annotation))
        written = [self._member(one) for one in members]
        found = written[0] if len(written) == 1 else {"anyOf": written}
        return found | _constraints(annotation)

    def _foreign(self, annotation: Any, owner: Kind) -> dict[str, Any]:
        if owner is Kind.PYDANTIC:
            import pydantic

            template = "#/$defs/{model}"
            found = pydantic.TypeAdapter(annotation).json_schema(ref_template=template)
        else:
            import msgspec

            found = msgspec.json.schema(annotation)
        self.definitions |= found.pop("$defs", {})
        return found

    def _member(self, annotation: Any) -> dict[str, Any]:
        if (owner := owner_of(annotation)) is not None:
            return self._foreign(annotation, owner)
        cls: Any = get_origin(annotation) or annotation
        if cls in _SCALARS:
            return dict(_SCALARS[cls])
        if cls is Literal:
            return {"enum": list(get_args(annotation))}
        if isinstance(cls, type) and issubclass(cls, Enum):
            return {"enum": [one.value for one in cls]}
        if (scalar := scalar_of(cls)) is not None:
            form = _FORMATS.get(scalar.noun)
            return {"type": "string"} | ({"format": form} if form else {})
        if class_fields(annotation) is not None:
            return self._class(cls, annotation)
        container = container_of(annotation)
        if container is dict:
            return {
                "type": "object",
                "additionalProperties": self.of(parameters_of(annotation, 2)[1]),
            }
        if container is not None:
            unique = {"uniqueItems": True} if container in (set, frozenset) else {}
            return {"type": "array", "items": self.of(parameters_of(annotation, 1)[0]), **unique}
        return {}

    def _class(self, cls: Any, annotation: Any) -> dict[str, Any]:
        name: str = cls.__qualname__.replace("<locals>.", "")
        self._uses[name] = self._uses.get(name, 0) + 1
        if name not in self.definitions:
            self.definitions[name] = {}
            fields = class_fields(annotation) or []
            required = [field.key for field in fields if field.required]
            self.definitions[name] = {
                "title": name,
                "type": "object",
                "properties": {field.key: self.of(field.annotation) for field in fields},
                **({"required": required} if required else {}),
            }
        return {"$ref": f"#/$defs/{name}"}


def _constraints(annotation: Any) -> dict[str, Any]:
    return {
        written: found
        for one in metadata_of(annotation)
        for word, written in _WORDS.items()
        if isinstance(found := getattr(one, word, None), int | float | str)
    }
