"""Real trials under load: how soon a bad edit is undone, after how many failed requests, and how
often a harmless one is.

Four workers of uvicorn that share a store, and so one trial; it counts as over when all of them
have decided. Shares, times and luck are the defaults, save where it says so.
"""

import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.servers import Server, serving

from .judging import Claim, Report, Row, Series
from .rounds import Size

__all__ = ["run"]

WORKERS = 4
CLIENTS = 12
DEADLINE = 100.0

GOOD = "every: 0\nslow: 0\nanyway: 0\n"
ANYWAY = "every: 0\nslow: 0\nanyway: 0.02\n"


@dataclass(frozen=True, slots=True)
class Bad:
    """An edit that is bad in one way; what `percent` of its trials should keep to, at most."""

    what: str
    text: str
    percent: float | None = None
    seconds: float = 10.0
    failed: float = 0.0


BAD = (
    Bad("every request fails", "every: 1\nslow: 0\nanyway: 0\n", 95, failed=12),
    Bad("1 in 5 fails", "every: 5\nslow: 0\nanyway: 0\n", 90, failed=15),
    Bad("1 in 20 fails", "every: 20\nslow: 0\nanyway: 0\n"),
    Bad("twice as slow", "every: 0\nslow: 0.01\nanyway: 0\n"),
)
BOUND_RATE = 50.0
"""The load that the bounds are meant for, in requests a second."""

SITES = 2
"""How many servers try harmless edits beside each other."""

NOTE = (
    "4 workers of uvicorn that share a store; over when all have decided; the default trial "
    "(1 % for 3 s, then 20 %); from the writing of the file, window and settling included"
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
    rates = (BOUND_RATE,) if size.quick else (BOUND_RATE, 300.0)
    return [*(undone(rate, trials) for rate in rates), harmlessly(harmless)]


@contextmanager
def _serving(directory: Path, seconds: float, text: str = GOOD) -> Generator[tuple[Server, Path]]:
    config = directory / "config.yaml"
    config.write_text("number: 0\n" + text)
    command = [sys.executable, "-m", "uvicorn", "tests.benchmarks.tried_app:app", "--port", "0"]
    command += ["--host", "127.0.0.1", "--workers", str(WORKERS), "--no-access-log"]
    command += ["--timeout-worker-healthcheck", "60"]  # a busy machine is no dead worker
    environ = {
        "TRIED_CONFIG": str(config),
        "TRIED_SECONDS": str(seconds),
        "RELOAD_CHECK_STORE": str(directory / "store.db"),
        "RELOAD_CHECK_APP": "tried",
    }
    with serving(command, environ, directory) as server:
        yield server, config


def undone(rate: float, trials: int, bad: Sequence[Bad] = BAD) -> Report:
    """Try bad edits; each is taken back before the next one."""
    rows, claims, notes = list[Row](), list[Claim](), [NOTE]
    with tempfile.TemporaryDirectory() as name, _serving(Path(name), 60.0) as (server, config):
        load = Load(server.port, rate)
        with load.running():
            _all(server.port, _has_begun)
            time.sleep(2.0)
            for place, one in enumerate(bad):
                tried = [_tried(server, config, load, one, place * trials + n + 1)
                         for n in range(trials)]  # fmt: skip
                seconds = Series(tuple(found[0] for found in tried))
                failed = Series(tuple(found[1] for found in tried))
                rows.append(Row.of(f"{one.what}: undone everywhere", seconds, "s"))
                rows.append(Row.of(f"{one.what}: failed requests", failed, ""))
                if one.percent is not None and rate == BOUND_RATE:
                    within = f"{one.what}, in {one.percent:.0f} of 100"
                    found = seconds.percentile(one.percent - 1), failed.percentile(one.percent - 1)
                    claims.append(Claim(f"{within}: seconds", found[0], one.seconds, "s"))
                    claims.append(Claim(f"{within}: failed", found[1], one.failed, ""))
                notes.append(_in_words(one.what, seconds, failed, [found[2] for found in tried]))
    title = f"Bad edits, {rate:.0f} requests a second"
    return Report(title, tuple(rows), tuple(claims), tuple(notes))


def _tried(
    server: Server, config: Path, load: Load, bad: Bad, number: int
) -> tuple[float, float, int]:
    """Return the seconds until all had undone it, what failed, and how many promoted it."""
    before, begun = load.failed, time.monotonic()
    config.write_text(f"number: {number}\n{bad.text}")
    decided = _all(server.port, _is_decided, number=number)
    seconds, failed = time.monotonic() - begun, float(load.failed - before)
    late = sum(one["outcome"] != "undone" for one in decided.values())
    config.write_text("number: 0\n" + GOOD)
    _all(server.port, _is_back)
    return seconds, failed, late


def _in_words(what: str, seconds: Series, failed: Series, late: Sequence[int]) -> str:
    within = sum(one <= 10.0 for one in seconds.values)
    return (
        f"{what}: within 10 s in {within} of {len(late)}; median {seconds.median:.1f} s, "
        f"9 in 10 {seconds.percentile(89):.1f}, worst {max(seconds.values):.1f}; failed: median "
        f"{failed.median:.0f}, 9 in 10 {failed.percentile(89):.0f}, worst "
        f"{max(failed.values):.0f}; promoted in {sum(map(bool, late))} of {len(late)}"
    )


def harmlessly(trials: int) -> Report:
    """Try harmless edits, some servers at a time."""
    each = trials // SITES
    with ThreadPoolExecutor(SITES) as pool:
        undone = sum(pool.map(_harmless, [each] * SITES))
    note = (
        f"{undone} of {each * SITES} harmless trials, each on {WORKERS} workers that share it, "
        "were undone, 2 % of the requests failing anyway, 10 s each, 100 requests a second"
    )
    return Report("Harmless edits", (), (), (note,))


def _harmless(trials: int) -> int:
    """Return how many of so many were undone."""
    undone = 0
    with (
        tempfile.TemporaryDirectory() as name,
        _serving(Path(name), 10.0, ANYWAY) as (server, config),
    ):
        load = Load(server.port, 100.0)
        with load.running():
            _all(server.port, _has_begun)
            for number in range(1, trials + 1):
                config.write_text(f"number: {number}\n{ANYWAY}")
                decided = _all(server.port, _is_decided, number=number)
                undone += any(one["outcome"] == "undone" for one in decided.values())
    return undone


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
