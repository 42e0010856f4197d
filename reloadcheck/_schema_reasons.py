"""Says in our words what a validation library found wrong, at the file's own keys.

Takes the library's error and the tree that it was about; gives problems. Never quotes the tree: a
reason is built from what the schema demands and from the *type* of what was found; a sentence
written by somebody else is scrubbed.
"""

import re
from datetime import date, datetime, time
from typing import Any

from ._frozen_types import is_dict, is_list
from ._redact import scrub
from .types import Key, KeyPath, Problem, Tree

__all__ = ["from_exception", "from_msgspec", "from_pydantic"]

_NOUNS: dict[type, str] = {
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a number",
    type(None): "null",
    list: "a list",
    dict: "a mapping",
    datetime: "a date and time",
    date: "a date",
    time: "a time",
    bytes: "binary data",
}
# What pydantic calls a type error, up to its `_type`, `_parsing` and the like.
_PYDANTIC_NOUNS = {
    "int": "an integer",
    "float": "a number",
    "decimal": "a number",
    "bool": "a boolean",
    "string": "a string",
    "dict": "a mapping",
    "mapping": "a mapping",
    "model": "a mapping",
    "model_attributes": "a mapping",
    "dataclass": "a mapping",
    "list": "a list",
    "tuple": "a list",
    "set": "a list",
    "frozen_set": "a list",
    "iterable": "a list",
    "bytes": "a string",
    "date": "a date",
    "date_from_datetime": "a date",
    "datetime": "a date and time",
    "datetime_from_date": "a date and time",
    "time": "a time",
    "time_delta": "a duration",
    "url": "a URL",
    "uuid": "a UUID",
    "json": "JSON",
}
_PYDANTIC_KIND = re.compile(
    r"(\w+?)_(type|parsing|parsing_size|from_float|invalid|inexact|syntax_violation)"
)
_PYDANTIC_RULES = {
    "missing": "is missing",
    "extra_forbidden": "is not a known key",
    "unexpected_keyword_argument": "is not a known key",
    "greater_than": "should be greater than {gt}",
    "greater_than_equal": "should be at least {ge}",
    "less_than": "should be less than {lt}",
    "less_than_equal": "should be at most {le}",
    "multiple_of": "should be a multiple of {multiple_of}",
    "finite_number": "should be a finite number",
    "string_too_short": "should have at least {min_length} characters",
    "string_too_long": "should have at most {max_length} characters",
    "string_pattern_mismatch": "should match the pattern {pattern}",
    "too_short": "should have at least {min_length} items",
    "too_long": "should have at most {max_length} items",
    "literal_error": "should be {expected}",
    "enum": "should be {expected}",
    "none_required": "should be null",
    "union_tag_not_found": "should have the key {discriminator}",
    "union_tag_invalid": "should have one of {expected_tags} as {discriminator}",
}
_MSGSPEC_NOUNS = {
    "int": "an integer",
    "float": "a number",
    "decimal": "a number",
    "bool": "a boolean",
    "str": "a string",
    "object": "a mapping",
    "array": "a list",
    "null": "null",
    "date": "a date",
    "datetime": "a date and time",
    "time": "a time",
    "duration": "a duration",
    "uuid": "a UUID",
    "bytes": "binary data",
}
_MSGSPEC_PLACE = re.compile(r" - at (`key` in )?`\$(?P<path>.*)`$", re.DOTALL)
_MSGSPEC_KEY = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
_MSGSPEC_TYPE = re.compile(r"Expected `([a-z0-9 |]+)`, got `(\w+)`")
_MSGSPEC_BOUND = re.compile(r"Expected `\w+`( of length)? (>=|<=|>|<) (\S+)")
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}


def from_pydantic(error: Any, tree: Tree) -> list[Problem]:
    """Give a problem for each finding of a pydantic `ValidationError`."""
    found = error.errors(include_input=False, include_url=False)
    return [_from_pydantic_finding(finding, tree) for finding in found]


