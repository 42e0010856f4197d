"""The small pieces that the page for people is made of: escaped texts, badges, tables, times.

Everything that comes from outside goes through `shown`, which escapes what could end an element,
forge a line or turn the reading direction.
"""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from html import escape
from typing import Final, TypeAlias

from ..types import printable

Cell: TypeAlias = tuple[str, str]
"""A column's name and what stands in it."""

NONE: Final = '<span class="soft">none</span>'


def table(
    kind: str, first: str, names: Sequence[str], rows: Sequence[tuple[str, Sequence[Cell]]]
) -> Iterator[str]:
    """Return a table that stays one for a screen reader where a phone shows it as a list."""
    if not rows:
        yield f"<p>{NONE}</p>"
        return
    heads = "".join(f'<th role="columnheader" scope="col">{name}</th>' for name in (first, *names))
    yield f'<table class="{kind}" role="table" aria-labelledby="{kind}">'
    yield f'<thead role="rowgroup"><tr role="row">{heads}</tr></thead>'
    yield '<tbody role="rowgroup">'
    for head, cells in rows:
        yield (
            f'<tr role="row"><th role="rowheader" scope="row">{head}</th>'
            + "".join(f'<td role="cell" data-label="{name}">{cell}</td>' for name, cell in cells)
            + "</tr>"
        )
    yield "</tbody>"
    yield "</table>"


def error(text: str, tone: str, remedy: str | None = None) -> str:
    """Return a sentence that must be read, and below it what to do about it."""
    told = f'<p class="error {"warn" if tone == "warn" else "bad"}">{breaking(text)}</p>'
    return told if remedy is None else f'{told}<p class="remedy">What to do: {shown(remedy)}</p>'


def badge(word: str, tone: str) -> str:
    """Return a word on a coloured ground; `tone` is good, warn, bad or empty."""
    return f'<span class="badge {tone}">{shown(word)}</span>'


def code(text: str | None) -> str:
    """Return a text as it stands in a file."""
    return NONE if text is None else f"<code>{breaking(text)}</code>"


def text_of(value: object) -> str:
    """Return a value as words."""
    return NONE if value is None else f"<span>{shown(str(value))}</span>"


def breaking(text: str) -> str:
    """Let a long path break after a slash rather than anywhere."""
    return shown(text).replace("/", "/<wbr>")


def shown(text: str) -> str:
    """Escape a text for an element or an attribute."""
    return escape(printable(text))


def time_of(seconds: float) -> str:
    """Return a moment, for people and for programs."""
    moment = datetime.fromtimestamp(seconds, UTC)
    machine = moment.isoformat(timespec="seconds")
    return f'<time datetime="{machine}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'


def lasting(seconds: float) -> str:
    """Return how long something took."""
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"
