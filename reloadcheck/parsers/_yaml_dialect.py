"""Refuse the few texts of which libyaml and `yaml.safe_load` do not think alike.

Without this, whether a configuration loads would depend on how PyYAML was built.
"""

import re
from collections.abc import Iterator
from typing import Final

from yaml.events import (
    CollectionEndEvent,
    CollectionStartEvent,
    DocumentStartEvent,
    Event,
    ScalarEvent,
)

from ._patterns import compiled
from ._text import Refusal
from ._yaml_reasons import TAB

_TAB_OUTSIDE_COMMENT: Final = re.compile(r"#[^\n]*+|(\t)")
_DIRECTIVES: Final = compiled(r"(?:%YAML +1\.[12] *(?: #[^\n]*)?\r?\n|#[^\n]*\n|[ \r\n]++)*+---")


_BLOCK: Final = frozenset("|>")
_PORTION: Final = 16 * 1024
_COMMENT_AFTER_INDICATOR: Final = re.compile(r"#(?<=[|>+\-1-9]#)")
_COMMENT_AT_ONCE: Final = re.compile(r"[|>][-+1-9]{0,2}#")
_BEFORE_A_SCALAR: Final = compiled(
    r"(?:&[0-9A-Za-z_-]*+|![^ \t\r\n]*+|[ \t\r\n]++|#[^\n]*+){1,1000}"
)
"""Its anchor and tag, which may stand on lines of their own, with comments; some of them."""
_TAB_IN_MARGIN: Final = compiled(r"[|>][-+]?(?![-+0-9])[^\n]*\n(?: *\r?\n)*+ *(?=\t)")
_COLON_AT_ONCE: Final = re.compile(r"[ \r\n]*+:[,\[\]{}]")
_TAG_AT_COMMA: Final = re.compile(r"![^\s,!]*+,")


def suspect(text: str) -> bool:
    """Return whether the text has a character that the two parsers may read differently."""
    if "\t" in text or "?" in text or text.startswith("%") or "\n%" in text:
        return True
    # In portions: one search over megabytes would hold the interpreter lock for long.
    return any(_suspect(text, at, at + _PORTION) for at in range(0, len(text), _PORTION))


def _suspect(text: str, start: int, end: int) -> bool:
    if _COMMENT_AFTER_INDICATOR.search(text, start, end):
        return True
    last = text.rfind("!", start, end)
    if last < 0:
        return False
    # Only the last tag can go on in the next portion, as none has a second mark in it.
    found = _TAG_AT_COMMA.search(text, start, end) or _TAG_AT_COMMA.match(text, last)
    return found is not None


def checked(events: Iterator[Event], text: str) -> Iterator[Event]:
    """Pass the events on, as far as both parsers read the text alike."""
    done = 0
    brackets = 0
    for event in events:
        start, end = index_of(event), event.end_mark.index if event.end_mark else 0
        if isinstance(event, DocumentStartEvent):
            if text.startswith("%", start) and not _DIRECTIVES.match(text, start):
                raise Refusal("no directive but %YAML 1.1 may stand here", start)
        elif isinstance(event, ScalarEvent):
            written = _written(event, text, start)
            if event.style in _BLOCK and _COMMENT_AT_ONCE.match(text, written):
                raise Refusal("put a space before the # of this comment", written)
            if event.style in _BLOCK and (margin := _TAB_IN_MARGIN.match(text, written)):
                raise Refusal(TAB, margin.end())
            _refuse_tab(text, done, _inner(event, text, written, end))
            if not event.style and "\t" in text[written:end]:  # what is no comment, even after a #
                raise Refusal(TAB, text.index("\t", written))
            done = end
            if brackets and not event.style and event.value:
                _refuse_in_brackets(event.value, text, written, end)
            if event.tag and text.startswith(",", end) and _ends_in_tag(text[start:end]):
                raise Refusal("put a space between this tag and the comma", start)
        elif isinstance(event, CollectionStartEvent):
            brackets += bool(brackets or event.flow_style)
        elif isinstance(event, CollectionEndEvent):
            brackets -= bool(brackets)
        yield event
    _refuse_tab(text, done, len(text))


def index_of(event: Event) -> int:
    """Return the character at which an event begins."""
    return 0 if event.start_mark is None else event.start_mark.index


def _refuse_in_brackets(value: str, text: str, start: int, end: int) -> None:
    if "?" in value:
        raise Refusal("put text with a question mark inside brackets in quotes", start)
    if colon := _COLON_AT_ONCE.match(text, end):
        raise Refusal("put a space after this colon", colon.end() - 2)


def _ends_in_tag(node: str) -> bool:
    """Return whether the last that stands in a node, after an anchor perhaps, is its tag."""
    return node.split()[-1].startswith("!")


def _written(event: ScalarEvent, text: str, start: int) -> int:
    """Return where the scalar itself begins, behind its anchor and tag."""
    if event.anchor or event.tag:
        while found := _BEFORE_A_SCALAR.match(text, start):
            start = found.end()
    return start


def _inner(event: ScalarEvent, text: str, written: int, end: int) -> int:
    """Return where the part of a scalar begins in which a tab is text like any other."""
    if event.style not in _BLOCK:
        return written
    line_end = text.find("\n", written, end)
    return end if line_end < 0 else line_end


def _refuse_tab(text: str, start: int, end: int) -> None:
    for found in _TAB_OUTSIDE_COMMENT.finditer(text, start, end):
        if found[1]:
            raise Refusal(TAB, found.start())
