"""The part of the page for people that shows a trial: who has which share, what failed, how likely.

Pure: from what is known to pieces of a document; the plots are drawn in its text, without a script.
"""

import math
from collections.abc import Iterator
from typing import Final

from ..types import ShadowStatus, SignalStatus, TrialStatus
from .html_markup import NONE, shown, table, text_of

_WIDE: Final = 320
_LEAST: Final = 6.0
"""The plot ends at a luck of ten to the minus so many."""


def trial(one: TrialStatus | None, serving: int | None, *, running: bool) -> Iterator[str]:
    """Show the trial or the watch that is on, or how the last one ended."""
    if one is None:
        return
    titles = {"trying": "On trial", "watching": "Watched after its trial"}
    title = titles.get(one.phase, one.phase) if running else "The last trial"
    yield '<section aria-labelledby="trial">'
    yield f'<h2 id="trial">{shown(title)}: version {one.version}</h2>'
    if running and one.phase == "trying":
        yield f"<p>{_shares(one.share, one.version, serving)}</p>"
    left = f"; {one.ends}" if running else ""
    yield (
        f"<p>{one.units} units of work on it, {one.baseline_units} on the version before{left}</p>"
    )
    if one.explanation:
        yield f"<p>{shown(one.explanation)}</p>"
    elif not running:
        yield "<p>It ended without a verdict.</p>"
    if one.shadow is not None:
        yield from _shadow(one.shadow)
    rows = [(shown(signal.name), _cells(signal)) for signal in one.signals]
    if not rows:
        yield '<p class="soft">Nothing bad was seen on either version.</p>'
    else:
        yield from table("trial", "Bad units", ["On it", "In all", "Luck"], rows)
        yield (
            '<p class="soft">Luck: how likely a harmless edit ever looks this bad. The bar grows '
            "as it falls; at the mark, 1 in 1,000, an edit is undone, if nothing else is said.</p>"
        )
    yield "</section>"


def _shadow(one: ShadowStatus) -> Iterator[str]:
    """Show what came of the requests that were made again."""
    first = f", the first of them {one.first}" if one.first else ""
    words = f"{one.compared} requests made again on both versions: {one.differing} differ{first}"
    raised = f"; compare= raised {one.error}" if one.error else ""
    yield f"<p>{shown(words + raised)}</p>"


def _cells(one: SignalStatus) -> list[tuple[str, str]]:
    odds = f"1 in {min(1e9, 1 / max(one.luck, 1e-9)):,.0f}"
    return [
        ("On it", text_of(one.on_candidate)),
        ("In all", text_of(one.bad)),
        ("Luck", f"<span>{_falling(one.luck)} {odds}</span>" if one.bad else NONE),
    ]


def _shares(share: float, version: int, serving: int | None) -> str:
    """Draw who has which share of the units of work."""
    words = f"{share:.0%} to version {version}, {1 - share:.0%} to version {serving}"
    wide = max(2, round(share * _WIDE))
    return (
        f'<svg role="img" aria-label="{words}" width="{_WIDE}" height="14">'
        f'<rect width="{_WIDE}" height="14" rx="3" fill="var(--line)"></rect>'
        f'<rect width="{wide}" height="14" rx="3" fill="var(--warn)"></rect></svg> '
        f"<span>{words}</span>"
    )


def _falling(luck: float) -> str:
    """Draw how far the luck has fallen, in powers of ten, with the usual mark at the third."""
    depth = min(_LEAST, -math.log10(max(luck, 10**-_LEAST)))
    wide = round(depth / _LEAST * _WIDE / 2)
    tone = "var(--bad)" if depth >= 3 else "var(--warn)"
    return (
        f'<svg role="img" aria-label="luck {luck:.2g}" width="{_WIDE // 2}" height="12">'
        f'<rect width="{_WIDE // 2}" height="12" rx="3" fill="var(--line)"></rect>'
        f'<rect width="{wide}" height="12" rx="3" fill="{tone}"></rect>'
        f'<rect x="{_WIDE // 4}" width="2" height="12" fill="var(--ink)"></rect></svg>'
    )
