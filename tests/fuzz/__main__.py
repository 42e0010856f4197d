"""Run fuzz targets for a bounded time: `python -m tests.fuzz [yaml|json|toml …] --seconds N`."""

import argparse
import resource
import sys
import time
from collections.abc import Sequence
from random import Random, SystemRandom
from typing import Final

from .grammar import WRITERS, damaged
from .targets import check

_LONGEST: Final = 1.0
_MOST_MEMORY: Final = 64 * 1024
"""Seconds that one document may take, and KiB that the process may grow."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the chosen targets one after the other; the exit status tells whether all held."""
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("formats", nargs="*", choices=[[], *WRITERS], help="all by default")
    parser.add_argument("--seconds", type=float, default=10.0, help="for each target")
    parser.add_argument("--seed", type=int, default=SystemRandom().randrange(2**32))
    chosen = parser.parse_args(arguments)
    for format_ in chosen.formats or list(WRITERS):
        if not _run(format_, chosen.seconds, chosen.seed):
            return 1
    return 0


def _run(format_: str, seconds: float, seed: int) -> bool:
    print(f"{format_}: seed {seed}", flush=True)
    random = Random(seed)
    accepted = rounds = 0
    _round(format_, Random(0))
    before = _memory()
    slowest = 0.0
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        # A seed of its own for each round, so that one can be repeated alone.
        round_seed = random.randrange(2**32)
        started = time.thread_time()
        try:
            accepted += _round(format_, Random(round_seed))
        except BaseException:
            print(f"{format_}: round seed {round_seed}: {_document(format_, Random(round_seed))!r}")
            raise
        taken = time.thread_time() - started
        slowest = max(slowest, taken)
        rounds += 1
        if taken > _LONGEST or _memory() - before > _MOST_MEMORY:
            print(f"{format_}: round seed {round_seed}: {taken:.2f} s, {_memory() - before} KiB")
            return False
    grown = _memory() - before
    print(f"{format_}: {rounds} documents, {accepted} accepted, {slowest:.3f} s, {grown} KiB more")
    return True


def _round(format_: str, random: Random) -> bool:
    return check(format_, _document(format_, random))


def _document(format_: str, random: Random) -> bytes:
    text = WRITERS[format_](random)
    return damaged(random, text) if random.random() < 0.5 else text.encode()


def _memory() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


if __name__ == "__main__":
    sys.exit(main())
