"""Run benchmarks: `python -m tests.benchmarks [--quick] [--json] [--page] [name …]`.

The short form fails on errors, and on what misses its target by far although its control is quiet.
`--json` gives a run for programs; `--page --from FILE …` puts what such runs found into the
documentation.
"""

import argparse
import importlib
import sys
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType
from typing import TextIO

from tests.support.ending import unwind_at_sigterm

from .judging import Report
from .printing import as_json, as_markdown, as_text, from_json, load, machine, with_section
from .rounds import Size

QUICK = ("request", "contextvar", "reading", "memory", "phases", "scale")
"""What the short form runs when no names are given; the long one runs them all."""

NAMES = (*QUICK, "trial", "served", "reloads", "pickup", "fleet")

FULL_SIZE = Size(rounds=201, batch=0.002)
QUICK_SIZE = Size(rounds=31, batch=0.002, quick=True)
PAGE = Path(__file__).parents[2] / "docs" / "costs.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for; the exit status says whether the short form failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks", description=__doc__)
    parser.add_argument("names", nargs="*", choices=[[], *NAMES], help="all by default")
    parser.add_argument("--quick", action="store_true", help="the short form, under a minute")
    parser.add_argument("--json", action="store_true", help="for programs")
    parser.add_argument("--page", action="store_true", help="write the section of docs/costs.md")
    parser.add_argument("--from", dest="files", type=Path, nargs="+", help="earlier runs' JSON")
    chosen = parser.parse_args(arguments)
    names = chosen.names or (QUICK if chosen.quick else NAMES)
    if chosen.files is None:
        shown = sys.stderr if chosen.json else sys.stdout
        where = f"{machine()}, {load()}"
        found = _run(names, QUICK_SIZE if chosen.quick else FULL_SIZE, shown)
    else:
        found, where = _earlier(chosen.files)
    if chosen.json:
        print(as_json(found, where))
    if chosen.page:
        section = as_markdown(found, where)
        text = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(with_section(text, section), encoding="utf-8")
    claims = [claim for some in found.values() for report in some for claim in report.claims]
    gross = [claim for claim in claims if claim.gross]
    for claim in gross:
        print(f"missed by far: {claim.measure}", file=sys.stderr)
    return int(bool(chosen.quick and gross))


def _earlier(files: Sequence[Path]) -> tuple[dict[str, list[Report]], str]:
    """Return what earlier runs found, in the order of the files, and where they ran."""
    found: dict[str, list[Report]] = {}
    loads: dict[str, list[str]] = {}
    for file in files:
        some, where = from_json(file.read_text(encoding="utf-8"))
        found |= some
        place, _, busy = where.rpartition(", load average ")
        loads.setdefault(place, []).append(busy)
    ranges = {
        place: sorted({min(busy, key=float), max(busy, key=float)}, key=float)
        for place, busy in loads.items()
    }
    places = [f"{place}, load average {' … '.join(busy)}" for place, busy in ranges.items()]
    return found, "; ".join(places)


def _run(names: Sequence[str], size: Size, shown: TextIO) -> dict[str, list[Report]]:
    """Run one after the other, and show each as soon as it is there."""
    found: dict[str, list[Report]] = {}
    print(f"{machine()}, {load()}\n", file=shown, flush=True)
    for name in names:
        module: ModuleType = importlib.import_module(f".{name}", __package__)
        found[name] = module.run(size)
        print(as_text(found[name]), file=shown, flush=True)
    return found


if __name__ == "__main__":
    unwind_at_sigterm()
    sys.exit(main())
