"""What requests wait while a configuration is rewritten each second, as a report.

Measured by `tests.hazards.loadlag`: with each size, and with what applications do by themselves.
"""

from tests.hazards import loadlag
from tests.hazards.loadlag import MEGABYTE, Phases

from .judging import Claim, Report, Row, Series
from .rounds import Size

__all__ = ["run"]

SIZES = {"10 KB": 140, "200 KB": 2_800, "1 MB": MEGABYTE}
WORDS = {"one": "one value changed", "all": "all values changed"}


def run(size: Size) -> list[Report]:
    """Measure ours with each size, and what applications do by themselves with the largest."""
    seconds = 3.0 if size.quick else 6.0
    sizes = {"200 KB": SIZES["200 KB"]} if size.quick else SIZES
    found: list[Report] = []
    for name, parts in sizes.items():
        largest = parts == MEGABYTE
        phases = loadlag.run(seconds, _order(3 if largest else 1), parts=parts)
        found.append(_report(f"ours, {name}", phases, _claims(phases) if largest else ()))
    if not size.quick:
        theirs = "tests.benchmarks.parsing_app:app"
        for where in ("inline", "thread"):
            phases = loadlag.run(seconds, _order(1), app=theirs, parsing=where)
            found.append(_report(f"CSafeLoader, {where}, 1 MB", phases, ()))
    return found


def _order(rounds: int) -> list[str]:
    """Have what comes first change from round to round."""
    return [kind for n in range(rounds) for kind in (("one", "all"), ("all", "one"))[n % 2]]


def _report(title: str, phases: Phases, claims: tuple[Claim, ...]) -> Report:
    rows = [row for kind in ("idle", *WORDS) for row in _rows(phases, kind)]
    notes = (
        *(f"p99 {phases.ratio(kind):.2f} × idle, {words}" for kind, words in WORDS.items()),
        f"control: {phases.control:.2f}, the median p99 of every other idle phase",
        f"{sum(phase.reloads for phase in phases.each)} reloads",
    )
    return Report(f"During reloads, {title}", tuple(rows), claims, notes)


def _rows(phases: Phases, kind: str) -> list[Row]:
    some = phases.of(kind)
    rows = [
        Row.of(
            f"{kind}, p{percent:g}",
            Series(tuple(phase.times.percentile(percent) for phase in some)),
            "ms",
            1e3,
        )
        for percent in (50.0, 99.0, 99.9)
    ]
    holds = Series(tuple(phase.hold for phase in some))
    return [*rows, Row.of(f"{kind}, longest hold of the loop", holds, "ms", 1e3)]


def _claims(phases: Phases) -> tuple[Claim, ...]:
    ratios = (
        Claim(
            f"p99 during reloads of 1 MB, {words}",
            phases.ratio(kind),
            loadlag.BOUNDS[kind],
            control=phases.control,
        )
        for kind, words in WORDS.items()
    )
    hold = "longest hold of the loop by reloads of 1 MB"
    return (*ratios, Claim(hold, phases.longest * 1e3, loadlag.LONGEST * 1e3, "ms"))
