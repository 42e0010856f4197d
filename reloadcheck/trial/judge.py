"""The judge of a trial: a coin, not a rate.

While a candidate has a random share p of the units of work, a bad unit of a harmless candidate fell
on it with chance p, however the rate of failures moves. So only bad units count. For each of five
rates r at which a candidate could fail more often than what serves, the likelihood of where the bad
units fell is multiplied up; the mean of the five is a martingale while the candidate is harmless,
and by Ville's inequality its inverse bounds the chance that a harmless one is *ever* judged guilty,
looked at after every unit, in any order, with shares that change on the way.

The method was published for canaries of software by Lindon and others (arXiv 2205.14762).
"""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

RATIOS: Final = (2.0, 5.0, 20.0, 100.0, 1000.0)
"""How many times as often a guilty candidate might fail."""

_LARGEST: Final = 700.0
"""The largest logarithm whose exponential a float holds."""


class Judge:
    """Weighs the bad units of one signal; order does not matter. Not thread-safe.

    `bad` counts them, `on_candidate` those that fell on the candidate.
    """

    __slots__ = ("_sums", "bad", "on_candidate")

    def __init__(self) -> None:
        self._sums = [0.0] * len(RATIOS)
        self.bad = self.on_candidate = 0

    def add(self, on_candidate: bool, share: float) -> None:
        """Take note of a bad unit; `share` is the candidate's, above 0 and below 1, as it began."""
        self.bad += 1
        self.on_candidate += on_candidate
        self._sums = [a + b for a, b in zip(self._sums, _steps(on_candidate, share), strict=True)]

    @property
    def sums(self) -> tuple[float, ...]:
        """Return the logarithm of each rate's likelihood so far."""
        return tuple(self._sums)

    def take(self, bad: int, on_candidate: int, sums: Iterable[float]) -> None:
        """Take what another judge of the same signal has weighed."""
        self.bad += bad
        self.on_candidate += on_candidate
        self._sums = [a + b for a, b in zip(self._sums, sums, strict=True)]

    @property
    def luck(self) -> float:
        """Return the bound on the chance that a harmless candidate ever looks so bad, at most 1."""
        total = sum(math.exp(min(one, _LARGEST)) for one in self._sums)
        return min(1.0, len(RATIOS) / total) if total > 0.0 else 1.0

    @property
    def odds(self) -> str:
        """Return the luck as people say it: `1 in 1,400`."""
        return f"1 in {min(1e9, 1.0 / self.luck):,.0f}"


@lru_cache(maxsize=256)
def _steps(on_candidate: bool, share: float) -> tuple[float, ...]:
    """Return what one bad unit adds to the logarithm of each rate's likelihood."""
    gains = (math.log(ratio) if on_candidate else 0.0 for ratio in RATIOS)
    losses = (math.log(ratio * share + 1.0 - share) for ratio in RATIOS)
    return tuple(gain - loss for gain, loss in zip(gains, losses, strict=True))
