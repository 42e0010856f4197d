"""Read the history: what went live and what was refused, what of it is kept. Pure.

Writing it is `history_writer`'s. An entry with an edition is one activation of a content; one
without is an edit that was refused, or an order that activates nothing. Nothing is renumbered or
changed afterwards.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..types import Code, Retention
from .board import ENTRIES, State, to_text
from .records import record

__all__ = [
    "Dropped",
    "Entry",
    "Row",
    "dropped",
    "editions_of",
    "history",
    "served_before",
    "stands",
]

LIVE = "reloaded"
REVIEWED = "reviewed"
"""The cause of a row that says that somebody looked at an override."""
UNDONE = "undone"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the history; holds key paths and scrubbed texts, never values.

    `of` is the edition that this one serves again, or is about. `override`: somebody broke the
    glass for it. `at` is in epoch seconds, `size` in bytes, `layers` the digest of each kept layer
    by its name. `secrets` are the keys that the application calls so, for who shows its content.
    """

    edition: int | None
    outcome: str
    at: float
    content: str | None = None
    source: str | None = None
    of: int | None = None
    size: int = 0
    kept: bool = False
    actor: str | None = None
    cause: str = "file"
    why: str | None = None
    trace: str | None = None
    trigger: str | None = None
    member: str | None = None
    code: str | None = None
    error: str | None = None
    changed: tuple[str, ...] = ()
    changes: int = 0
    layers: Mapping[str, str] = field(default_factory=dict[str, str])
    seconds: Mapping[str, float] = field(default_factory=dict[str, float])
    release: str | None = None
    override: bool = False
    secrets: tuple[str, ...] = ()

    def to_text(self) -> str:
        """Write it as JSON."""
        return to_text(self)

    @property
    def key(self) -> str:
        """The record's key: a refusal is one row per source digest and code, whoever met it.

        What all have refused together is told by its content, as names of files may differ.
        """
        if self.edition is not None:
            return f"{ENTRIES}{self.edition}"
        if self.cause == "file":
            edit = self.content if self.code == Code.REFUSED else self.source
            return f"{ENTRIES}r/{edit or '-'}/{self.outcome}/{self.code or '-'}"
        return f"{ENTRIES}o/{self.at:.6f}"


@dataclass(frozen=True, slots=True)
class Row:
    """An entry as people read it: with what it is now.

    `reviewed` is whether somebody looked at an override afterwards; None where there was none.
    """

    entry: Entry
    serves: bool = False
    held: bool = False
    banned: bool = False
    reviewed: bool | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """What is kept no longer: keys of entries, and digests of contents."""

    keys: tuple[str, ...] = ()
    contents: tuple[str, ...] = ()


def entry_from(found: Mapping[str, Any]) -> Entry | None:
    """Read an entry from its JSON object; None for what is none."""
    return record(Entry, {"edition": None, **found})


def entries_from(entries: Mapping[str, Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Read all entries of a view, oldest first."""
    read = [entry for found in entries.values() if (entry := entry_from(found)) is not None]
    return tuple(sorted(read, key=lambda entry: (entry.at, entry.edition or 0)))


def editions_of(entries: Iterable[Entry]) -> dict[int, Entry]:
    """Return the entries that went live, by their number, in its order."""
    live = {entry.edition: entry for entry in entries if entry.edition is not None}
    return {number: live[number] for number in sorted(live)}


def served_before(entries: Iterable[Entry], content: str) -> int | None:
    """Return the newest edition that served a content, or None."""
    found = [one.edition for one in entries if one.content == content and one.edition is not None]
    return max(found, default=None)


def stands(entries: Iterable[Entry], content: str) -> bool:
    """Return whether a content served and was not undone since.

    Where all decide together it has its edition before it is tried: what was withdrawn from that in
    an outage has not served either.
    """
    told = [one for one in entries if one.content == content]
    live = max((one.at for one in told if one.edition is not None), default=None)
    taken = (one.at for one in told if one.outcome == UNDONE or one.code == Code.TROUBLE)
    undone = max(taken, default=None)
    return live is not None and (undone is None or undone < live)


def activated(state: State, entry: Entry) -> tuple[State, Entry]:
    """Number an activation: the state in which it serves, and its entry."""
    number = state.edition + 1
    after = replace(state, edition=number, active=entry.content, source=entry.source)
    return after, replace(entry, edition=number)


def history(
    entries: Collection[Entry],
    state: State,
    *,
    limit: int = 20,
    outcome: str | None = None,
    since: float | None = None,
    key: str | None = None,
    reviewed: bool | None = None,
) -> tuple[Row, ...]:
    """Return the newest rows first; `since` is in epoch seconds, `key` a key path or its parent.

    `reviewed`: only overrides that somebody has looked at since, or that nobody has.
    """
    rows: list[Row] = []
    seen = {one.of for one in entries if one.cause == REVIEWED}
    newest = served_before(entries, state.target) if state.target is not None else None
    held = None if state.hold is None else state.hold.content
    for entry in sorted(entries, key=lambda one: (one.at, one.edition or 0), reverse=True):
        if outcome is not None and entry.outcome != outcome:
            continue
        if since is not None and entry.at < since:
            continue
        if key is not None and not any(_is_below(changed, key) for changed in entry.changed):
            continue
        looked_at = entry.edition in seen if entry.override else None
        if reviewed is not None and looked_at is not reviewed:
            continue
        live = entry.edition is not None
        rows.append(
            Row(
                entry,
                serves=live and entry.edition == newest,
                held=live and entry.content == held,
                banned=live and entry.content in state.banned,
                reviewed=looked_at,
            )
        )
    return tuple(rows[:limit])


def dropped(
    entries: Collection[Entry], state: State, retention: Retention, accepted: Collection[str] = ()
) -> Dropped:
    """Say what goes: the oldest, but never what is held, active or last accepted.

    `accepted` are contents that live members serve.
    """
    editions = editions_of(entries)
    held = None if state.hold is None else state.hold.content
    safe = {state.active, held, *accepted}
    spare = [one for one in editions.values() if one.content not in safe]
    surplus = max(len(editions) - retention.editions, 0)
    gone = {entry.key for entry in spare[:surplus]}
    refused = sorted((one for one in entries if one.edition is None), key=lambda one: one.at)
    gone |= {one.key for one in refused[: max(len(refused) - retention.editions, 0)]}
    left = [entry for entry in editions.values() if entry.key not in gone]
    return Dropped(tuple(sorted(gone)), _surplus_contents(editions, left, safe, retention))


def _surplus_contents(
    editions: Mapping[int, Entry],
    left: Collection[Entry],
    safe: Collection[str | None],
    retention: Retention,
) -> tuple[str, ...]:
    newest = {entry.content: entry for entry in left if entry.kept and entry.content is not None}
    total = sum(entry.size for entry in newest.values())
    contents: list[str] = []
    for content, entry in sorted(newest.items(), key=lambda item: item[1].edition or 0):
        if total <= retention.size:
            break
        if content not in safe:
            total -= entry.size
            contents.append(content)
    kept = {entry.content for entry in left}
    orphans = {e.content for e in editions.values() if e.kept and e.content is not None} - kept
    return tuple(sorted({*contents, *(one for one in orphans if one not in safe and one)}))


def _is_below(path: str, parent: str) -> bool:
    return path == parent or path.startswith((f"{parent}.", f"{parent}["))
