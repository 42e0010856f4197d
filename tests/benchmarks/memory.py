"""What one more snapshot of 1 MB of YAML costs, one value edited, the old one still leased."""

import gc
import tempfile
import tracemalloc
from contextlib import ExitStack
from pathlib import Path
from statistics import median

from reloadcheck import FrozenDict, Outcome, ReloadCheck
from tests.hazards.hold import text

from .judging import Claim, Report, Row, Series
from .rounds import Size

__all__ = ["run"]

PARTS = 14_000
FEW_KILOBYTES = 64.0


def run(size: Size) -> list[Report]:
    """Edit one value again and again, with a unit of work on every version."""
    parts = PARTS // 10 if size.quick else PARTS
    edits = 3 if size.quick else 5
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "app.yaml"
        path.write_text(text(0, parts, every=False))
        live = ReloadCheck(path, settle=0.0, patience=120.0, environ={})
        tracemalloc.start()
        try:
            live.start()
            live.check()
            first = _held()
            grown = Series(tuple(_edited(live, path, parts, edits)))
        finally:
            tracemalloc.stop()
            live.close()
    kilobytes = len(text(0, parts, every=False)) / 1024
    rows = (
        Row("the file", kilobytes, kilobytes, kilobytes, "KiB"),
        Row("the first snapshot, and all that is there anyway", first, first, first, "KiB"),
        Row.of("one more snapshot", grown, "KiB"),
    )
    name = "1 MB" if not size.quick else "100 KB"
    claim = Claim(
        f"memory of one more snapshot, {name} of YAML, one value edited",
        median(grown.values),
        FEW_KILOBYTES,
        "KiB",
    )
    return [Report("Memory", rows, (claim,))]


def _edited(live: ReloadCheck[FrozenDict], path: Path, parts: int, edits: int) -> list[float]:
    """Return what each edit adds while all versions are held."""
    grown: list[float] = []
    with ExitStack() as held:
        held.enter_context(live.lease())
        for number in range(1, edits + 1):
            before = _held()
            path.write_text(text(number, parts, every=False))
            assert live.check() is Outcome.RELOADED
            live.check()
            held.enter_context(live.lease())
            grown.append(_held() - before)
    return grown


def _held() -> float:
    gc.collect()
    return tracemalloc.get_traced_memory()[0] / 1024
