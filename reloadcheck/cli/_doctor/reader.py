"""Who reads the schema, so that the same answer can be expected on every machine."""

from typing import Any

from ..._schema.schema import Schema
from .finding import Finding, passed

__all__ = ["reader"]


def reader(schema: Schema[Any]) -> Finding:
    """Say whose rules decide what a file may hold."""
    name = getattr(schema.annotation, "__qualname__", str(schema.annotation))
    said = {
        "none": "no schema: every value is as the files say",
        "jsonschema": f"{schema.given!r}, read by jsonschema-rs",
        "function": "a function, which reads the values by its own rules",
        "reloadcheck": f"{name} is read by the rules of this package, whatever else is installed",
    }
    return passed("schema", said.get(schema.reader, f"{name} is read by {schema.reader}"))
