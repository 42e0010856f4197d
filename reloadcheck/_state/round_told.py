"""What people are told of a round: who has voted what. Pure."""

from collections.abc import Mapping
from typing import Final

from ..seams.store import RoundStatus
from .board import Member, Refusal, View
from .together import Vote

__all__ = ["round_in", "said_of_refusal", "said_of_round"]

NAMED: Final = 5
"""How many workers are named one by one of those who have said the same of an edit."""


def round_in(view: View) -> RoundStatus | None:
    """Return the open round, and what each member says of it."""
    opened = view.state.round
    if opened is None:
        return None
    votes = {each: view.votes.get(each) for each in sorted(view.members)}
    return RoundStatus(opened.content, opened.by, votes, opened.attempt)


def said_of_round(opened: RoundStatus, members: Mapping[str, Member]) -> str:
    """Say how many have the edit ready, and who says what else of it."""
    said: dict[str, list[str]] = {}
    for each, vote in opened.votes.items():
        one = members.get(each, Member())
        named = " ".join(
            word for word in (one.host or each, str(one.pid or ""), one.worker) if word
        )
        said.setdefault(vote or "not yet", []).append(named)
    ready = len(said.pop(Vote.PREPARED, ()))
    counted = f"{ready} of {len(opened.votes)} have it ready"
    rest = [f"{word}: {_some(names)}" for word, names in sorted(said.items())]
    return f"edit {opened.content[:8]} waits, " + "; ".join((counted, *rest))


def said_of_refusal(refused: Refusal) -> str:
    """Say which edit was refused for all, and why."""
    code = f"{refused.code}: " if refused.code else ""
    why = refused.error or "the workers could not all take it up"
    return f"edit {refused.content[:8]} was refused for all: {code}{why}"


def _some(names: list[str]) -> str:
    left = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {left} more" if left > 0 else "")
