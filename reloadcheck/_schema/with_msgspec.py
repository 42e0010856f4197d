"""Validates a tree by msgspec, and says what it found wrong at the file's own keys.

Msgspec stops at the first problem, tells its place in a sentence, and does not tell the keys of
mappings (`$.services[...]`); the others and the keys are found by validating parts again.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pathlib import PurePath
from typing import Any

from .._config.containers import is_dict, is_list
from .._config.redact import Scrubber
from ..exceptions import SchemaClassError, SchemaError
from ..types import Key, KeyPath, Problem, Tree
from .messages import foreign_reason, mismatch
from .shapes import shape_of

__all__ = ["MsgspecValidator"]

_NOUNS = {
    "array": "a list",
    "bool": "a boolean",
    "bytes": "binary data",
    "date": "a date",
    "datetime": "a date and time",
    "decimal": "a number",
    "duration": "a duration",
    "float": "a number",
    "int": "an integer",
    "null": "null",
    "object": "a mapping",
    "str": "a string",
    "time": "a time",
    "uuid": "a UUID",
}
_PLACE = re.compile(r" - at (?P<key>`key` in )?`\$(?P<path>.*)`$", re.DOTALL)
_FIELD = re.compile(r"Object (missing required|contains unknown) field `(.*)`", re.DOTALL)
_TYPES = re.compile(r"Expected `([a-z0-9 |]+)`, got `(\w+)`")
_BOUND = re.compile(r"Expected `\w+`( of length)? (>=|<=|>|<) (\S+)")
_BOUNDS = {">=": "at least", "<=": "at most", ">": "more than", "<": "less than"}
_UNTOLD = "[...]"


class MsgspecValidator:
    """Converts to one struct or dataclass in msgspec's strict mode."""

    def __init__(self, schema: Any) -> None:
        self._msgspec: Any = import_module("msgspec")
        self._schema = schema
        try:
            self._msgspec.json.Decoder(schema)
        except TypeError as error:
            raise SchemaClassError(f"msgspec cannot convert to this schema: {error}") from None

    def __call__(self, tree: Tree) -> Any:
        """Return the validated object; raise SchemaError with all problems."""
        try:
            return self._msgspec.convert(tree, self._schema, dec_hook=_decode, str_keys=True)
        except self._msgspec.ValidationError:
            pass
        raise SchemaError(*self._problems(self._schema, tree, Scrubber(tree)))

    def _problems(self, annotation: Any, node: object, scrub: Scrubber) -> list[Problem]:
        """Return all problems of one part, by validating the parts of it that stand alone."""
        try:
            self._msgspec.convert(node, annotation, dec_hook=_decode, str_keys=True)
        except self._msgspec.ValidationError as error:
            message, cause = str(error), error.__cause__
        else:
            return []
        found: list[Problem] = []
        shape = shape_of(annotation, node)
        for key, inner, part in shape.parts:
            problems = self._problems(inner, part, scrub)
            found += [replace(one, key_path=(key, *one.key_path)) for one in problems]
        found += [Problem("is missing", key_path=(key,)) for key in shape.missing]
        found += [Problem("is not a known key", key_path=(key,)) for key in shape.unknown]
        return found or [self._problem(message, cause, annotation, node, scrub)]

    def _problem(
        self,
        message: str,
        cause: BaseException | None,
        annotation: Any,
        node: object,
        scrub: Scrubber,
    ) -> Problem:
        place = _PLACE.search(message)
        sentence = message if place is None else message[: place.start()]
        in_key = place is not None and place["key"] is not None
        text = "" if place is None else place["path"] + (_UNTOLD if in_key else "")
        trail = _Trail(node, lambda part: self._message(part, annotation) == message)
        path = trail.follow(text)
        if cause is not None:  # raised by the class's own code, so these are not msgspec's words
            return Problem(foreign_reason(cause, scrub), key_path=path)
        field = _FIELD.fullmatch(sentence)
        if field is not None:
            reason = "is missing" if field[1].startswith("missing") else "is not a known key"
            return Problem(reason, key_path=(*path, field[2]))
        reason = _reason(sentence, scrub)
        return Problem(f"as a key {reason}" if in_key else reason, key_path=path)

    def _message(self, node: object, annotation: Any) -> str | None:
        try:
            self._msgspec.convert(node, annotation, dec_hook=_decode, str_keys=True)
        except self._msgspec.ValidationError as error:
            return str(error)
        return None


class _Trail:
    """Reads msgspec's `.database.hosts[0]` along a tree."""

    def __init__(self, tree: object, fails_alike: Callable[[object], bool]) -> None:
        self._tree = tree
        self._fails_alike = fails_alike

    def follow(self, text: str) -> KeyPath:
        """Return the keys of a path as far as the tree has them."""
        path: KeyPath = ()
        node: Any = self._tree
        while (step := self._step(text, node, path)) is not None:
            key, text = step
            path, node = (*path, key if isinstance(key, int) else str(key)), node[key]
        return path

    def _step(self, text: str, node: object, path: KeyPath) -> tuple[Key, str] | None:
        if is_dict(node) and text.startswith("."):
            fitting = [key for key in node if isinstance(key, str) and _starts(text[1:], key)]
            longest = max(fitting, key=len, default=None)
            return None if longest is None else (longest, text[1 + len(longest) :])
        if is_dict(node) and text.startswith(_UNTOLD):
            key = self._culprit([*node], path)
            return None if key is None else (key, text[len(_UNTOLD) :])
        index = re.match(r"\[(\d+)\]", text)
        if index is None or not is_list(node):
            return None
        return int(index[1]), text[index.end() :]

    def _culprit(self, keys: list[Key], path: KeyPath) -> Key | None:
        """Find by halving the key whose value alone makes validation fail alike."""
        while len(keys) > 1:
            half = len(keys) // 2
            first = self._fails_alike(_keeping(self._tree, path, keys[:half]))
            keys = keys[:half] if first else keys[half:]
        found = bool(keys) and self._fails_alike(_keeping(self._tree, path, keys))
        return keys[0] if found else None


def _keeping(node: Any, path: KeyPath, keys: list[Key]) -> Any:
    """Copy a tree with only these keys in the mapping at `path`."""
    if not path:
        return {key: node[key] for key in keys}
    copy = node.copy()
    copy[path[0]] = _keeping(node[path[0]], path[1:], keys)
    return copy


def _starts(text: str, key: str) -> bool:
    return text.startswith(key) and text[len(key) : len(key) + 1] in ("", ".", "[")


def _reason(message: str, scrub: Scrubber) -> str:
    types = _TYPES.fullmatch(message)
    if types is not None:
        wanted = " or ".join(_NOUNS.get(name, name) for name in types[1].split(" | "))
        return mismatch(wanted, _NOUNS.get(types[2], types[2]))
    bound = _BOUND.fullmatch(message)
    if bound is not None:
        return f"should {'have length' if bound[1] else 'be'} {_BOUNDS[bound[2]]} {bound[3]}"
    if message.startswith("Invalid enum value"):
        return "is not one of the values allowed here"
    return scrub(message).replace("Expected ", "should be ", 1)


def _decode(kind: type, value: object) -> object:
    """Make what msgspec has no rule for."""
    if not issubclass(kind, PurePath):  # what msgspec's dec_hook is to raise for a foreign type
        raise NotImplementedError(f"msgspec cannot convert to {kind.__name__}")
    if not isinstance(value, str):
        raise TypeError("a path should be a string")
    return kind(value)
