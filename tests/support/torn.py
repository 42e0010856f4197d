"""A writer that truncates the file and writes it in pieces, against a server under load.

`python -m tests.support.torn --seconds 60` says how many responses carried a configuration that was
never written whole, and fails unless that is none.
"""

import argparse
import random
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from . import config
from .ending import unwind_at_sigterm
from .load import Load, workers
from .servers import environment, serving, uvicorn

__all__ = ["Result", "run"]

LONGEST_GAP = 0.1
"""Seconds between two pieces of one write, at most; the settle time is its default, 0.25."""


@dataclass(frozen=True, slots=True)
class Result:
    """What came of it: `torn` are answers with a content that no write had as a whole."""

    writes: int
    answers: int
    versions: int
    torn: list[str]
    failures: list[str]

    @property
    def good(self) -> bool:
        """Return whether all went well, and there was something to go wrong."""
        return not self.torn and not self.failures and self.versions > 1


def run(seconds: float, directory: Path, seed: int = 1) -> Result:
    """Write and ask for so many seconds."""
    dice = random.Random(seed)
    file = directory / "config.yaml"
    number = 10**6
    written = {number: _note(number)}
    config.write(file, config.text(number, note=written[number]))
    environ = environment(file, directory / "journal", RELOAD_CHECK_SETTLE="0.25")
    with serving(uvicorn(), environ, directory) as server:
        workers(server.port)
        with Load(server.port) as load:
            until = time.monotonic() + seconds
            while time.monotonic() < until:
                number += dice.randrange(1, 1000)
                written[number] = _note(number)
                _write_in_pieces(file, config.text(number, note=written[number]), dice)
                # Now and then the next write comes while this one is being taken up.
                time.sleep(dice.choice([0.0, 0.2, 0.3, 0.5]))
    torn = [
        str(answer.said)
        for answer in load.answers
        if answer.torn or written.get(answer.number) != answer.said["note"]
    ]
    versions = len({answer.number for answer in load.answers})
    return Result(len(written) - 1, len(load.answers), versions, torn, load.failures)


def _note(number: int) -> str:
    """Return a text that only this configuration has, and that no prefix of it equals."""
    return f"{number} " * (number % 7 + 1)


def _write_in_pieces(file: Path, content: str, dice: random.Random) -> None:
    """Truncate and write at once what a prefix parses to, then the rest, with gaps."""
    cuts = sorted(dice.sample(range(len(content)), dice.randrange(1, 5)))
    with file.open("w") as opened:
        for start, end in zip([0, *cuts], [*cuts, len(content)], strict=True):
            opened.write(content[start:end])
            opened.flush()
            time.sleep(dice.uniform(0, LONGEST_GAP))


def main() -> None:
    """Run as a program; the exit status says whether nothing was torn."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    with tempfile.TemporaryDirectory() as directory:
        result = run(parser.parse_args().seconds, Path(directory))
    print(
        f"{result.writes} writes, {result.answers} answers with {result.versions} configurations: "
        f"{len(result.torn)} torn, {len(result.failures)} failed"
    )
    raise SystemExit(not result.good)


if __name__ == "__main__":
    unwind_at_sigterm()
    main()
