"""Measures contestants in turn: every round runs each of them once, in an order of its own.

The clock is this process's CPU time unless a batch has its own: what other processes do is then not
counted, and what our engine thread does is.
"""

import gc
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from .judging import Series

__all__ = ["Batch", "Size", "interleave", "timed"]

Batch = Callable[[int], float]
"""Does something so many times, and gives the seconds that it took."""


@dataclass(frozen=True, slots=True)
class Size:
    """How much to measure: so many rounds of batches of so many seconds."""

    rounds: int
    batch: float
    quick: bool = False


def timed(call: Callable[[], object]) -> Batch:
    """Make a batch of a call without arguments."""

    def batch(times: int) -> float:
        begun = time.process_time()
        for _ in range(times):
            call()
        return time.process_time() - begun

    return batch


def interleave(
    contestants: Mapping[str, Batch], size: Size, fixed: int | None = None
) -> dict[str, Series]:
    """Run all contestants in each round; give what one call of each cost, in seconds.

    A batch has as many calls as fill it, or `fixed` many.
    """
    times = {name: fixed or _calibrated(batch, size.batch) for name, batch in contestants.items()}
    found: dict[str, list[float]] = {name: [] for name in contestants}
    order, dice = list(contestants), random.Random(size.rounds)
    gc.collect()
    for _ in range(size.rounds):
        dice.shuffle(order)
        for name in order:
            found[name].append(contestants[name](times[name]) / times[name])
    return {name: Series(tuple(values)) for name, values in found.items()}


def _calibrated(batch: Batch, seconds: float) -> int:
    """Find how many calls fill a batch; what takes longer than that is called once."""
    batch(1)  # the first is slower, by what it imports and caches
    times = 1
    while (taken := batch(times)) < seconds / 4:
        times *= 4
    return max(1, round(times * seconds / taken))
