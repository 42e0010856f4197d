"""Bans as people name them: by the edition that a content was, else by its digest. Pure."""

from collections.abc import Mapping

from ..exceptions import OrderRefusedError
from .board import Ban, State

__all__ = ["CONTENT", "ban_named", "banned_as", "content_named", "named_in", "without_passing"]

CONTENT = "content:"
_SHOWN = 5
_LETTERS = 12


def content_named(content: str) -> str:
    """Return how people name a content that was no edition; `unban` takes it."""
    return f"{CONTENT}{content[:_LETTERS]}"


def ban_named(content: str, ban: Ban) -> str:
    """Return how people name what a ban is about."""
    return content_named(content) if ban.edition is None else f"edition {ban.edition}"


def banned_as(state: State, beginning: str) -> str | None:
    """Return the one banned content that begins so, None for none."""
    found = [each for each in state.banned if beginning and each.startswith(beginning)]
    if len(found) > 1:
        raise OrderRefusedError(f"{len(found)} banned contents begin with {beginning}")
    return found[0] if found else None


def named_in(state: State) -> str:
    """Say what is banned, the newest first, as the end of a sentence."""
    newest = sorted(state.banned.items(), key=lambda item: item[1].at, reverse=True)
    named = ", ".join(ban_named(content, ban) for content, ban in newest[:_SHOWN])
    more = f" and {len(newest) - _SHOWN} more" if len(newest) > _SHOWN else ""
    return f"; what is: {named}{more}" if named else "; nothing is"


def without_passing(banned: Mapping[str, Ban]) -> dict[str, Ban]:
    """Return the bans that a retry leaves: those on what was live for all.

    It lifts those on edits that a trial took back, or that waited when a roll-back came.
    """
    return {
        each: ban
        for each, ban in banned.items()
        if ban.cause != "undone" and ban.edition is not None
    }
