"""How much of a board one worker reads: all of it, or in a crowd what is wanted of it alone.

Where a thousand workers each read what a thousand say of themselves, an edit costs a million
records. In a crowd the state is enough; who else is there is read now and then, and when a worker
has something to write.
"""

import random
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from ..types import Board, Store
from .board import STATE, View, view_of

__all__ = ["CROWD", "WHOLE_SECONDS", "Outlook", "Seen"]

CROWD: Final = 64
"""Workers above which each reads the state alone."""

WHOLE_SECONDS: Final = 300.0
"""Seconds, more or less, after which all of the board is read in a crowd, too."""

PART_SECONDS: Final = 5.0
"""Seconds after which what somebody asked for by its name is read anew."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look has found that is new; `replaced`: the store is another one, or an older copy."""

    view: View
    replaced: bool


class Outlook:
    """One worker's looks at its group's part of a store."""

    def __init__(self) -> None:
        self.crowded = False
        self._whole: Board | None = None
        self._state: Board | None = None
        self._due = 0.0
        self._parts: dict[str, Board | None] = {}
        self._parts_due = 0.0

    @property
    def whole(self) -> Board | None:
        """Return the last look at all of it."""
        return self._whole

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

    def look(
        self,
        store: Store,
        prefix: str,
        now: float,
        before: View | None,
        *,
        whole: bool,
        votes: bool,
    ) -> Seen | None:
        """Look; None where nothing is new. `before` is what is known, `whole` asks for all.

        Who `votes`, or tries an edit with others, has to know of all, however many they are.
        """
        self.crowded = self.crowded and not votes
        if whole or not self.crowded or self._whole is None or before is None or now >= self._due:
            return self._all(store, prefix, now, votes=votes)
        if now >= self._parts_due:
            self._parts_due = now + PART_SECONDS
            for lead in tuple(self._parts):
                self._parts[lead] = store.look(prefix + lead)
        board = store.look(prefix + STATE, self._state)
        if board is None:
            return None
        if self._state is not None and board.revision < self._state.revision:
            return self._all(store, prefix, now, votes=votes)
        self._state = board
        state = view_of(board, prefix)
        view = replace(
            before,
            revision=state.revision,
            state=state.state,
            state_revision=state.state_revision,
        )
        return Seen(view, replaced=False)

    def _all(self, store: Store, prefix: str, now: float, *, votes: bool) -> Seen | None:
        self._due = now + random.SystemRandom().uniform(0.75, 1.25) * WHOLE_SECONDS
        # In a crowd it is the state that is looked at again, and so is waited for.
        board = store.look(prefix, None if self.crowded else self._whole)
        if board is None:
            return None
        newest = max((one.revision for one in (self._whole, self._state) if one), default=0)
        view = view_of(board, prefix)
        replaced = board.revision < newest
        self._whole, self._state = board, None if replaced else self._state
        self.crowded = not votes and len(view.members) > CROWD
        return Seen(view, replaced)