def from_msgspec(error: Exception, tree: Tree) -> Problem:
    """Give the problem of a msgspec `ValidationError`, which stops at the first."""
    message = str(error)
    place = _MSGSPEC_PLACE.search(message)
    path = _msgspec_path(place["path"] if place else "", tree)
    if place is not None:
        message = message[: place.start()]
    if error.__cause__ is not None:  # raised by a `__post_init__`: not msgspec's words
        return Problem(_foreign(error.__cause__, tree), key_path=path)
    missing = _MSGSPEC_KEY.fullmatch(message)
    if missing is not None:
        reason = "is missing" if missing[1].startswith("missing") else "is not a known key"
        return Problem(reason, key_path=(*path, missing[2]))
    return Problem(_msgspec_reason(message, tree), key_path=path)


def from_exception(error: Exception, tree: Tree) -> Problem:
    """Give the problem of an exception that a validator raised, its text scrubbed."""
    return Problem(_foreign(error, tree))


def _from_pydantic_finding(finding: dict[str, Any], tree: Tree) -> Problem:
    kind: str = finding["type"]
    path, value = _pydantic_path(finding["loc"], kind == "missing", tree)
    context: dict[str, Any] = finding.get("ctx", {})
    if kind in ("value_error", "assertion_error"):
        return Problem(_foreign(context["error"], tree), key_path=path)
    if kind in _PYDANTIC_RULES:
        return Problem(_PYDANTIC_RULES[kind].format_map(context), key_path=path)
    wanted = _PYDANTIC_KIND.fullmatch(kind)
    if wanted is not None and wanted[1] in _PYDANTIC_NOUNS:
        return Problem(_mismatch(_PYDANTIC_NOUNS[wanted[1]], value), key_path=path)
    message = scrub(finding["msg"], tree).removeprefix("Input ")
    return Problem(message, key_path=path)


def _pydantic_path(
    location: tuple[str | int, ...], missing: bool, tree: Tree
) -> tuple[KeyPath, object]:
    """Keep of a location what the file has: pydantic also names union members and validators."""
    path: KeyPath = ()
    node: Any = tree
    for key in location:
        if _has(node, key):
            path, node = (*path, key), node[key]
    if missing and isinstance(location[-1], str):
        path = (*path, location[-1])
    return path, node


def _has(node: object, key: Key) -> bool:
    if is_dict(node):
        return key in node
    return is_list(node) and isinstance(key, int) and key < len(node)


def _msgspec_path(text: str, tree: Tree) -> KeyPath:
    """Read `.a.b[0]`; stop at `[...]`, which stands for a key that msgspec does not tell."""
    path: KeyPath = ()
    node: Any = tree
    while (step := _msgspec_step(text, node)) is not None:
        key, text = step
        path, node = (*path, key), node[key]
    return path


def _msgspec_step(text: str, node: object) -> tuple[Key, str] | None:
    """Give the first key of a path that the tree has, and the rest of the path."""
    if is_dict(node) and text.startswith("."):
        fitting = [key for key in node if isinstance(key, str) and _starts(text[1:], key)]
        longest = max(fitting, key=len, default=None)
        return None if longest is None else (longest, text[1 + len(longest) :])
    index = re.match(r"\[(\d+)\]", text)
    if index is None or not _has(node, int(index[1])) or is_dict(node):
        return None
    return int(index[1]), text[index.end() :]


def _starts(text: str, key: str) -> bool:
    return text.startswith(key) and text[len(key) : len(key) + 1] in ("", ".", "[")


def _msgspec_reason(message: str, tree: Tree) -> str:
    kinds = _MSGSPEC_TYPE.fullmatch(message)
    if kinds is not None:
        wanted = " or ".join(_MSGSPEC_NOUNS.get(name, name) for name in kinds[1].split(" | "))
        return f"should be {wanted}, not {_MSGSPEC_NOUNS.get(kinds[2], kinds[2])}"
    bound = _MSGSPEC_BOUND.fullmatch(message)
    if bound is not None:
        return f"should {'have length' if bound[1] else 'be'} {_BOUNDS[bound[2]]} {bound[3]}"
    if message.startswith("Invalid enum value"):
        return "is not one of the values allowed here"
    return scrub(message, tree).replace("Expected ", "should be ", 1)


def _mismatch(wanted: str, value: object) -> str:
    noun = next((noun for kind, noun in _NOUNS.items() if type(value) is kind), None)
    found = f", not {noun}" if noun is not None and noun != wanted else ""
    return f"should be {wanted}{found}"


def _foreign(error: BaseException, tree: Tree) -> str:
    message = scrub(str(error), tree).strip()
    kind = type(error).__name__
    return f"{kind}: {message}" if message else kind
