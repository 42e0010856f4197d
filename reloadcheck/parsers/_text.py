"""Turn a document's bytes into text, or say at which character they cannot be used.

All formats share these rules, so that the same content gets the same verdict in each. Nothing here
knows a format, and no reason quotes the text.
"""

import re
from typing import Final

from ..types import KeyPath, Pause

BOM: Final = "\ufeff"
SMALL: Final = 8 * 1024
"""Texts up to this many characters are read without a pause."""

_PORTION: Final = 16 * 1024
# What YAML does not print, and the three line ends that YAML knows and most editors do not: formats
# and editors disagree about where a line ends there, so they may only be written as escapes.
_UNFIT: Final = re.compile(
    "[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
)
_BARE_RETURN: Final = re.compile("\r(?!\n)")


class Refusal(Exception):
    """What is wrong, and at which character; the border turns it into the public error.

    `index` counts characters from 0 in the text without its byte order mark.
    """

    def __init__(self, reason: str, index: int | None = None, key_path: KeyPath = ()) -> None:
        super().__init__(reason)
        self.reason = reason
        self.index = index
        self.key_path = key_path


class Empty(Refusal):
    """There is no content at all, as in the middle of many a rewrite."""


def decode(data: bytes, pause: Pause) -> str:
    """Decode strict UTF-8 without its byte order mark; refuse what not every format can hold."""
    flaw: UnicodeDecodeError
    try:
        text = data.decode().removeprefix(BOM)
    except UnicodeDecodeError as error:
        flaw = error
    else:
        _check_characters(text, pause)
        return text
    if data[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise Refusal("is UTF-16; it must be UTF-8", 0)
    before = data[: flaw.start].decode().removeprefix(BOM)
    raise Refusal("is not UTF-8 from here", len(before))


def decode_anyhow(data: bytes) -> str:
    """Decode what may have been refused, with every character before the flaw in its place."""
    return data.decode(errors="replace").removeprefix(BOM)


def position(text: str, index: int) -> tuple[int, int]:
    """Return line and column, both from 1, the way an editor counts them."""
    line = text.count("\n", 0, index) + 1
    return line, index - text.rfind("\n", 0, index)


def refuse_surrogates(value: str) -> str:
    """Return the string unless it cannot be encoded: an escape wrote half a character."""
    if not value.isascii():
        try:
            value.encode()
        except UnicodeEncodeError:
            raise Refusal("an escape stands for half a character (a lone surrogate)") from None
    return value


def _check_characters(text: str, pause: Pause) -> None:
    # In portions: one search over a megabyte would hold the interpreter lock for milliseconds.
    for start in range(0, len(text), _PORTION):
        found = _UNFIT.search(text, start, start + _PORTION)
        if found is not None:
            raise Refusal(_unfit_reason(found.group()), found.start())
        if start:
            pause()
    if text.count("\r") != text.count("\r\n"):
        found = _BARE_RETURN.search(text)
        raise Refusal(
            "a carriage return without a line feed; end lines with LF or CRLF",
            found.start() if found else None,
        )


def _unfit_reason(char: str) -> str:
    if char == BOM:
        return "a byte order mark may stand only at the very beginning"
    return f"the character U+{ord(char):04X} may be written only as an escape"
