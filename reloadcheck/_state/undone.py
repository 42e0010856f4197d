"""What an edit that is undone leaves in a store: its ban, and what serves without it. Pure.

Both are written at once, with the verdict where there is one: whoever starts after that, though all
who were there are gone, finds what is banned and what to serve instead.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Final, TypeAlias

from .board import STATE, Ban, View
from .ledger import Entry, activated, entries_from, served_before

__all__ = ["Left", "records_of", "same_in", "undone"]

MOST_UNDONE: Final = 1000
"""Bans of edits that were undone; they are one record, which a store may not hold for ever."""

Left: TypeAlias = Mapping[str, tuple[str, int]]
"""The text of each record, and the revision that it replaces."""


def undone(view: View, content: str, ban: Ban, before: str | None, member: str) -> Left:
    """Return the text of each record, and the revision that it replaces; none where it is banned.

    `before` is what served, and is active from now on where the undone content was: where all
    decide together, and after a promotion.
    """
    state = view.state
    if content in state.banned or content == before:
        return {}
    after = replace(state, banned={**_newest(state.banned), content: ban})
    if state.active != content or before is None:
        return {STATE: (after.to_text(), view.state_revision)}
    number = served_before(entries_from(view.entries), before)
    back = Entry(None, "reloaded", ban.at, before, of=number, cause="undone")
    after, back = activated(after, replace(back, member=member, why=ban.why))
    return {back.key: (back.to_text(), 0), STATE: (after.to_text(), view.state_revision)}


def _newest(banned: Mapping[str, Ban]) -> Mapping[str, Ban]:
    """Return the bans without the oldest of edits that were undone, to make room for one more."""
    passing = sorted((ban.at, each) for each, ban in banned.items() if ban.cause == "undone")
    kept = {each for _, each in passing[-(MOST_UNDONE - 1) :]}
    return {each: ban for each, ban in banned.items() if ban.cause != "undone" or each in kept}


def records_of(left: Left, prefix: str) -> dict[str, str | None]:
    """Return the records to put, below the group's prefix."""
    return {prefix + key: text for key, (text, _) in left.items()}


def same_in(left: Left, prefix: str) -> dict[str, int]:
    """Return at which revisions they must still be."""
    return {prefix + key: revision for key, (_, revision) in left.items()}
