"""Who serves what: drift, score, who is behind and who is lost. Pure.

A member is judged by the content that it serves, never by its version, which counts up in each
process by itself.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from .board import Member, State

__all__ = ["Fleet", "Standing", "fleet_of"]


@dataclass(frozen=True, slots=True)
class Standing:
    """One member: whether it serves the target, since when it has not, whether it is lost."""

    id: str
    member: Member
    in_step: bool
    behind: str | None = None
    lost: bool = False


@dataclass(frozen=True, slots=True)
class Fleet:
    """All members. `drift` is the share of live ones off the target, `score` that of the time."""

    target: str | None
    edition: int
    members: tuple[Standing, ...]
    drift: float
    score: float


def fleet_of(
    state: State,
    members: Mapping[str, Member],
    now: float,
    *,
    grace: float = 32.0,
    target: str | None = None,
    changed_at: float | None = None,
    lost: Mapping[str, Member] | None = None,
) -> Fleet:
    """Judge every member; `target` is another content to compare with than what is wanted.

    For `grace` seconds after the target changed (`changed_at`, epoch seconds) nobody drifts. `lost`
    are members that vanished without a farewell: listed, and not counted.
    """
    wanted = state.target if target is None else target
    young = target is None and changed_at is not None and now - changed_at < grace
    standings: list[Standing] = []
    off = 0
    for each, member in sorted(members.items()):
        in_step = wanted is None or member.content == wanted
        off += not in_step
        behind = member.behind or (None if in_step else f"serves edition {member.edition}")
        standings.append(Standing(each, member, in_step, behind))
    for each, member in sorted((lost or {}).items()):
        if each not in members:
            standings.append(Standing(each, member, in_step=False, lost=True))
    drift = 0.0 if young or not members else off / len(members)
    inside = sum(member.in_step[0] for member in members.values())
    total = sum(member.in_step[1] for member in members.values())
    return Fleet(wanted, state.edition, tuple(standings), drift, inside / total if total else 1.0)
