"""What is counted of one of the two versions of a trial."""

from collections import deque
from dataclasses import dataclass, field


@dataclass(slots=True)
class Side:
    """What is counted of one of the two; `recent` are times of ends, and whether they failed."""

    units: int = 0
    failed: int = 0
    recent: deque[tuple[float, bool]] = field(default_factory=lambda: deque(maxlen=500))

    def fails(self, now: float, seconds: float) -> float:
        """Return the share of the units of the last seconds that failed, 0.0 of a few."""
        seen = [failed for at, failed in list(self.recent) if now - at <= seconds]
        return sum(seen) / len(seen) if len(seen) >= 5 else 0.0
