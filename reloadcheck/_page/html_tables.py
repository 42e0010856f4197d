"""The parts of the page for people that list something: sources, reloads, resources, values.

Pure: from what is known to pieces of a document.
"""

from collections.abc import Iterable, Iterator
from typing import Final

from .._observe.ages import ago
from .._observe.history import Attempt
from .._observe.remedies import remedy_of
from .._observe.status import Draining, ProbeStatus, ResourceStatus
from ..types import Code, Outcome, Place, ProbeOutcome
from .html_markup import NONE, badge, code, error, lasting, shown, table, text_of, time_of
from .values import Leaf, Leaves

TONES: Final = {
    Outcome.RELOADED: "good",
    Outcome.UNCHANGED: "good",
    Outcome.DEFERRED: "warn",
    Outcome.REJECTED: "bad",
    Outcome.WAITING: "warn",
    Outcome.TRYING: "warn",
    Outcome.UNDONE: "bad",
    Outcome.REBUILT: "good",
}
_WORDS: Final = {
    Outcome.RELOADED: "reloaded",
    Outcome.UNCHANGED: "good again",
    Outcome.DEFERRED: "waiting",
    Outcome.REJECTED: "rejected",
    Outcome.WAITING: "not allowed yet",
    Outcome.TRYING: "on trial",
    Outcome.UNDONE: "undone",
    Outcome.REBUILT: "rebuilt",
}
_TRIGGERS: Final = {
    "lease": "a unit of work",
    "call": "a call of live.check() or a look at this page",
    "timer": "the engine's own timer",
}
_PROBES: Final = {ProbeOutcome.PASSED: "good", ProbeOutcome.RUNNING: "warn"}
_COUNTS: Final = ["Builds", "Since version", "Open", "In use by", "Failed builds", "Forced closes"]


def sources(places: Iterable[Place], directory: str) -> Iterator[str]:
    """List the sources, the last of which wins."""
    names = ["Leads to", "Volume"]
    rows = [
        (
            f'<span title="{shown(one.path or one.name)}">'
            f"{code(relative(one.path or one.name, directory))}</span>",
            [("Leads to", _leads(one, directory)), ("Volume", code(one.generation))],
        )
        for one in places
    ]
    yield '<section aria-labelledby="sources">'
    yield '<h2 id="sources">Sources</h2>'
    yield from table("sources", "Source", names, rows)
    yield "</section>"


def _leads(one: Place, directory: str) -> str:
    """Say where a link ends; a file that is no link leads nowhere else."""
    if one.resolved is None or one.resolved == one.path:
        return '<span class="soft">itself</span>' if one.resolved else NONE
    return code(relative(one.resolved, directory))


def relative(path: str, directory: str) -> str:
    """Return a path, or a place in a file, as it is below the application's directory."""
    base = directory.rstrip("/") + "/"
    return path[len(base) :] if directory and path.startswith(base) else path


def history(attempts: tuple[Attempt, ...], now: float) -> Iterator[str]:
    """List what happened, the newest first."""
    yield '<section aria-labelledby="history">'
    yield '<h2 id="history">The last reloads</h2>'
    yield "<ol reversed>" if attempts else f"<p>{NONE}</p>"
    for one in reversed(attempts):
        yield "<li>"
        yield '<p class="line">'
        yield badge(_WORDS[one.outcome], _tone(one))
        if one.version is not None:
            yield f"<span>{_serving(one)}</span>"
        if one.code is not None:
            yield f"<span><code>{shown(one.code)}</code></span>"
        yield f'<span class="soft">{time_of(one.at)}, {ago(now - one.at)}</span>'
        yield "</p>"
        yield from _details(one)
        yield "</li>"
    if attempts:
        yield "</ol>"
    yield "</section>"


def _tone(one: Attempt) -> str:
    """Return the colour of a row of the history: that a newer edit came is nobody's mistake."""
    return "warn" if one.code == Code.SUPERSEDED else TONES[one.outcome]


def _serving(one: Attempt) -> str:
    if one.outcome is Outcome.RELOADED:
        return f"version {one.version}{' (first load)' if one.first else ''}"
    return f"version {one.version} went on serving"


