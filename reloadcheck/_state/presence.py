"""Keeps a worker a member of its group: its record, its beat, its farewell, and who is missed."""

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from .board import MEMBERS, SEEN, STATE, Member
from .in_step import InStep
from .sight import Sight

__all__ = ["BEAT_SECONDS", "LOST_SECONDS", "Presence"]

BEAT_SECONDS: Final = 5.0

LOST_SECONDS: Final = 3600.0
"""How long who vanished without a farewell is named among the lost."""

TELL_SECONDS: Final = 60.0
"""Seconds after which a record is written anew for the time in step alone."""


class Presence:
    """One worker's place among the members, in one process; `member` returns its record."""

    def __init__(self, sight: Sight, member: Callable[[], Member]) -> None:
        self._sight, self._member = sight, member
        self._told: Member | None = None
        self._told_at = 0.0
        self._made: tuple[Member, int | None, Member] | None = None
        self._in_step = InStep()
        self._beaten = -1e9
        self._missing: dict[str, float] = {}

    def tell(self, edition: int | None) -> None:
        """Write the worker's record down, where it has changed or is not on the board."""
        sight = self._sight
        member, now, view = self._with(edition), sight.now(), sight.view
        if member.version is None:
            return  # it serves nothing yet
        target = view.state.target
        self._in_step.note(now, inside=target is None or member.has(target))
        crowded = sight.outlook.crowded  # then who is on the board is read seldom
        is_told = sight.id in view.members or crowded
        pause = TELL_SECONDS * (5 if crowded else 1)
        same_as_told = self._told is member or self._told == member
        if same_as_told and is_told and now - self._told_at < pause:
            return
        same = None
        if sight.rounds is not None:
            if not is_told:
                return  # it joins by what all decide
            same = {f"{sight.prefix}{STATE}": view.state_revision}
        if self._told is None:  # outlives it, so that a worker that is killed is missed
            seen = Member(member.host, member.pid, member.worker, member.app, member.release)
            seen = replace(seen, started=member.started)
            sight.store.put({f"{sight.prefix}{SEEN}{sight.id}": seen.to_text()})
        record = replace(member, in_step=self._in_step.seconds)
        key = f"{sight.prefix}{MEMBERS}{sight.id}"
        if sight.store.put({key: record.to_text()}, same=same, mortal=True) is not None:
            self._told, self._told_at = member, now

    def _with(self, edition: int | None) -> Member:
        """Return the record with the edition; made anew only where one of them has changed."""
        given = self._member()
        if self._made is None or self._made[0] is not given or self._made[1] != edition:
            self._made = given, edition, replace(given, edition=edition)
        return self._made[2]

    def forget(self) -> None:
        """Forget what was told: the store has not got what it was told."""
        self._told = None

    def beat(self) -> None:
        """Let the store know that this worker is there; whoever does not is gone for it."""
        now = self._sight.now()
        if now - self._beaten >= BEAT_SECONDS:
            self._beaten = now
            if not self._sight.store.beat():
                self.forget()
            self._forget_lost(now)

    def take_leave(self) -> None:
        """Be no longer among those who are missed."""
        if self._told is not None:
            self._sight.store.put({f"{self._sight.prefix}{SEEN}{self._sight.id}": None})

    def _forget_lost(self, now: float) -> None:
        """Take away who has been missing for an hour by this worker's own clock."""
        view, sight = self._sight.view, self._sight
        missing = view.seen.keys() - view.members.keys()
        self._missing = {each: self._missing.get(each, now) for each in missing}
        gone = [each for each, at in self._missing.items() if now - at >= LOST_SECONDS]
        if gone:
            sight.store.put(dict.fromkeys(f"{sight.prefix}{SEEN}{each}" for each in gone))
