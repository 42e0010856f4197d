"""Show a line of a document with its keys and a caret, and every value of it hidden.

Takes what is known of a document and a place; only what is known to be a key, and the signs
around keys, are ever shown.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from .._config.redact import MASK
from ..parsers import Span, Survey
from ..types import printable
from ._output import columns

__all__ = ["Excerpt", "excerpt"]

_MOST: Final = 66
_GAP: Final = re.compile(r"\s*[:=]?\s*[\[{]*\s*")
_AFTER: Final = " \t\r\n\f\v]},[{"
_KEY: Final = re.compile(r"""(["']?)[\w.$/-]*\1|\[{1,2}[\w.$/"'-]+\]{1,2}""")
_BEFORE: Final = re.compile(r"[-\s\[{,]*\Z")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """Numbered lines, and the column of the last one under which the caret goes, from 0."""

    lines: tuple[tuple[int, str], ...]
    caret: int


@dataclass(frozen=True, slots=True)
class _Piece:
    """A part of a line: where it begins in it, and how it is shown."""

    start: int
    end: int
    shown: str
    is_masked: bool = False


def excerpt(known: Survey, line: int, column: int) -> Excerpt:
    """Show the line, and above it the key of the mapping that begins there."""
    start = _start_of(known.text, line)
    shown, caret = _window(*_rendered(known, start, column - 1))
    parent = _parent(known, start + column - 1)
    if parent is None:
        return Excerpt(((line, shown),), caret)
    above = known.text.count("\n", 0, parent[0]) + 1
    start_above = _start_of(known.text, above)
    line_above, _ = _window(*_rendered(known, start_above, parent[0] - start_above))
    return Excerpt(((above, line_above), (line, shown)), caret)


def _parent(known: Survey, index: int) -> Span | None:
    """Return the key whose mapping begins at a key that stands on a line further down."""
    if not any(start == index for start, _ in known.keys):
        return None
    before = [span for span in known.keys if span[1] <= index]
    if not before or "\n" not in known.text[before[-1][1] : index]:
        return None
    between = known.text[before[-1][1] : index].split("\n")[0]
    return before[-1] if re.fullmatch(r"\s*:[\s{\[]*(?:#.*)?", between) else None


def _start_of(text: str, line: int) -> int:
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
    return start


def _rendered(known: Survey, start: int, caret: int) -> tuple[str, int]:
    end = known.text.find("\n", start)
    line = known.text[start : end if end >= 0 else len(known.text)].rstrip("\r")
    inside = [
        (s - start, e - start) for s, e in known.keys if start <= s and e <= start + len(line)
    ]
    shown, place = "", None
    for piece in _pieces(line, sorted(set(inside))):
        if piece.start <= caret < piece.end:
            before = "" if piece.is_masked else _verbatim(line[piece.start : caret])
            place = len(shown + before)
        shown += piece.shown
    return shown, len(shown) if place is None else place


def _pieces(line: str, keys: list[Span]) -> Iterator[_Piece]:
    lead = len(line) - len(line.lstrip())
    yield _Piece(0, lead, _verbatim(line[:lead]))
    position = lead
    if not keys:
        yield from _gap(line, position, len(line), structural=False)
        return
    for number, (start, end) in enumerate(keys):
        yield from _gap(line, position, start, structural=number > 0, is_last=False)
        key = line[start:end]
        plain = _is_plain(key)
        yield _Piece(start, end, _verbatim(key) if plain else MASK, is_masked=not plain)
        position = end
    yield from _gap(line, position, len(line), structural=True)


def _gap(
    line: str, start: int, end: int, *, structural: bool, is_last: bool = True
) -> Iterator[_Piece]:
    """Show what is between keys: the signs before and after a value, and the value hidden."""
    text = line[start:end]
    if not is_last and _BEFORE.match(text):
        yield _Piece(start, end, _verbatim(text))
        return
    if not structural:
        if text.startswith("#") or not text:
            return
        yield _Piece(start, end, MASK if is_last else f"{MASK}, ", is_masked=True)
        return
    found = _GAP.match(text)
    before = found.group() if found else ""
    value = text[len(before) :].rstrip(_AFTER)
    after = text[len(before) + len(value) :]
    if is_last:
        value, after = (value + after).rstrip(), ""
    yield _Piece(start, start + len(before), _verbatim(before))
    if value and not value.startswith("#"):
        begins = start + len(before)
        yield _Piece(begins, begins + len(value), MASK, is_masked=True)
    if after:
        yield _Piece(end - len(after), end, _verbatim(after))


def _is_plain(key: str) -> bool:
    """Distinguish a key from what a missing or a further quote made one of, values included."""
    return _KEY.fullmatch(key) is not None


def _verbatim(text: str) -> str:
    return printable(text.replace("\t", " "))


def _window(shown: str, caret: int) -> tuple[str, int]:
    """Cut a long line to what is around the caret; give it with the caret's column."""
    first = max(0, min(caret - _MOST // 2, len(shown) - _MOST))
    part = shown[first : first + _MOST]
    if first:
        part = "…" + part[1:]
    if first + _MOST < len(shown):
        part = part[:-1] + "…"
    return part.rstrip(), columns(part[: caret - first])
