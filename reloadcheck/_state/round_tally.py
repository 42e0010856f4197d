"""Count the rounds that one worker has seen: how long each was open, how many were refused.

Pure: takes one state after another, as looks at the board have them, and counts.
"""

from .board import Refusal, State

__all__ = ["Tally"]

_KEPT = 20


class Tally:
    """Counts since this process began; `last` are the seconds of the newest rounds.

    A round is as long as this worker saw it open, up to a look more or less.
    """

    def __init__(self) -> None:
        self.rounds = 0
        self.seconds = 0.0
        self.refusals = 0
        self.last: tuple[float, ...] = ()
        self._open: tuple[int, float] | None = None
        self._refused: Refusal | None = None
        self._begun = False

    def look(self, state: State, now: float) -> None:
        """Take note of what the board says at a moment of the worker's own clock."""
        opened = None if state.round is None else state.round.id
        if self._open is not None and self._open[0] != opened:
            seconds = max(0.0, now - self._open[1])
            self.rounds += 1
            self.seconds += seconds
            self.last = (*self.last, seconds)[-_KEPT:]
            self._open = None
        if opened is not None and self._open is None:
            self._open = opened, now
        if self._begun and state.refused is not None and state.refused != self._refused:
            self.refusals += 1
        self._refused, self._begun = state.refused, True
