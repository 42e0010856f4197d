"""For how long this worker has served what it should: the last hour, minute by minute.

Kept by each worker of itself, in its record, so that nobody needs a time series to tell.
"""

from collections import deque
from typing import Final

__all__ = ["InStep"]

MINUTE: Final = 60.0
MINUTES: Final = 60


class InStep:
    """Seconds in step, and seconds at all; times are monotonic."""

    def __init__(self) -> None:
        self._minutes: deque[tuple[float, float]] = deque(maxlen=MINUTES)
        self._begun: float | None = None
        self._at = 0.0
        self._inside = 0.0

    def note(self, now: float, *, inside: bool) -> None:
        """Count the time since the last note, which was spent inside or not."""
        if self._begun is None:
            self._begun = self._at = now
        self._inside += (now - self._at) if inside else 0.0
        self._at = now
        if now - self._begun >= MINUTE:
            self._minutes.append((self._inside, now - self._begun))
            self._begun, self._inside = now, 0.0

    @property
    def seconds(self) -> tuple[float, float]:
        """Return both numbers, rounded, of the present minute and the hour before it."""
        present = 0.0 if self._begun is None else self._at - self._begun
        inside = self._inside + sum(one for one, _ in self._minutes)
        total = present + sum(one for _, one in self._minutes)
        return round(inside, 1), round(total, 1)
