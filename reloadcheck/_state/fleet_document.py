"""A fleet as programs read it: the keys of `fleet --json` and of the page's JSON. Pure."""

from collections.abc import Iterable
from dataclasses import asdict
from typing import Any

from ..seams.store import RoundStatus
from .board import Refusal
from .fleet import Against, Fleet, MemberStatus, shares

__all__ = ["document"]


def document(fleets: Iterable[Fleet], against: Against | None = None) -> dict[str, Any]:
    """Return what programs read: one list of all members, and what is wanted of each group."""
    fleets = tuple(fleets)
    only = fleets[0] if len(fleets) == 1 else None
    members = [one for fleet in fleets for one in fleet.members]
    drift, score = shares(fleets)
    return {
        "edition": None if only is None else only.edition,
        "target": None if only is None else only.target,
        "hold": None if only is None else only.hold,
        "round": None if only is None else _plain(only.round),
        "refused": None if only is None else _plain(only.refused),
        "against": None if against is None else {"name": against.name, "digest": against.digest},
        "drift": drift,
        "score": score,
        "live": sum(not one.lost for one in members),
        "lost": sum(one.lost for one in members),
        "groups": [_group(fleet) for fleet in fleets],
        "members": [_member(fleet, one) for fleet in fleets for one in fleet.members],
    }


def _group(fleet: Fleet) -> dict[str, Any]:
    return {
        "app": fleet.app,
        "release": fleet.release,
        "edition": fleet.edition,
        "target": fleet.target,
        "hold": fleet.hold,
        "round": _plain(fleet.round),
        "refused": _plain(fleet.refused),
        "drift": fleet.drift,
        "score": fleet.score,
        "live": len(fleet.live),
        "lost": len(fleet.members) - len(fleet.live),
        "unread": fleet.unread,
    }


def _plain(one: RoundStatus | Refusal | None) -> dict[str, Any] | None:
    return None if one is None else asdict(one)


def _member(fleet: Fleet, one: MemberStatus) -> dict[str, Any]:
    told = {"app": one.member.app or fleet.app, "release": one.member.release or fleet.release}
    judged = {"in_step": one.in_step, "behind": one.behind, "lost": one.lost, "score": one.score}
    return {"id": one.id, **asdict(one.member), **told, **judged}
