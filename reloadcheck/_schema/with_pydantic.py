"""Validates a tree by pydantic, and says what it found wrong at the file's own keys.

Pydantic's sentences are not used where they could quote the input; its error never leaves here.
"""

import re
from importlib import import_module
from typing import Any

from .._config.containers import is_dict, is_list, plain
from .._config.redact import Scrubber
from ..exceptions import SchemaClassError, SchemaError
from ..types import Key, KeyPath, Problem, Tree
from .messages import foreign_reason, mismatch, noun_of, tidy

__all__ = ["PydanticValidator", "problems_of_function"]

# What pydantic calls a kind of value, before `_type`, `_parsing` and the like.
_NOUNS = {
    "bool": "a boolean",
    "bytes": "a string",
    "dataclass": "a mapping",
    "date": "a date",
    "date_from_datetime": "a date",
    "datetime": "a date and time",
    "datetime_from_date": "a date and time",
    "decimal": "a number",
    "dict": "a mapping",
    "float": "a number",
    "frozen_set": "a list",
    "int": "an integer",
    "iterable": "a list",
    "json": "JSON",
    "list": "a list",
    "mapping": "a mapping",
    "model": "a mapping",
    "model_attributes": "a mapping",
    "set": "a list",
    "string": "a string",
    "time": "a time",
    "time_delta": "a duration",
    "tuple": "a list",
    "url": "a URL",
    "uuid": "a UUID",
}
_KIND = re.compile(
    r"(\w+?)_(type|parsing|parsing_size|from_float|invalid|inexact|syntax_violation)"
)
_RULES = {
    "enum": "should be {expected}",
    "extra_forbidden": "is not a known key",
    "finite_number": "should be a finite number",
    "greater_than": "should be greater than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "literal_error": "should be {expected}",
    "missing": "is missing",
    "multiple_of": "should be a multiple of {multiple_of}",
    "none_required": "should be null",
    "string_pattern_mismatch": "should match the pattern {pattern}",
    "string_too_long": "should have at most {max_length} characters",
    "string_too_short": "should have at least {min_length} characters",
    "too_long": "should have at most {max_length} items",
    "too_short": "should have at least {min_length} items",
    "unexpected_keyword_argument": "is not a known key",
    "union_tag_invalid": "should have one of {expected_tags} as {discriminator}",
    "union_tag_not_found": "should have the key {discriminator}",
}


class PydanticValidator:
    """Converts to one model, dataclass or annotation in pydantic's lax mode."""

    def __init__(self, schema: Any) -> None:
        self._pydantic: Any = import_module("pydantic")
        try:
            self._adapter = self._pydantic.TypeAdapter(schema)
        except (self._pydantic.errors.PydanticUserError, NameError) as error:
            raise SchemaClassError(f"pydantic cannot convert to this schema: {error}") from None

    def __call__(self, tree: Tree) -> Any:
        """Return the validated object; raise SchemaError with all problems."""
        try:
            return self._adapter.validate_python(plain(tree))  # validators may change their input
        except self._pydantic.ValidationError as error:
            findings = error.errors(include_input=False, include_url=False)
            scrub = Scrubber(tree)
            problems = tidy([_problem(finding, tree, scrub) for finding in findings])
        raise SchemaError(*problems)


def problems_of_function(error: Any, tree: Tree, kind: str) -> list[Problem]:
    """Return what pydantic found wrong inside a function that is the schema, `kind` its line.

    At the file's own key where the function has handed that part of the tree to its model as it
    is; else of the whole, in the model's words.
    """
    scrub = Scrubber(tree)
    ours: list[Problem] = []
    others: list[Problem] = []
    for finding in error.errors(include_url=False):
        if _is_of_tree(finding, tree):
            ours.append(_problem(finding, tree, scrub))
            continue
        key = ".".join(map(str, finding["loc"]))
        reason = _reason(finding, finding["input"], scrub)
        others.append(Problem(f"{kind}: {key}: {reason}" if key else f"{kind}: {reason}"))
    return tidy(ours) + others


def _is_of_tree(finding: dict[str, Any], tree: Tree) -> bool:
    node: Any = tree
    for key in finding["loc"][: -1 if finding["type"] == "missing" else None]:
        if not _has(node, key):
            return False
        node = node[key]
    return bool(node == finding["input"])


def _problem(finding: dict[str, Any], tree: Tree, scrub: Scrubber) -> Problem:
    path, value = _locate(finding, tree)
    return Problem(_reason(finding, value, scrub), key_path=path)


def _reason(finding: dict[str, Any], value: object, scrub: Scrubber) -> str:
    kind: str = finding["type"]
    context: dict[str, Any] = finding.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return foreign_reason(context["error"], scrub)
    if kind in _RULES and not _quotes(context, value):
        return _RULES[kind].format_map(context)
    wanted = _KIND.fullmatch(kind)
    if wanted is not None and wanted[1] in _NOUNS:
        return mismatch(_NOUNS[wanted[1]], noun_of(value))
    return scrub(finding["msg"]).removeprefix("Input ")


def _quotes(context: dict[str, Any], value: object) -> bool:
    """Return whether a validator that raised one of pydantic's own errors put the value in it."""
    if not isinstance(value, str) or not value:
        return False
    return any(isinstance(part, str) and value in part for part in context.values())


def _locate(finding: dict[str, Any], tree: Tree) -> tuple[KeyPath, object]:
    """Keep of a location what the file has: pydantic also names union members and validators."""
    location: tuple[Key, ...] = finding["loc"]
    path: KeyPath = ()
    node: Any = tree
    for key in location:
        if _has(node, key):
            path, node = (*path, key), node[key]
    if finding["type"] == "missing" and isinstance(location[-1], str):
        path = (*path, location[-1])
    return path, node


def _has(node: object, key: Key) -> bool:
    if is_dict(node):
        return key in node
    return is_list(node) and isinstance(key, int) and key < len(node)
