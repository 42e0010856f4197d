"""Judge all workers of a store: drift, score, who is behind and who is lost. Pure.

A member is judged by the content that it serves, never by its version, which counts up in each
process by itself.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import unquote

from ..seams.store import RoundStatus
from ..types import Board, Outcome
from .board import (
    DEFAULT_GROUP,
    STATE,
    Freeze,
    Hold,
    Member,
    Refusal,
    State,
    View,
    prefix_of,
    view_of,
)
from .ledger import entries_from, served_before
from .round_told import round_in, said_of_refusal, said_of_round

__all__ = [
    "GRACE",
    "Against",
    "Fleet",
    "MemberStatus",
    "fleet_in",
    "fleet_of",
    "fleets_in",
    "round_in",
]

GRACE = 32.0
"""Seconds after a change in which nobody drifts: two windows and the deadline of a round."""


@dataclass(frozen=True, slots=True)
class Against:
    """Another content to compare with than what is wanted: what a file, or git, has.

    `path` is whose place in a member's layers it has; None: it is all that is kept.
    """

    name: str
    digest: str
    path: str | None = None

    def is_served_by(self, member: Member) -> bool:
        """Return whether a member serves it, alone or below overlays of its own."""
        if member.content == self.digest:
            return True
        return self.path is not None and self.digest in _alike(member.layers, self.path)


@dataclass(frozen=True, slots=True)
class MemberStatus:
    """One member: whether it serves the target, why it does not, whether it is lost.

    While all try the target, as workers do that act together, they are in step.
    """

    id: str
    member: Member
    in_step: bool
    behind: str | None = None
    lost: bool = False
    tries: bool = False

    @property
    def word(self) -> str:
        """Return how it is, in a word or two."""
        if self.lost:
            return "lost"
        return "trying" if self.tries else "in step" if self.in_step else "behind"

    @property
    def score(self) -> float:
        """Return the share of its present and last hour that it was in step."""
        inside, total = self.member.in_step
        return inside / total if total else 1.0


@dataclass(frozen=True, slots=True)
class Fleet:
    """All members. `drift` is the share of live ones off the target, `score` that of the time.

    `order` is the hold in force, `freeze` one that is not over, `round` an edit that waits until
    the workers have it ready, `refused` one that they could not all take up, until another is live.
    `unread` are members of a crowd that nobody has asked for so far: they are read now.
    """

    target: str | None
    edition: int
    members: tuple[MemberStatus, ...]
    drift: float
    score: float
    app: str = ""
    release: str = ""
    order: Hold | None = None
    round: RoundStatus | None = None
    refused: Refusal | None = None
    unread: int = 0
    freeze: Freeze | None = None

    @property
    def waiting(self) -> str | None:
        """Say who has the edit of the open round ready, and what the others have said so far."""
        members = {one.id: one.member for one in self.live}
        return None if self.round is None else said_of_round(self.round, members)

    @property
    def refusal(self) -> str | None:
        """Say which edit was refused for all, and why; nothing while it is tried again."""
        refused, opened = self.refused, self.round
        if refused is None or (opened is not None and opened.content == refused.content):
            return None
        return said_of_refusal(refused)

    @property
    def hold(self) -> str | None:
        """Return the kind of the order in force."""
        return None if self.order is None else self.order.kind

    @property
    def live(self) -> tuple[MemberStatus, ...]:
        """Return those that are there."""
        return tuple(one for one in self.members if not one.lost)


_MAY_YET: Final = frozenset({Outcome.UNCHANGED, Outcome.WAITING, Outcome.TRYING})
"""What a worker says with a code that does not mean that it cannot have an edit."""


def fleet_of(
    state: State,
    members: Mapping[str, Member],
    now: float,
    *,
    grace: float = GRACE,
    target: str | Against | None = None,
    changed_at: float | None = None,
    lost: Mapping[str, Member] | None = None,
    app: str = "",
    release: str = "",
    opened: RoundStatus | None = None,
) -> Fleet:
    """Judge every member; `target` is another content to compare with than what is wanted.

    For `grace` seconds after the target changed (`changed_at`, epoch seconds) those alone drift who
    have said since that they cannot have it; the clock of who changed it may be far off. `lost` are
    members that vanished without a farewell: listed, and not counted.
    """
    against = Against("", target) if isinstance(target, str) else target
    wanted = state.target if against is None else against.digest
    young = against is None and changed_at is not None and abs(now - changed_at) < grace
    told: list[MemberStatus] = []
    off = 0
    for each, member in sorted(members.items()):
        if against is None:
            in_step = wanted is None or member.has(wanted)
        else:
            in_step = against.is_served_by(member)
        cannot = member.code is not None and member.outcome not in _MAY_YET
        refused = cannot and member.since >= (changed_at or 0.0)
        off += not in_step and (refused or not young)
        tries = against is None and in_step and member.tries(wanted)
        behind = _behind(member, in_step, against)
        told.append(MemberStatus(each, member, in_step, behind, tries=tries))
    for each, member in sorted((lost or {}).items()):
        if each not in members:
            told.append(MemberStatus(each, member, in_step=False, lost=True))
    drift = off / len(members) if members else 0.0
    inside = sum(member.in_step[0] for member in members.values())
    total = sum(member.in_step[1] for member in members.values())
    score = inside / total if total else 1.0
    whole = tuple(told)
    order, off_for_all, freeze = state.hold, state.refused, state.freeze
    return Fleet(
        wanted, state.edition, whole, drift, score, app, release, order, opened, off_for_all,
        freeze=freeze if freeze is None or freeze.until is None or freeze.until > now else None,
    )  # fmt: skip


def fleet_in(
    view: View,
    now: float,
    *,
    app: str = "",
    release: str = "",
    target: str | Against | None = None,
    grace: float = GRACE,
    is_gone: Callable[[str], bool] = lambda name: False,
) -> Fleet:
    """Judge the members of one group as a look at the store has them.

    Whose process `is_gone` for sure is lost, though the store may hold its record for a while.
    """
    state, entries = view.state, entries_from(view.entries)
    members, gone = dict(view.members), [name for name in view.members if is_gone(name)]
    lost = {**view.seen, **{name: members.pop(name) for name in gone}}
    number = None if state.target is None else served_before(entries, state.target)
    changed = [entry.at for entry in entries if entry.edition == number]
    found = fleet_of(
        state,
        members,
        now,
        grace=grace,
        target=target,
        changed_at=changed[0] if changed else None,
        lost=lost,
        app=app,
        release=release,
        opened=round_in(view),
    )
    return found if view.members else replace(found, unread=view.crowd)


def fleets_in(
    board: Board,
    now: float,
    *,
    app: str | None = None,
    release: str | None = None,
    target: Against | None = None,
    grace: float = GRACE,
    is_gone: Callable[[str], bool] = lambda name: False,
) -> tuple[Fleet, ...]:
    """Judge the members of every group of a whole board, or of one application or release."""
    found: list[Fleet] = []
    for key in sorted(board.records):
        parts = key.split("/")
        if len(parts) != 3 or parts[2] != STATE:
            continue
        name, group = unquote(parts[0]), unquote(parts[1])
        if app not in (None, name) or release not in (None, group):
            continue
        view = view_of(board, prefix_of(name, group))
        shown = "" if group == DEFAULT_GROUP else group
        asked = {"app": name, "release": shown}
        found.append(fleet_in(view, now, **asked, target=target, grace=grace, is_gone=is_gone))
    return tuple(found)


def shares(fleets: Iterable[Fleet]) -> tuple[float, float]:
    """Return drift and score over several groups, each member counting once."""
    fleets = tuple(fleets)
    live = [one for fleet in fleets for one in fleet.live]
    off = sum(fleet.drift * len(fleet.live) for fleet in fleets)
    inside = sum(one.member.in_step[0] for one in live)
    total = sum(one.member.in_step[1] for one in live)
    return off / len(live) if live else 0.0, inside / total if total else 1.0


def _behind(member: Member, in_step: bool, against: Against | None) -> str | None:
    if in_step:
        return member.behind
    serves = "nothing" if member.edition is None else f"edition {member.edition}"
    if against is not None and against.name:
        return f"serves {serves}, not what {against.name} has"
    return member.behind or f"serves {serves}"


def _alike(layers: Mapping[str, str], path: str) -> set[str]:
    """Return the digests of the layers whose names end as the path does, in most of its parts."""
    wanted = _parts(path)
    ranks = {name: _in_common(_parts(name), wanted) for name in layers}
    best = max(ranks.values(), default=0)
    if best == 0:
        return set(layers.values()) if len(layers) == 1 else set()
    return {layers[name] for name, rank in ranks.items() if rank == best}


def _parts(path: str) -> list[str]:
    return [part for part in reversed(path.split("/")) if part not in ("", ".")]


def _in_common(one: list[str], other: list[str]) -> int:
    count = 0
    for mine, yours in zip(one, other, strict=False):
        if mine != yours:
            break
        count += 1
    return count
