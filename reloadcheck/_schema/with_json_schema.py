"""A JSON Schema as the schema: `schema=JSONSchema("schema.json")`, validated by jsonschema-rs.

Takes a document, or the file that it is in, which is read at the first load. Validates by
jsonschema-rs, whose regular expressions take linear time; it fetches nothing, and quotes nothing.
"""

import json
import os
from collections.abc import Iterator, Mapping
from datetime import date, time
from importlib import import_module
from importlib.util import find_spec
from itertools import islice
from typing import Any, Final, NoReturn

from .._config.containers import is_dict, is_list, plain
from .._config.mask import MASK
from .._runtime.regular_file import opened
from ..exceptions import SchemaClassError, SchemaError
from ..types import KeyPath, Problem, Tree
from .from_json_schema import annotation_of
from .messages import mismatch, noun_of
from .unknown_keys import UNKNOWN

__all__ = ["JSONSchema"]

_MOST: Final = 1_000
_NOUNS: Final = {
    "array": "a list",
    "boolean": "a boolean",
    "integer": "an integer",
    "null": "null",
    "number": "a number",
    "object": "a mapping",
    "string": "a string",
}
_BOUNDS: Final = {
    "Minimum": "should be at least {limit}",
    "Maximum": "should be at most {limit}",
    "ExclusiveMinimum": "should be greater than {limit}",
    "ExclusiveMaximum": "should be less than {limit}",
    "MinLength": "should have at least {limit} characters",
    "MaxLength": "should have at most {limit} characters",
    "MinItems": "should have at least {limit} items",
    "MaxItems": "should have at most {limit} items",
    "Pattern": "should match the pattern {pattern}",
    "Format": "should be a {format}",
    "Enum": "is not one of the values allowed here",
    "Constant": "is not the value allowed here",
    "UniqueItems": "holds an item twice",
    "AnyOf": "fits none of the alternatives",
    "OneOfNotValid": "fits none of the alternatives",
    "OneOfMultipleValid": "fits more than one of the alternatives",
}


class JSONSchema:
    """The configuration is the tree itself, read-only, once it fits a JSON Schema.

    `schema` is the document or the path of a JSON file, read once. `$ref` works within it. Raises
    `SchemaClassError` where jsonschema-rs is not installed.
    """

    is_json_schema: Final = True

    def __init__(self, schema: Mapping[str, Any] | str | os.PathLike[str]) -> None:
        if find_spec("jsonschema_rs") is None:
            raise SchemaClassError(
                "a JSON Schema needs jsonschema-rs: `pip install reloadcheck[jsonschema]`"
            )
        self._given = schema
        self._document: dict[str, Any] | None = None
        self._validator: Any = None
        self._annotation: Any = None

    def __repr__(self) -> str:
        return f"JSONSchema({'…' if isinstance(self._given, Mapping) else self.name!r})"

    @property
    def name(self) -> str:
        """Return the path as it was written; of a document that it is one."""
        return "a document" if isinstance(self._given, Mapping) else os.fspath(self._given)

    @property
    def document(self) -> dict[str, Any]:
        """Return the JSON Schema; raise `SchemaError` for a file that holds none."""
        found = self._document
        if found is None:
            given = self._given
            found = plain(dict(given)) if isinstance(given, Mapping) else self._read()
            self._document = found
        return found

    @property
    def annotation(self) -> Any:
        """Return what its properties are, as an annotation."""
        if self._annotation is None:
            self._annotation = annotation_of(self.document)
        return self._annotation

    def __call__(self, tree: Tree) -> Tree:
        """Return the tree; raise `SchemaError` with all that is wrong with it."""
        if self._validator is None:
            self._validator = self._compiled()
        errors = islice(self._validator.iter_errors(_as_json(tree)), _MOST)
        problems = [problem for error in errors for problem in _problems(error, tree)]
        if problems:
            raise SchemaError(*problems)
        return tree

    def _read(self) -> dict[str, Any]:
        try:
            with opened(self.name) as file:
                document = json.load(file)
        except OSError as error:
            reason = f"the JSON Schema cannot be read: {error.strerror}"
        except ValueError:
            reason = "the JSON Schema is not valid JSON"
        else:
            if is_dict(document):
                return document
            reason = "the JSON Schema is not a mapping"
        raise SchemaError(Problem(reason, path=self.name))

    def _compiled(self) -> Any:
        library: Any = import_module("jsonschema_rs")
        try:
            return library.validator_for(self.document, mask=MASK, retriever=_fetch_nothing)
        except (library.ValidationError, library.ReferencingError, ValueError) as error:
            reason = f"the JSON Schema cannot be used: {str(error).splitlines()[0]}"
        raise SchemaError(Problem(reason, path=self.name))


def _fetch_nothing(uri: str) -> NoReturn:
    raise ValueError(f"{uri} is not in the document, and nothing is fetched")


def _as_json(value: Any) -> Any:
    """Return a tree as JSON would have it: dates as text, keys as text."""
    if is_dict(value):
        return {str(key): _as_json(part) for key, part in value.items()}
    if is_list(value):
        return [_as_json(part) for part in value]
    return value.isoformat() if isinstance(value, date | time) else value


def _problems(error: Any, tree: Tree) -> Iterator[Problem]:
    path, value = _located(error.instance_path, tree)
    kind = error.kind
    name = type(kind).__name__.rpartition("_")[2]
    if name == "Required":
        yield Problem("is missing", key_path=(*path, kind.property))
    elif name in ("AdditionalProperties", "UnevaluatedProperties"):
        yield from (Problem(UNKNOWN, key_path=(*path, key)) for key in kind.unexpected)
    elif name == "Type":
        wanted = [_NOUNS.get(str(one), str(one)) for one in kind.types]
        yield Problem(mismatch(" or ".join(wanted), noun_of(value)), key_path=path)
    elif name in _BOUNDS:
        yield Problem(_BOUNDS[name].format_map(kind.as_dict()), key_path=path)
    else:
        yield Problem(error.message.removeprefix(f"{MASK} "), key_path=path)


def _located(location: list[Any], tree: Tree) -> tuple[KeyPath, Any]:
    """Return a location as the tree has it, whose keys may be integers, and what is there."""
    path: KeyPath = ()
    node: Any = tree
    for step in location:
        key = next((own for own in node if str(own) == step), step) if is_dict(node) else step
        path, node = (*path, key), node[key]
    return path, node
