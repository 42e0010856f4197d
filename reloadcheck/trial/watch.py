"""The watch after a promotion: do more units fail than before, beyond what luck explains?

It catches what a share cannot, such as a pool of one that everybody waits for. It compares with the
time of the trial, so that it cannot tell a bad edit from an incident that begins meanwhile.
"""

import math

_Z = 3.09
"""The 99.9 % point of the normal distribution."""


class Watch:
    """Counts failures since the promotion; `before` failed in the `seconds` before it."""

    def __init__(self, before: int, seconds: float, since: float) -> None:
        self.since = since
        self.failed = 0
        self._rate = _upper(before) / max(seconds, 1.0)
        self._latest = since

    def fail(self, now: float) -> None:
        """Take note of a unit of work that failed; the caller holds a lock."""
        self.failed += 1
        self._latest = max(self._latest, now)

    @property
    def most(self) -> float:
        """Return how many failures there could be by now at the rate of before."""
        return _upper(self._rate * max(self._latest - self.since, 1.0))

    @property
    def is_guilty(self) -> bool:
        """Return whether more failed; six never are, as the bound of nothing at all is above."""
        return self.failed > self.most


def _upper(count: float) -> float:
    """Return an upper bound, at 99.9 %, of what a Poisson count of this size may stand for."""
    return count + _Z * math.sqrt(count + 1.0) + (_Z**2 + 2.0) / 3.0
