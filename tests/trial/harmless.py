"""How often is a harmless edit undone? `python -m tests.trial.harmless [trials]`: 100,000 of them.

Whole trials by the judge, unit after unit: shares that rise on the way, in one to four steps, and
failures that have nothing to do with the edit, at rates of 0, 0.1, 2 and 50 %, that jump, and in
bursts. Says how many were undone by their signal, and fails where that is more than one in a
thousand.
"""

import random
import sys
from bisect import bisect_right
from collections.abc import Callable, Iterator
from itertools import repeat

from reloadcheck.trial import Judge

TRIALS = 100_000
LUCK = 0.001
SHARES = (0.01, 0.05, 0.2, 0.5)

Rates = Callable[[random.Random], Iterator[float]]
Shares = Callable[[random.Random], Iterator[float]]


def jumping(random_: random.Random) -> Iterator[float]:
    """A rate that jumps with each unit in a few hundred."""
    while True:
        yield from repeat(random_.choice((0.0, 0.01, 0.5, 1.0)), random_.randrange(1, 300))


def bursts(random_: random.Random) -> Iterator[float]:
    """No failure, but for seconds in which everything fails."""
    while True:
        yield from repeat(0.0, random_.randrange(1, 2000))
        yield from repeat(1.0, random_.randrange(1, 100))


RATES: dict[str, Rates] = {
    "0 %": lambda _: repeat(0.0),
    "0.1 %": lambda _: repeat(0.001),
    "2 %": lambda _: repeat(0.02),
    "50 %": lambda _: repeat(0.5),
    "jumping": jumping,
    "bursts": bursts,
}


def is_undone(random_: random.Random, rates: Iterator[float], units: int) -> bool:
    """Run one trial of so many units, whose shares and steps are drawn."""
    judge = Judge()
    shares = sorted(random_.sample(SHARES, random_.randrange(1, len(SHARES) + 1)))
    steps = sorted(random_.randrange(units) for _ in shares[1:])
    for number in range(units):
        if random_.random() >= next(rates):
            continue
        share = shares[bisect_right(steps, number)]
        on_candidate = random_.random() < share
        judge.add(on_candidate, share)
        if on_candidate and judge.luck <= LUCK:
            return True
    return False


def undone(name: str, trials: int, seed: int = 1) -> int:
    """Return how many of so many harmless trials are undone, at one way to fail."""
    random_ = random.Random(f"{seed} {name}")
    return sum(
        is_undone(random_, RATES[name](random_), random_.randrange(100, 1500))
        for _ in range(trials)
    )


def is_guilty(random_: random.Random, shares: Iterator[float], most: int) -> bool:
    """Return whether a harmless candidate is judged guilty within so many bad units."""
    judge = Judge()
    for _ in range(most):
        share = next(shares)
        on_candidate = random_.random() < share
        judge.add(on_candidate, share)
        if on_candidate and judge.luck <= LUCK:
            return True
    return False


def constant(share: float) -> Iterator[float]:
    """One share for ever."""
    while True:
        yield share


def steady(share: float) -> Shares:
    """Return what draws one share for ever."""

    def drawing(random_: random.Random) -> Iterator[float]:
        return constant(share)

    return drawing


def rising_share(random_: random.Random) -> Iterator[float]:
    """A share that rises on the way, at a moment that nothing foresees."""
    moment = random_.randrange(1, 40)
    yield from (0.01 for _ in range(moment))
    yield from constant(0.2)


def jumping_share(random_: random.Random) -> Iterator[float]:
    """Shares that jump with each bad unit, as when errors come in bursts over several steps."""
    while True:
        yield random_.choice((0.01, 0.05, 0.2, 0.5))


SHARES_AT: dict[str, Shares] = {
    "1 %": steady(0.01),
    "20 %": steady(0.2),
    "50 %": steady(0.5),
    "rising": rising_share,
    "jumping": jumping_share,
}


def guilty(name: str, trials: int, seed: int = 1) -> int:
    """Return how many harmless candidates are judged guilty, at one way to draw a share."""
    random_ = random.Random(f"{seed} {name}")
    return sum(is_guilty(random_, SHARES_AT[name](random_), 30) for _ in range(trials))


def main(trials: int) -> int:
    """Run them all, evenly over the ways to fail; the exit status says whether too many were."""
    each = max(1, trials // len(RATES))
    found = {name: undone(name, each) for name in RATES}
    for name, count in found.items():
        print(f"{name:<10}{count:>6} of {each} undone")
    for way in SHARES_AT:
        count = found[f"share {way}"] = guilty(way, each)
        print(f"share {way:<10}{count:>4} of {each} guilty")
    worst = max(found.values())
    print(f"in all {sum(found.values())} of {each * len(found)}")
    return int(worst > each * LUCK + 3 * (each * LUCK) ** 0.5)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else TRIALS))
