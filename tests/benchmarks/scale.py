"""Many of everything: watched files, resources, workers on one file, keys; and an idle hour.

CPU time is the engine's own process's, so that other work on the machine hardly shows.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from reloadcheck import FrozenDict, Outcome, ReloadCheck
from reloadcheck._runtime.clock import SystemClock
from tests.hazards.rig import replace
from tests.support.servers import ROOT

from .judging import Claim, Report, Row, Series
from .rounds import Size
from .served import used

__all__ = ["run"]

FILES = (1, 10, 100, 1_000)
RESOURCES = (1, 10, 100)
WORKERS = (2, 4, 8, 16)
KEYS = 100_000
HOUR = 3600.0


class Later(SystemClock):
    """A minute ahead, so that what was written just now has aged and its stamp is trusted."""

    def wall(self) -> float:
        """Return the seconds since 1970, and a minute."""
        return super().wall() + 60.0


def run(size: Size) -> list[Report]:
    """Measure each in a directory of its own."""
    reports: list[Report] = []
    checks = 5 if size.quick else 30
    for measure in (_files, _resources, _workers, _keys, _idle):
        if size.quick and measure in (_workers, _keys):
            continue
        with tempfile.TemporaryDirectory() as directory:
            reports.append(measure(Path(directory), checks))
    return reports


@contextmanager
def _started(*paths: Path, resources: int = 0) -> Generator[ReloadCheck[FrozenDict]]:
    live = ReloadCheck(*paths, settle=0.0, environ={}, clock=Later())
    for number in range(resources):
        live.resource(f"part{number}", name=f"resource{number}")(_built)
    live.start()
    live.check()
    try:
        yield live
    finally:
        live.close()


def _built(part: object) -> object:
    """Build next to nothing."""
    return [part]


def _checked(live: ReloadCheck[FrozenDict], checks: int) -> Series:
    """Return the CPU seconds of each of so many checks that find nothing new."""
    found: list[float] = []
    for _ in range(checks):
        begun = time.process_time()
        outcome = live.check()
        found.append(time.process_time() - begun)
        assert outcome is Outcome.UNCHANGED
    return Series(tuple(found))


def _files(directory: Path, checks: int) -> Report:
    rows: list[Row] = []
    last = Series((0.0,))
    for count in FILES:
        paths = [directory / f"{count}-{number}.json" for number in range(count)]
        for number, path in enumerate(paths):
            path.write_text(f'{{"part{number}": {number}}}')
        with _started(*paths) as live:
            last = _checked(live, checks)
        rows.append(Row.of(f"{count:,} files, a check's CPU", last, "ms", 1e3))
    claim = Claim(f"check of {FILES[-1]:,} files, CPU per window", last.median * 1e3, 2.0, "ms")
    return Report("Scale: watched files", tuple(rows), (claim,))


def _resources(directory: Path, checks: int) -> Report:
    rows: list[Row] = []
    path = directory / "app.yaml"
    for count in RESOURCES:
        path.write_text(_parts(count, 0))
        with _started(path, resources=count) as live:
            unchanged = _checked(live, checks)
            reloaded = Series(tuple(_reloads(live, path, count, min(checks, 10))))
        rows.append(Row.of(f"{count} resources, a check's CPU", unchanged, "ms", 1e3))
        rows.append(Row.of(f"{count} resources, CPU to rebuild one", reloaded, "ms", 1e3))
    return Report("Scale: resources", tuple(rows))


def _parts(count: int, number: int) -> str:
    first = f"part0: {{number: {number}}}\n"
    return first + "".join(f"part{part}: {{number: 0}}\n" for part in range(1, count))


def _reloads(live: ReloadCheck[FrozenDict], path: Path, count: int, edits: int) -> Iterator[float]:
    for number in range(1, edits + 1):
        replace(path, _parts(count, number))
        begun = time.process_time()
        outcome = live.check()
        yield time.process_time() - begun
        assert outcome is Outcome.RELOADED
        live.check()  # the engine looks once more by itself, and is not to see the next edit


def _workers(directory: Path, checks: int) -> Report:
    rows: list[Row] = []
    path = directory / "app.yaml"
    for count in WORKERS:
        replace(path, "number: 0\n")
        with ExitStack() as up:
            workers = [up.enter_context(_worker(path, "busy")) for _ in range(count)]
            for worker in workers:
                _told(worker, 0)
            first, last = _spread(workers, path, min(checks, 10))
        rows.append(Row.of(f"{count} workers, the first has the edit", first, "ms", 1e3))
        rows.append(Row.of(f"{count} workers, the last has the edit", last, "ms", 1e3))
    notes = ("window and settle 50 ms; fifty units of work a second in each",)
    return Report("Scale: workers on one file", tuple(rows), (), notes)


def _spread(
    workers: list["subprocess.Popen[str]"], path: Path, edits: int
) -> tuple[Series, Series]:
    first: list[float] = []
    last: list[float] = []
    for number in range(1, edits + 1):
        replace(path, f"number: {number}\n")
        written = time.monotonic()
        times = [_told(worker, number) - written for worker in workers]
        first.append(min(times))
        last.append(max(times))
    return Series(tuple(first)), Series(tuple(last))


@contextmanager
def _worker(path: Path, mode: str) -> Generator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "tests.benchmarks.worker", str(path), mode]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield process
        finally:
            if process.stdin is not None:
                process.stdin.close()
            process.wait(20)


def _told(worker: "subprocess.Popen[str]", number: int) -> float:
    """Wait until a worker says that it has this number; give when it had."""
    assert worker.stdout is not None
    for line in worker.stdout:
        said, at = line.split()
        if int(said) == number:
            return float(at)
    raise AssertionError("a worker ended")


def _keys(directory: Path, checks: int) -> Report:
    path = directory / "app.yaml"
    path.write_text(_flat(0))
    with _started(path) as live:
        unchanged = _checked(live, checks)
        found: list[float] = []
        for number in (1, 2, 3):
            replace(path, _flat(number))
            begun = time.process_time()
            assert live.check() is Outcome.RELOADED
            found.append(time.process_time() - begun)
            live.check()
    rows = (
        Row.of(f"{KEYS:,} keys, a check's CPU", unchanged, "ms", 1e3),
        Row.of(f"{KEYS:,} keys, CPU of a reload for one value", Series(tuple(found)), "ms", 1e3),
    )
    return Report("Scale: keys", rows)


def _flat(number: int) -> str:
    return f"number: {number}\n" + "".join(f"key{key}: {key}\n" for key in range(KEYS - 1))


def _idle(directory: Path, checks: int) -> Report:
    path = directory / "app.yaml"
    path.write_text("number: 0\n")
    seconds = 60.0 if checks > 5 else 4.0
    with _worker(path, "idle") as worker:
        _told(worker, 0)
        time.sleep(2.0)  # until all that follows a start is done
        begun, before = time.monotonic(), used(worker.pid)
        time.sleep(seconds)
        share = (used(worker.pid) - before) / (time.monotonic() - begun)
    claim = Claim("idle app, CPU per hour", share * HOUR, 0.1, "s")
    row = Row.of(f"an hour, by {seconds:g} s", Series((share * HOUR,)), "s")
    return Report("Scale: an idle application", (row,), (claim,))
