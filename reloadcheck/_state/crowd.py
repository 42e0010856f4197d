"""Read less of a board where many workers share it: what is wanted of this one alone.

Where a thousand workers each read what a thousand say of themselves, a start or an edit costs a
million records. In a crowd the state is enough, and the history at a start; that there is one tells
a store that counts. Who else is there is read when somebody asks, and now and then by a few.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..types import Board, Store
from .board import ENTRIES, MEMBERS, STATE, View, view_of

__all__ = ["ASKED_SECONDS", "CROWD", "WHOLE_SECONDS", "Outlook", "Seen"]

CROWD: Final = 64
"""Workers above which each reads the state alone."""

WHOLE_SECONDS: Final = 300.0
"""Seconds, more or less, after which a crowd is counted, and as many as `CROWD` of it read all."""

ASKED_SECONDS: Final = 5.0
"""Seconds after which all of the board is read anew for somebody who looks at it."""

PART_SECONDS: Final = 5.0
"""Seconds after which what somebody asked for by its name is read anew."""


_CHANCE: Final = random.SystemRandom()  # forks share the state of any other


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has found that is new; `replaced`: the store is another one, or an older copy."""

    view: View
    replaced: bool


class Outlook:
    """One worker's looks at its group's part of a store.

    `own` are names below which this worker's own records are. `chance` draws from 0 to 1.
    """

    def __init__(
        self, own: tuple[str, ...] = (), chance: Callable[[], float] = _CHANCE.random
    ) -> None:
        self._own, self._chance = own, chance
        self.crowded = False
        self._asked = False
        self._read_at = -1e9
        self._whole: Board | None = None
        self._is_whole = False
        self._state: Board | None = None
        self._due = 0.0
        self._parts: dict[str, Board | None] = {}
        self._parts_due = 0.0

    @property
    def whole(self) -> Board | None:
        """Return the last look at all of it."""
        return self._whole if self._is_whole else None

    def records(self, prefix: str, lead: str) -> Mapping[str, str]:
        """Return the texts below a name as they were read last; from any thread.

        What was asked for is read in a crowd, too, from then on.
        """
        board = self._parts.setdefault(lead, None) if self.crowded else None
        board, start = board or self._whole, prefix + lead
        if board is None:
            return {}
        found = board.records
        return {k.removeprefix(start): r.value for k, r in found.items() if k.startswith(start)}

    def forget(self) -> None:
        """Read everything at the next look."""
        self._whole = self._state = None

    def is_asked(self) -> bool:
        """Take note that somebody wants to see all; return whether they are to be read for it."""
        self._asked = True
        return self.crowded

    def look(
        self,
        store: Store,
        prefix: str,
        now: float,
        before: View | None,
        *,
        whole: bool = False,
        history: bool = False,
        votes: bool = False,
    ) -> Seen | None:
        """Look; None where nothing is new. `before` is what is known.

        `whole` asks for all, `history` for what a crowd is not read for. Who `votes`, or tries an
        edit with others, has to know of all, however many they are.
        """
        self.crowded = self.crowded and not votes
        begins, before = self._whole is None or before is None, before or View()
        asked = self._asked and now - self._read_at >= ASKED_SECONDS
        if whole or votes or (asked and self.crowded) or not (begins or self.crowded):
            return self._all(store, prefix, now, votes=votes)
        if begins or now >= self._due:
            crowd = self._counted(store, prefix)
            few = not begins and self._chance() * crowd < CROWD
            if crowd <= CROWD or few:
                return self._all(store, prefix, now, votes=votes)
            self._put_off(now)
            return self._some(store, prefix, before, crowd)
        if history:
            return self._some(store, prefix, before, None)
        if now >= self._parts_due:
            self._parts_due = now + PART_SECONDS
            for lead in tuple(self._parts):
                self._parts[lead] = store.look(prefix + lead)
        board = store.look(prefix + STATE, self._state)
        if board is None:
            return None
        if self._state is not None and board.revision < self._state.revision:
            return self._some(store, prefix, before, None)
        self._state = board
        state = view_of(board, prefix)
        view = replace(
            before,
            revision=state.revision,
            state=state.state,
            state_revision=state.state_revision,
        )
        return Seen(view, replaced=False)

    def _counted(self, store: Store, prefix: str) -> int:
        """Return how many members there are; none where the store does not count."""
        count: Callable[[str], int] | None = getattr(store, "count", None)
        return 0 if count is None else count(prefix + MEMBERS)

    def _put_off(self, now: float) -> None:
        self._due = now + (0.75 + 0.5 * self._chance()) * WHOLE_SECONDS

    def _some(self, store: Store, prefix: str, before: View, crowd: int | None) -> Seen:
        """Read state and history, in this order: what is written depends on the state."""
        board = store.look(prefix + STATE, self._state) or self._state
        assert board is not None
        replaced = self._state is not None and board.revision < self._state.revision
        records = dict(board.records)
        for lead in (ENTRIES, *self._own):
            part = store.look(prefix + lead)
            records.update({} if part is None else part.records)
        self._state, self._whole = board, Board(board.revision, records)
        self._is_whole, self.crowded = False, True
        found = view_of(self._whole, prefix)
        crowd = before.crowd if crowd is None else crowd
        view = replace(found, members=before.members, seen=before.seen, crowd=crowd)
        return Seen(view, replaced)

    def _all(self, store: Store, prefix: str, now: float, *, votes: bool) -> Seen | None:
        self._put_off(now)
        self._asked, self._read_at = False, now
        # In a crowd it is the state that is looked at again, and so is waited for.
        known = self._is_whole and not self.crowded
        board = store.look(prefix, self._whole if known else None)
        if board is None:
            return None
        newest = max((one.revision for one in (self._whole, self._state) if one), default=0)
        view = view_of(board, prefix)
        replaced = board.revision < newest
        self._whole, self._state = board, None if replaced else self._state
        self._is_whole = True
        self.crowded = not votes and len(view.members) > CROWD
        return Seen(view, replaced)
