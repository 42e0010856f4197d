"""Read the lines of a `.env` file, as its common readers agree on them.

Takes a text, gives each variable's name, text and place; expands nothing and runs nothing.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from ..types import Pause
from ._patterns import compiled
from ._text import SMALL, Refusal

__all__ = ["Assignment", "assignments"]

_BLANK: Final = compiled(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_NAME: Final = compiled(
    r"(?:export[ \t]++)?+(?P<name>[A-Za-z_][A-Za-z0-9_.-]*+)[ \t]*+(?P<sign>=?)[ \t]*+"
)
_SINGLE: Final = compiled(r"'([^']*+)'")
_DOUBLE: Final = compiled(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_COMMENT: Final = re.compile(r"(?<=[ \t])#")
_AFTER: Final = compiled(r"[ \t]*+(?:#[^\n]*+)?+\r?+(?:\n|\Z)")
_ESCAPES: Final = re.compile(r"\\(.)", re.DOTALL)
_ESCAPED: Final = {"n": "\n", "r": "\r", "t": "\t", '"': '"', "\\": "\\", "$": "$", "'": "'"}
_EXPANSION: Final = re.compile(r"(?<!\\)\$(?:\{|\()")
_LINES_BETWEEN_PAUSES: Final = 100


@dataclass(frozen=True, slots=True)
class Assignment:
    """A variable's name and text, and the character that its line begins with."""

    name: str
    text: str = field(repr=False)
    index: int


def assignments(text: str, pause: Pause) -> Iterator[Assignment]:
    """Return the variables in order; refuse a line that is none, and a name that comes twice."""
    seen: set[str] = set()
    position = _end(_BLANK.match(text))
    while position < len(text):
        start = position
        found = _NAME.match(text, position)
        if found is None:
            raise Refusal("a variable's name is expected here", start)
        name = found["name"]
        if not found["sign"]:
            raise Refusal("= is expected after the variable's name", found.end())
        if name in seen:
            raise Refusal("the variable is there twice", start)
        seen.add(name)
        value, position = _value(text, found.end())
        yield Assignment(name, value, start)
        if len(text) > SMALL and not len(seen) % _LINES_BETWEEN_PAUSES:
            pause()
        position = _end(_BLANK.match(text, position))


def _value(text: str, start: int) -> tuple[str, int]:
    """Return a value and where the next line begins."""
    quote = text[start : start + 1]
    if quote not in ("'", '"'):
        return _plain(text, start)
    found = (_SINGLE if quote == "'" else _DOUBLE).match(text, start)
    if found is None:
        raise Refusal("the text that begins here in quotes does not end", start)
    after = _AFTER.match(text, found.end())
    if after is None:
        raise Refusal("the line should end after the quotes", found.end())
    value = found[1]
    if quote == '"':
        _refuse_expansion(value, start)
        value = _ESCAPES.sub(lambda escape: _ESCAPED.get(escape[1], escape[0]), value)
    return value, after.end()


def _plain(text: str, start: int) -> tuple[str, int]:
    line_end = text.find("\n", start)
    end = len(text) if line_end < 0 else line_end
    comment = _COMMENT.search(text, start, end)
    value = text[start : comment.start() if comment else end].strip(" \t\r")
    _refuse_expansion(value, start)
    return value, end + 1


def _refuse_expansion(value: str, start: int) -> None:
    """Refuse what some readers replace by another variable, and others take as it is written."""
    if _EXPANSION.search(value):
        raise Refusal("nothing is expanded here; single quotes take ${…} as it is", start)


def _end(found: re.Match[str] | None) -> int:
    return 0 if found is None else found.end()
