"""Find where each key and value of a TOML text begins, without recursion and without building.

Run before the library's parser, which recurses, and whose time and memory grow with the square of a
key's parts; run again to locate. It understands at least what TOML allows and stops at the rest.
"""

import re
import tomllib
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Final, TypeAlias

from ..types import KeyPath
from ._limits import MAX_DEPTH, MAX_NUMBER, TOO_DEEP, short
from ._patterns import compiled
from ._text import Refusal

Found: TypeAlias = tuple[KeyPath, int]

_BLANK: Final = compiled(r"(?:[ \t\r\n]++|#[^\n]*+)*+")
_SPACE: Final = re.compile(r"[ \t]*+")
_LINE_END: Final = re.compile(r"[ \t]*+(?:#[^\n]*+)?(?:\r?\n|\Z)")
_KEY: Final = compiled(
    r"""(?P<bare>[A-Za-z0-9_-]++)|"(?P<basic>[^"\\\n]*+(?:\\.[^"\\\n]*+)*+)"|'(?P<literal>[^'\n]*+)'"""
)
_TEXT: Final = compiled(
    r'''"""(?:[^"\\]++|\\.|"(?!""))*+""""{0,2}+'''
    r"""|\'\'\'(?:[^']++|'(?!''))*+\'\'\''{0,2}+"""
    r'''|(?!""")"[^"\\\n]*+(?:\\.[^"\\\n]*+)*+"'''
    r"""|(?!''')'[^'\n]*+'""",
    re.DOTALL,
)
_BARE: Final = re.compile(r"[^,\]}#\n]*+")


@dataclass(slots=True)
class _Open:
    """An array or inline table whose end has not been seen; `count` is of its items so far."""

    path: KeyPath
    end: str
    count: int = 0


def scan(text: str) -> Iterator[Found]:
    """Return each key path with the character at which its value or its table begins."""
    header: KeyPath = ()
    arrays: dict[KeyPath, int] = {}
    position = _skip(_BLANK, text, 0)
    while position < len(text):
        start = position
        if text[position] == "[":
            double = text.startswith("[[", position)
            position, keys = _keys(text, position + 1 + double)
            position = _expect(text, position, "]]" if double else "]")
            header = _table(keys, arrays, double, start)
            yield header, start
        else:
            position, keys = _keys(text, position)
            position = _expect(text, position, "=")
            position = yield from _value(
                text, position, _inside(header + keys[:-1], start) + keys[-1:]
            )
        position = _line_end(text, position)
        position = _skip(_BLANK, text, position)


def _table(keys: KeyPath, arrays: dict[KeyPath, int], double: bool, start: int) -> KeyPath:
    """Return the key path of a header; a name in it that is an array means its last table."""
    path: KeyPath = ()
    for key in keys[:-1]:
        path += (key,)
        if path in arrays:
            path += (arrays[path] - 1,)
    path += keys[-1:]
    if double:
        arrays[path] = arrays.get(path, 0) + 1
        path += (arrays[path] - 1,)
    return _inside(path, start)


def _value(text: str, position: int, path: KeyPath) -> Generator[Found, None, int]:
    """Return the value at `path` and all that is inside it; return where it ends."""
    opened: list[_Open] = []
    while True:
        position = _skip(_SPACE, text, position)
        yield path, position
        if text[position : position + 1] in ("[", "{"):
            opened.append(_Open(_inside(path, position), "]" if text[position] == "[" else "}"))
            position += 1
        else:
            position = _scalar(text, position)
            position = _separator(text, position, opened)
        position = _close(text, position, opened)
        if not opened:
            return position
        position, path = _next_item(text, position, opened[-1])


def _close(text: str, position: int, opened: list[_Open]) -> int:
    """Go over the ends of arrays and tables, and the comma after each, to the next item."""
    position = _skip(_BLANK, text, position) if opened else position
    while opened and text.startswith(opened[-1].end, position):
        opened.pop()
        position = _separator(text, position + 1, opened)
    return position


def _separator(text: str, position: int, opened: list[_Open]) -> int:
    """Go over the comma that may follow a value inside an array or table."""
    if not opened:
        return position
    position = _skip(_BLANK, text, position)
    if text.startswith(",", position):
        return _skip(_BLANK, text, position + 1)
    if text.startswith(opened[-1].end, position):
        return position
    raise Refusal("a comma is missing here, or the list or table is not closed", position)


def _next_item(text: str, position: int, inside: _Open) -> tuple[int, KeyPath]:
    if inside.end == "]":
        inside.count += 1
        return position, (*inside.path, inside.count - 1)
    start = position
    position, keys = _keys(text, position)
    return _expect(text, position, "="), (*_inside(inside.path + keys[:-1], start), keys[-1])


def _keys(text: str, position: int) -> tuple[int, tuple[str, ...]]:
    """Return the parts of a dotted key, and where it ends."""
    keys: list[str] = []
    start = position
    while True:
        found = _KEY.match(text, _skip(_SPACE, text, position))
        if found is None:
            raise Refusal("a key is expected here", _skip(_SPACE, text, position))
        keys.append(_plain(found))
        if len(keys) > MAX_DEPTH:
            raise Refusal(TOO_DEEP, start)
        position = _skip(_SPACE, text, found.end())
        if not text.startswith(".", position):
            return position, tuple(keys)
        position += 1


def _plain(found: re.Match[str]) -> str:
    basic = found["basic"]
    if basic is None or "\\" not in basic:
        return str(found[found.lastgroup or 0])
    try:
        return str(tomllib.loads(f'key = "{basic}"')["key"])
    except ValueError:
        raise Refusal("an escape that TOML does not know", found.start()) from None


def _scalar(text: str, position: int) -> int:
    """Return where the value that begins here ends; what it is worth is not looked at."""
    if text.startswith(('"', "'"), position):
        found = _TEXT.match(text, position)
        if found is None:
            raise Refusal("the text that begins here in quotes does not end", position)
        return found.end()
    end = _skip(_BARE, text, position)
    try:
        short(text[position : min(end, position + 2 * MAX_NUMBER)].rstrip())
    except Refusal as refusal:
        refusal.index = position
        raise
    return end


def _inside(path: KeyPath, index: int) -> KeyPath:
    """Return the path of a container unless it is nested too deep; the root is the first."""
    if len(path) >= MAX_DEPTH:
        raise Refusal(TOO_DEEP, index, path)
    return path


def _expect(text: str, position: int, what: str) -> int:
    if text.startswith(what, position):
        return position + len(what)
    raise Refusal(f"{what} is expected here", position)


def _line_end(text: str, position: int) -> int:
    found = _LINE_END.match(text, position)
    if found is None:
        raise Refusal("the line should end here", position)
    return found.end()


def _skip(pattern: re.Pattern[str], text: str, position: int) -> int:
    found = pattern.match(text, position)
    return position if found is None else found.end()
