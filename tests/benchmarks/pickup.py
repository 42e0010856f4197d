"""How soon an edit is served: from its last byte to each worker's first response with it.

uvicorn with two workers under a steady load; what counts is the end of the first response that has
the new number, by a clock that all processes share.
"""

import random
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.support.config import text, write
from tests.support.load import Load, workers
from tests.support.servers import environment, serving, uvicorn

from .judging import Claim, Report, Row, Series, ratio
from .rounds import Size

__all__ = ["run"]

CLIENTS, PACE = 4, 0.004
CASES = ((1.0, 0.25), (0.05, 0.05), (0.0, 0.05))
"""Windows and settle times, in seconds."""

TARGETS = {0.05: 150.0}
"""Milliseconds that the 99th percentile may take, by window."""


@dataclass(frozen=True, slots=True)
class PickUps:
    """How long it took each worker, for one edit after the other."""

    edits: tuple[tuple[float, ...], ...]

    @property
    def seconds(self) -> tuple[float, ...]:
        """Return all of them."""
        return _joined(self.edits)

    @property
    def halves(self) -> tuple[Series, Series]:
        """Return those of every other edit, and the rest: the same thing measured twice."""
        return Series(_joined(self.edits[::2])), Series(_joined(self.edits[1::2]))


def _joined(edits: Sequence[Sequence[float]]) -> tuple[float, ...]:
    return tuple(one for edit in edits for one in edit)


def run(size: Size) -> list[Report]:
    """Edit again and again under each window."""
    edits = 6 if size.quick else 60
    rows: list[Row] = []
    claims: list[Claim] = []
    for window, settle in CASES:
        found = _case(window, settle, edits)
        series = Series(found.seconds)
        name = f"window {window:g} s, settle {settle:g} s"
        rows.append(Row.of(name, series, "ms", 1e3))
        p99 = series.percentile(99) * 1e3
        rows.append(Row(f"{name}, p99", p99, p99, p99, "ms"))
        if window in TARGETS:
            one, other = found.halves
            measure = f"pick-up with {name}, p99 of {len(found.seconds)}"
            claims.append(Claim(measure, p99, TARGETS[window], "ms", control=ratio(one, other)))
    return [Report("Pick-up, from the last byte to the response", tuple(rows), tuple(claims))]


def _case(window: float, settle: float, edits: int) -> PickUps:
    dice = random.Random(edits)
    found: list[tuple[float, ...]] = []
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        path = directory / "app.yaml"
        write(path, text(0))
        times = {"RELOAD_CHECK_WINDOW": str(window), "RELOAD_CHECK_SETTLE": str(settle)}
        variables = environment(path, directory / "journal", **times)
        with serving(uvicorn(), variables, directory) as server:
            everyone = set(workers(server.port))
            with Load(server.port, CLIENTS, PACE) as load:
                load.reaches(0, everyone)
                for number in range(1, edits + 1):
                    time.sleep(dice.uniform(0.05, 0.1 + window))  # at any moment of a window
                    write(path, text(number))
                    written = time.monotonic()
                    load.reaches(number, everyone)
                    found.append(_first(load, number, written))
                    load.answers.clear()
    return PickUps(tuple(found))


def _first(load: Load, number: int, written: float) -> tuple[float, ...]:
    """Return when each worker ended its first answer with this number."""
    first: dict[int, float] = {}
    for answer in list(load.answers):
        if answer.number == number:
            ended = first.get(answer.worker, answer.ended)
            first[answer.worker] = min(ended, answer.ended)
    return tuple(ended - written for ended in first.values())
