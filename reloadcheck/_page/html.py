"""The status page for people: one self-contained document that needs no script.

Pure: from what is known to text. Everything that comes from outside goes through `_shown`, which
escapes what could end an element, forge a line or turn the reading direction.
"""

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from typing import Final

from .._observe.history import Attempt
from .._observe.status import ProbeStatus, ResourceStatus, Status
from ..types import Code, Outcome, Place, ProbeOutcome, printable
from .style import STYLE
from .values import Leaf, Leaves

_MINUTE, _HOUR, _DAY = 60.0, 3_600.0, 86_400.0
_NONE: Final = '<span class="soft">none</span>'
_TONES: Final = {
    Outcome.RELOADED: "good",
    Outcome.UNCHANGED: "good",
    Outcome.DEFERRED: "warn",
    Outcome.REJECTED: "bad",
}
_TRIGGERS: Final = {
    "request": "because of a request",
    "lease": "because of a unit of work",
    "call": "asked for by name",
    "timer": "by the engine itself",
}
_WORDS: Final = {
    Outcome.RELOADED: "reloaded",
    Outcome.UNCHANGED: "as it was",
    Outcome.DEFERRED: "deferred",
    Outcome.REJECTED: "rejected",
}


def document(status: Status, leaves: Leaves, now: float, pid: int, release: str) -> str:
    """Give the whole page."""
    title, tone, badge = _summary(status)
    parts = [
        "<!doctype html>",
        '<html lang="en">',
        "<head>",
        '<meta charset="utf-8">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="robots" content="noindex">',
        f"<title>{_shown(title)} – reloadcheck</title>",
        '<link rel="icon" href="data:,">',
        f"<style>{STYLE}</style>",
        "</head>",
        "<body>",
        "<header>",
        "<h1>Live configuration</h1>",
        f'<p class="soft">process {pid}, {_time(now)}</p>',
        '<nav aria-label="Formats"><a href="?format=html">Look again</a>'
        '<a href="?format=html&amp;probe=1">Probe the resources</a>'
        '<a href="?format=json">JSON</a><a href="?format=prometheus">Metrics</a></nav>',
        "</header>",
        "<main>",
        *_state(status, title, tone, badge, now),
        *_facts(status),
        *_sources(status.sources, status.remarks),
        *_history(status.history, now),
        *_resources(status.resources),
        *_config(leaves),
        "</main>",
        f"<footer><p>reloadcheck {_shown(release)}. What this page tells is of one worker process; "
        "another may be a moment ahead or behind.</p></footer>",
        "</body>",
        "</html>",
    ]
    return "\n".join(parts) + "\n"


def _summary(status: Status) -> tuple[str, str, str]:
    """Say in a sentence how things are; the tone of it; one word for it."""
    if status.phase in ("closing", "closed"):
        return f"The engine is {status.phase}", "warn", status.phase
    if status.version is None:
        title = "No good configuration yet" if status.error else "Not started yet"
        return title, "bad" if status.error else "warn", status.code or status.phase
    title = f"Version {status.version} is serving"
    if status.error is None:
        return title, "good", "healthy" if status.enabled else "switched off"
    if status.code == Code.DRAIN:
        return f"{title}; an edit waits", "warn", status.code
    if status.outcome is Outcome.REJECTED:
        return f"{title}; the last edit was rejected", "bad", status.code or "rejected"
    return f"{title}; the last edit is not live", "bad", status.code or "deferred"


def _state(status: Status, title: str, tone: str, badge: str, now: float) -> Iterator[str]:
    yield f'<section class="state {tone}" aria-labelledby="state">'
    yield f'<h2 id="state">{_shown(title)} {_badge(badge, tone)}</h2>'
    if status.loaded_at is not None:
        yield f"<p>since {_time(status.loaded_at)}, {_ago(now - status.loaded_at)}</p>"
    if status.error is not None:
        yield _error(status.error, tone)
    yield "</section>"


def _facts(status: Status) -> Iterator[str]:
    held = ", ".join(f"version {key}: {count}" for key, count in status.leases.items())
    facts = [
        ("Version", _text(status.version)),
        ("Phase", _text(status.phase)),
        ("Last check", "never" if status.checked is None else _ago(status.checked)),
        ("Checks", _text(status.checks)),
        ("Edits taken up", _text(status.edits)),
        ("Edits rejected", _text(status.rejections)),
        ("Units of work that hold a snapshot", _text(held or None)),
        ("Looks for edits", "yes" if status.enabled else "no, switched off"),
    ]
    yield '<section aria-labelledby="facts">'
    yield '<h2 id="facts">At present</h2>'
    yield '<dl class="facts">'
    for name, value in facts:
        yield f"<div><dt>{name}</dt><dd>{value}</dd></div>"
    for name, digest in (("Digest", status.digest), ("Source digest", status.source_digest)):
        yield f'<div class="wide"><dt>{name}</dt><dd>{_code(digest)}</dd></div>'
    yield "</dl>"
    yield "</section>"


def _sources(sources: Iterable[Place], remarks: Iterable[str]) -> Iterator[str]:
    yield '<section aria-labelledby="sources">'
    yield '<h2 id="sources">Sources</h2>'
    rows = [
        (
            _code(one.path or one.name),
            [
                ("Leads to", _code(one.resolved)),
                ("Generation", _code(one.generation)),
            ],
        )
        for one in sources
    ]
    yield from _table("sources", "Source", ["Leads to", "Generation"], rows)
    for remark in remarks:
        yield _error(remark, "warn")
    yield "</section>"


