"""Real trials under load: how soon a bad edit is undone, after how many failed requests, and how
often a harmless one is.

Four workers of uvicorn, each of which judges for itself; a trial counts as over when all of them
have decided. Shares, times and luck are the defaults, save where it says so.
"""

import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.servers import Server, serving

from .judging import Report, Row, Series
from .rounds import Size

__all__ = ["run"]

WORKERS = 4
CLIENTS = 12
DEADLINE = 100.0

BAD = {
    "every request fails": "every: 1\nslow: 0\nanyway: 0\n",
    "1 in 5 fails": "every: 5\nslow: 0\nanyway: 0\n",
    "1 in 20 fails": "every: 20\nslow: 0\nanyway: 0\n",
    "twice as slow": "every: 0\nslow: 0.01\nanyway: 0\n",
}
GOOD = "every: 0\nslow: 0\nanyway: 0\n"
ANYWAY = "every: 0\nslow: 0\nanyway: 0.02\n"
NOTE = (
    "4 workers of uvicorn, each judging for itself with a quarter of the requests; over when all "
    "have decided; the default trial (1 % for 3 s, then 20 %)"
)


@dataclass(slots=True)
class Load:
    """Clients that ask at an even pace; `failed` counts what was answered 500, of `asked`."""

    port: int
    rate: float
    asked: int = 0
    failed: int = 0
    _over: threading.Event = field(default_factory=threading.Event)

    def run(self) -> None:
        """Ask until told to stop, on connections that are kept for a few requests."""
        pause = CLIENTS / self.rate
        while not self._over.is_set():
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
            try:
                for _ in range(5):
                    begun = time.monotonic()
                    connection.request("GET", "/")
                    answer = connection.getresponse()
                    answer.read()
                    self.asked += 1
                    self.failed += answer.status != 200
                    if self._over.wait(max(0.0, pause - (time.monotonic() - begun))):
                        return
            finally:
                connection.close()

    @contextmanager
    def running(self) -> Generator["Load"]:
        """Let all clients ask while the block runs."""
        threads = [threading.Thread(target=self.run) for _ in range(CLIENTS)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            self._over.set()
            for thread in threads:
                thread.join()


def run(size: Size) -> list[Report]:
    """Try bad edits and harmless ones."""
    trials, harmless = (2, 4) if size.quick else (20, 200)
    reports = [_undone(rate, trials) for rate in ((50.0,) if size.quick else (50.0, 300.0))]
    return [*reports, _harmless(harmless)]


@contextmanager
def _serving(directory: Path, seconds: float) -> Generator[tuple[Server, Path]]:
    config = directory / "config.yaml"
    config.write_text("number: 0\n" + GOOD)
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.tried_app:app", "--port", "0"]
    command += ["--host", "127.0.0.1", "--workers", str(WORKERS), "--no-access-log"]
    environ = {"TRIED_CONFIG": str(config), "TRIED_SECONDS": str(seconds)}
    with serving(command, environ, directory) as server:
        yield server, config


def _undone(rate: float, trials: int) -> Report:
    rows: list[Row] = []
    notes = [NOTE]
    with tempfile.TemporaryDirectory() as name, _serving(Path(name), 60.0) as (server, config):
        load = Load(server.port, rate)
        with load.running():
            _all(server.port, _has_begun)
            time.sleep(2.0)
            number = 0
            for what, text in BAD.items():
                seconds, failed, late = list[float](), list[float](), 0
                for _ in range(trials):
                    number += 1
                    before, begun = load.failed, time.monotonic()
                    config.write_text(f"number: {number}\n{text}")
                    decided = _all(server.port, _is_decided, number=number)
                    seconds.append(time.monotonic() - begun)
                    late += sum(one["outcome"] != "undone" for one in decided.values())
                    failed.append(float(load.failed - before))
                    config.write_text("number: 0\n" + GOOD)
                    _all(server.port, _is_back)
                rows.append(Row.of(f"{what}: undone everywhere", Series(tuple(seconds)), "s"))
                rows.append(Row.of(f"{what}: failed requests", Series(tuple(failed)), ""))
                within = sum(one <= 10.0 for one in seconds)
                notes.append(
                    f"{what}: within 10 s in {within} of {trials}, longest {max(seconds):.1f} s, "
                    f"most failed {max(failed):.0f}, median {statistics.median(failed):.0f}; "
                    f"{late} of {trials * WORKERS} workers promoted it"
                )
    return Report(f"Bad edits, {rate:.0f} requests a second", tuple(rows), (), tuple(notes))


def _harmless(trials: int) -> Report:
    undone = 0
    with tempfile.TemporaryDirectory() as name, _serving(Path(name), 10.0) as (server, config):
        load = Load(server.port, 100.0)
        with load.running():
            _all(server.port, _has_begun)
            for number in range(1, trials + 1):
                config.write_text(f"number: {number}\n{ANYWAY}")
                decided = _all(server.port, _is_decided, number=number)
                undone += sum(one["outcome"] == "undone" for one in decided.values())
    tried = trials * WORKERS
    note = (
        f"{undone} of {tried} harmless trials ({trials} edits on {WORKERS} workers) were undone, "
        "2 % of the requests failing anyway, 10 s each, 100 requests a second"
    )
    return Report("Harmless edits", (), (), (note,))


def _is_decided(told: dict[str, Any]) -> bool:
    return told["outcome"] in ("undone", "reloaded", "unchanged")


def _is_back(told: dict[str, Any]) -> bool:
    return bool(told["number"] == 0 and told["outcome"] in ("reloaded", "unchanged"))


def _has_begun(told: dict[str, Any]) -> bool:
    return told["outcome"] is not None


def _all(port: int, wanted: Any, number: int | None = None) -> dict[int, dict[str, Any]]:
    """Ask until each worker tells what is wanted; with a number, first has begun to try it."""
    tried: set[int] = set()
    found: dict[int, dict[str, Any]] = {}
    until = time.monotonic() + DEADLINE
    while len(found) < WORKERS and time.monotonic() < until:
        told = _state(port)
        pid = told["pid"]
        if number is not None and pid not in tried:
            if told["outcome"] in ("trying", "undone") or told["number"] == number:
                tried.add(pid)
            else:
                time.sleep(0.02)
                continue
        if wanted(told):
            found[pid] = told
        else:
            found.pop(pid, None)
            time.sleep(0.02)
    return found


def _state(port: int) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.request("GET", "/state")
        told: dict[str, Any] = json.loads(connection.getresponse().read())
        return told
    finally:
        connection.close()
