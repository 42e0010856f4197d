"""What is counted of one of the two versions of a trial."""

from collections import deque
from dataclasses import dataclass, field
from typing import Final

SLOT_SECONDS: Final = 0.5
"""Seconds that are counted together, so that it costs the same at any number of requests."""

LONGEST_SECONDS: Final = 12.0
"""Seconds that are looked back at, at the most."""


@dataclass(slots=True)
class Side:
    """What is counted of one of the two; `recent` are slots of time, units in each, and failures.

    Whoever takes note of something holds the trial's lock.
    """

    units: int = 0
    failed: int = 0
    recent: deque[tuple[float, int, int]] = field(
        default_factory=lambda: deque(maxlen=int(LONGEST_SECONDS / SLOT_SECONDS))
    )

    def note(self, now: float, failed: bool) -> None:
        """Take note of when a unit ended, and whether it failed."""
        slot, recent = now // SLOT_SECONDS, self.recent
        if not recent or recent[-1][0] < slot:
            recent.append((slot, 0, 0))
        latest, units, failures = recent[-1]
        recent[-1] = latest, units + 1, failures + failed

    def fails(self, now: float, seconds: float) -> float:
        """Return the share of the units of the last seconds that failed, 0.0 of a few."""
        seen = [one for one in list(self.recent) if now - one[0] * SLOT_SECONDS <= seconds]
        units = sum(units for _, units, _ in seen)
        return sum(failed for _, _, failed in seen) / units if units >= 5 else 0.0
