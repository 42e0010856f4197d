"""What a person or a program reads: lines of at most 80 columns, coloured on a terminal, or JSON.

Takes texts that came from anywhere and escapes them; knows no command.
"""

import json
import os
import sys
import textwrap
from collections.abc import Mapping
from typing import Any, TextIO
from unicodedata import east_asian_width

from .._config.containers import is_frozenset, is_set
from ..types import printable

__all__ = ["WIDTH", "Page", "columns", "cut"]

WIDTH = 80
_COLOURS = {
    **dict.fromkeys(("error", "fail"), "31;1"),
    **dict.fromkeys(("warning", "warn"), "33;1"),
    **dict.fromkeys(("good", "pass"), "32"),
    "dim": "2",
    "bold": "1",
}


class Page:
    """Prints to standard output; `colour` only where a terminal shows it and nobody minds."""

    def __init__(self, out: TextIO | None = None, environ: Mapping[str, str] = os.environ) -> None:
        self._out = sys.stdout if out is None else out
        wanted = not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"
        self.is_terminal = self._out.isatty()
        self._colour = wanted and self.is_terminal

    def paint(self, text: str, kind: str) -> str:
        """Colour a piece of text, which is counted by its length before."""
        return f"\x1b[{_COLOURS[kind]}m{text}\x1b[0m" if self._colour and text else text

    def line(self, text: str = "") -> None:
        """Print a line as it is; what is foreign in it has been escaped."""
        # What the terminal's encoding lacks is shown as an escape, not answered by a traceback.
        encoding = self._out.encoding or "utf-8"
        shown = text.encode(encoding, "backslashreplace").decode(encoding)
        print(shown, file=self._out, flush=True)

    def sentence(
        self,
        text: str,
        *,
        kind: str | None = None,
        mark: str = "",
        indent: int = 4,
        fold: bool = True,
    ) -> None:
        """Print a text, escaped and folded; the first `mark` in it is coloured as its kind."""
        wrapped = textwrap.wrap(
            printable(text),
            WIDTH if fold else len(text) * 10 + 1,
            subsequent_indent=" " * indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
        for line in wrapped:
            if kind is not None and mark in line:
                line, kind = line.replace(mark, self.paint(mark, kind), 1), None
            self.line(line)

    def text(self, text: str) -> None:
        """Print a report for programs, in ASCII or with what cannot be shown as escapes."""
        if text:
            self.line(text)

    def json(self, document: object, *, indent: int | None = 2) -> None:
        """Print a document as JSON in ASCII, so that no terminal is steered by it."""
        self.line(json.dumps(document, indent=indent, default=_spelled))


def columns(text: str) -> int:
    """Count the columns that a terminal gives to a text."""
    return sum(2 if east_asian_width(char) in "WF" else 1 for char in text)


def cut(text: str, most: int) -> str:
    """Shorten a text to a number of characters."""
    return text if len(text) <= most else text[: most - 1] + "…"


def _spelled(value: Any) -> Any:
    """Spell what JSON has no word for: dates, sets, the objects of a callable schema."""
    if is_set(value) or is_frozenset(value):
        return [*value]
    return value.isoformat() if hasattr(value, "isoformat") else type(value).__name__
