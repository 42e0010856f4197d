"""Reads a JSON Schema as an annotation, for untyped text, unknown keys and paths of resources.

What an annotation cannot say, a condition for one, is `Any`: the validator alone decides there.
"""

from typing import Any, Literal, TypedDict

from .._config.containers import is_dict, is_list
from .annotations import union_of

__all__ = ["annotation_of"]

_TYPES: dict[str, Any] = {
    "boolean": bool,
    "integer": int,
    "null": None,
    "number": float,
    "string": str,
}
_DEEPEST = 32


def annotation_of(document: Any) -> Any:
    """Return what a value may be by a JSON Schema."""
    return _Reading(document).annotation(document, 0)


class _Reading:
    """One walk over one document; a definition that contains itself ends at some depth."""

    def __init__(self, document: Any) -> None:
        self._document = document

    def annotation(self, schema: Any, depth: int) -> Any:
        if not is_dict(schema) or depth > _DEEPEST:
            return Any
        if isinstance(schema.get("$ref"), str):
            return self.annotation(self._referred(schema["$ref"]), depth + 1)
        for word in ("anyOf", "oneOf"):
            if is_list(schema.get(word)):
                return union_of([self.annotation(one, depth + 1) for one in schema[word]])
        if is_list(schema.get("enum")):
            return Literal[tuple(schema["enum"])]
        kinds = schema.get("type", "object" if "properties" in schema else [])
        kinds = kinds if is_list(kinds) else [kinds]
        return union_of([self._of_type(kind, schema, depth) for kind in kinds])

    def _of_type(self, kind: Any, schema: dict[str, Any], depth: int) -> Any:
        if kind == "array":
            return list[self.annotation(schema.get("items"), depth + 1)]  # type: ignore[misc]
        if kind != "object":
            return _TYPES.get(str(kind), Any)
        more = schema.get("additionalProperties")
        if not is_dict(schema.get("properties")):
            return dict[str, self.annotation(more, depth + 1)]  # type: ignore[misc]
        fields = {
            name: self.annotation(part, depth + 1) for name, part in schema["properties"].items()
        }
        made = TypedDict("Object", fields, total=False)  # type: ignore[misc]
        cls: Any = made
        if is_dict(more) or more is True or "patternProperties" in schema:
            cls.__pydantic_config__ = {"extra": "allow"}
        return cls

    def _referred(self, reference: str) -> Any:
        node = self._document
        if not reference.startswith("#"):
            return None
        for step in filter(None, reference[1:].split("/")):
            key = step.replace("~1", "/").replace("~0", "~")
            node = node.get(key) if is_dict(node) else None
        return node
