"""`python -m tests.together [SCHEDULES [FIRST]]`: many random schedules; 100,000 unless said."""

import sys
import time

from .schedules import run
from .world import BrokenError


def main(schedules: int = 100_000, first: int = 0) -> int:
    """Run them; print each seed that breaks an invariant, and return whether any did."""
    begun, broken = time.monotonic(), 0
    for seed in range(first, first + schedules):
        try:
            run(seed)
        except BrokenError as error:
            broken += 1
            print(f"seed {seed}: {error}", flush=True)
        if (seed - first + 1) % 5000 == 0:
            print(f"{seed - first + 1} in {time.monotonic() - begun:.0f} s", flush=True)
    print(f"{schedules} schedules, {broken} broken")
    return int(broken > 0)


if __name__ == "__main__":
    sys.exit(main(*(int(word) for word in sys.argv[1:])))