def _history(attempts: tuple[Attempt, ...], now: float) -> Iterator[str]:
    yield '<section aria-labelledby="history">'
    yield '<h2 id="history">The last reloads</h2>'
    yield "<ol reversed>" if attempts else f"<p>{_NONE}</p>"
    for one in reversed(attempts):
        yield "<li>"
        yield '<p class="line">'
        yield _badge(_WORDS[one.outcome], _TONES[one.outcome])
        if one.version is not None:
            yield f"<span>version {one.version}{' (first load)' if one.first else ''}</span>"
        if one.code is not None:
            yield f"<span><code>{_shown(one.code)}</code></span>"
        yield f'<span class="soft">{_time(one.at)}, {_ago(now - one.at)}</span>'
        yield "</p>"
        yield from _details(one)
        yield "</li>"
    if attempts:
        yield "</ol>"
    yield "</section>"


def _details(one: Attempt) -> Iterator[str]:
    if one.changed or one.built:
        yield "<p>" + "; ".join(_effects(one)) + "</p>"
    if one.error is not None:
        yield _error(one.error, _TONES[one.outcome])
    times = [f"{phase.name} {_seconds(phase.seconds)}" for phase in one.phases]
    asked = _TRIGGERS.get(one.trigger, _shown(one.trigger))
    yield f'<p class="soft number">{", ".join([*times, asked])}</p>'


def _effects(one: Attempt) -> Iterator[str]:
    if one.changed:
        left = one.changes - len(one.changed)
        more = f" and {left} more" if left > 0 else ""
        yield f"changed: {', '.join(map(_code, one.changed))}{more}"
    if one.built:
        yield f"built: {', '.join(map(_code, one.built))}"


def _resources(resources: Iterable[ResourceStatus]) -> Iterator[str]:
    names = ["Generation", "Since version", "Open", "Leases", "Failed builds", "Forced closes"]
    rows: list[tuple[str, list[tuple[str, str]]]] = []
    for one in resources:
        counts = (one.builds, one.version, one.instances, one.leases, one.failed_builds)
        cells = list(zip(names, map(_text, (*counts, one.forced_closes)), strict=True))
        if one.probe is not None:
            cells.append(("Probe", _probe(one.probe)))
        rows.append((_code(one.name), cells))
    if rows and len(rows[0][1]) > len(names):
        names.append("Probe")
    yield '<section aria-labelledby="resources">'
    yield '<h2 id="resources">Resources</h2>'
    yield from _table("resources", "Resource", names, rows)
    yield "</section>"


def _probe(probe: ProbeStatus) -> str:
    tone = "bad" if probe.error is not None else _PROBES.get(probe.outcome, "")
    badge = _badge(probe.outcome, tone)
    return badge if probe.error is None else f"<span>{badge} {_shown(probe.error)}</span>"


_PROBES: Final = {ProbeOutcome.PASSED: "good"}


def _config(leaves: Leaves) -> Iterator[str]:
    yield '<section aria-labelledby="config">'
    yield '<h2 id="config">Configuration</h2>'
    rows = [(_code(one.path or "(all)"), _value(one)) for one in leaves.shown]
    yield from _table("config", "Key", ["Value", "Origin"], rows)
    if leaves.more:
        yield f'<p class="soft">and {leaves.more} more values</p>'
    yield "</section>"


def _value(leaf: Leaf) -> list[tuple[str, str]]:
    shown = '<span class="soft hidden">hidden</span>' if leaf.hidden else _code(leaf.value)
    origin = '<span class="soft">default</span>' if leaf.origin is None else _code(leaf.origin)
    return [("Value", shown), ("Origin", origin)]


def _table(
    kind: str, first: str, names: list[str], rows: list[tuple[str, list[tuple[str, str]]]]
) -> Iterator[str]:
    """Give a table that stays one for a screen reader where a phone shows it as a list."""
    if not rows:
        yield f"<p>{_NONE}</p>"
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


def _error(text: str, tone: str) -> str:
    return f'<p class="error {"warn" if tone == "warn" else "bad"}">{_breaking(text)}</p>'


def _badge(word: str, tone: str) -> str:
    return f'<span class="badge {tone}">{_shown(word)}</span>'


def _code(text: str | None) -> str:
    return _NONE if text is None else f"<code>{_breaking(text)}</code>"


def _text(value: object) -> str:
    return _NONE if value is None else f"<span>{_shown(str(value))}</span>"


def _breaking(text: str) -> str:
    """Let a long path break after a slash rather than anywhere."""
    return _shown(text).replace("/", "/<wbr>")


def _shown(text: str) -> str:
    """Escape a text for an element or an attribute."""
    return escape(printable(text))


def _time(seconds: float) -> str:
    moment = datetime.fromtimestamp(seconds, UTC)
    machine = moment.isoformat(timespec="seconds")
    return f'<time datetime="{machine}">{moment:%Y-%m-%d %H:%M:%S} UTC</time>'


def _ago(seconds: float) -> str:
    for size, name in ((_DAY, "days"), (_HOUR, "hours"), (_MINUTE, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {name} ago"
    return f"{max(seconds, 0.0):.0f} s ago"


def _seconds(seconds: float) -> str:
    return f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1e3:.1f} ms"