def _details(one: Attempt) -> Iterator[str]:
    if one.changed or one.built:
        yield "<p>" + "; ".join(_effects(one)) + "</p>"
    if one.error is not None:
        yield error(one.error, _tone(one), remedy_of(one.code))
    times = [f"{phase.name} {lasting(phase.seconds)}" for phase in one.phases]
    asked = f"triggered by: {_TRIGGERS.get(one.trigger, shown(one.trigger))}"
    yield f'<p class="soft number">{", ".join([*times, asked])}</p>'


def _effects(one: Attempt) -> Iterator[str]:
    if one.changed:
        left = one.changes - len(one.changed)
        more = f" and {left} more" if left > 0 else ""
        yield f"changed: {', '.join(map(code, one.changed))}{more}"
    if one.built:
        yield f"built: {', '.join(map(code, one.built))}"


def resources(found: Iterable[ResourceStatus], old: Iterable[Draining] = ()) -> Iterator[str]:
    """List what is built from the configuration, from which keys, and whether it works."""
    names = ["Built from", *_COUNTS]
    rows: list[tuple[str, list[tuple[str, str]]]] = []
    for one in found:
        counts = (one.builds, one.version, one.instances, one.leases, one.failed_builds)
        cells = [("Built from", f"<span>{_basis(one)}</span>")]
        cells += zip(_COUNTS, map(text_of, (*counts, one.forced_closes)), strict=True)
        if one.probe is not None:
            cells.append(("Probe", _probe(one.probe)))
        rows.append((code(one.name), cells))
    if rows and len(rows[0][1]) > len(names):
        names.append("Probe")
    yield '<section aria-labelledby="resources">'
    yield '<h2 id="resources">Resources</h2>'
    yield from table("resources", "Resource", names, rows)
    for left in old:
        users = ", ".join(left.holders) or f"{left.leases} in progress"
        use = "may yet be read by" if left.unread else "is still used by"
        yield error(
            f"{left.resource} of version {left.version} {use} {users}, "
            f"{left.seconds:.0f} s after it was replaced; it is closed in {left.closes_in:.0f} s",
            "warn",
        )
    yield "</section>"


def _basis(one: ResourceStatus) -> str:
    keys = [code(path) for path in one.key_paths]
    needs = [f"resource {code(name)}" for name in one.needs]
    return ", ".join([*keys, *needs]) or '<span class="soft">all keys</span>'


def _probe(probe: ProbeStatus) -> str:
    if probe.outcome is ProbeOutcome.NOT_PROBED and probe.error is None:
        return '<span class="soft">has none</span>'
    tone = "bad" if probe.error is not None else _PROBES.get(probe.outcome, "")
    told = badge(probe.outcome, tone)
    return told if probe.error is None else f"<span>{told} {shown(probe.error)}</span>"


def config(leaves: Leaves, find: str, directory: str) -> Iterator[str]:
    """List the values, those alone whose key has what was looked for, if anything was."""
    yield '<section aria-labelledby="config">'
    yield '<h2 id="config">Configuration</h2>'
    yield '<form method="get" role="search"><input type="hidden" name="format" value="html">'
    yield (
        '<label for="key">Keys that contain</label> '
        f'<input id="key" name="key" type="search" value="{shown(find)}" autocomplete="off"> '
        '<button type="submit">Filter</button></form>'
    )
    if find:
        count = len(leaves.shown) + leaves.more
        yield f'<p>{count} with {code(find)} in their key; <a href="?format=html">all</a></p>'
    rows = [(code(one.path or "(all)"), _value(one, directory)) for one in leaves.shown]
    yield from table("config", "Key", ["Value", "Origin"], rows)
    if leaves.more:
        yield f'<p class="soft">and {leaves.more} more values; filter to find them</p>'
    yield "</section>"


def _value(leaf: Leaf, directory: str) -> list[tuple[str, str]]:
    told = '<span class="soft hidden">hidden</span>' if leaf.hidden else code(leaf.value)
    if leaf.origin is None:
        return [("Value", told), ("Origin", '<span class="soft">default of the schema</span>')]
    return [("Value", told), ("Origin", code(relative(leaf.origin, directory)))]
