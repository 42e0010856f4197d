"""Jobs in plain threads, without a request: run ``python jobs.py``, and edit ``jobs.yaml``.

Each round of a job is one unit of work: it sees one version, and the next round takes the newest.
"""

import os
import signal
import sqlite3
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from reloadcheck import ReloadCheck, reload_check


@dataclass(frozen=True)
class Settings:
    """How often the jobs run, in seconds, and on what."""

    every: float
    keep: int
    database: str


CONFIG = os.environ.get("JOBS_CONFIG") or Path(__file__).with_suffix(".yaml")
live = ReloadCheck(CONFIG, schema=Settings)


@live.resource("database")
def store(path: str) -> Iterator[sqlite3.Connection]:
    """Open the database; a new path is opened beside the old one."""
    connection = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
    try:
        connection.execute("CREATE TABLE IF NOT EXISTS readings (at INTEGER PRIMARY KEY)")
        yield connection
    finally:
        connection.close()


@reload_check(live)
def measure() -> float:
    """Take a reading. The decorator makes each call one unit of work."""
    snapshot = live.current()
    snapshot[store].execute("INSERT INTO readings DEFAULT VALUES")
    return snapshot.config.every


def prune() -> float:
    """Keep the newest readings. A lease is the decorator's twin, for a part of a function."""
    with live.lease() as snapshot:
        keep = snapshot.config.keep
        last = "SELECT max(at) FROM readings"
        snapshot[store].execute(f"DELETE FROM readings WHERE at <= ({last}) - ?", (keep,))
        print(f"version {snapshot.version}: keeping {keep}", flush=True)
        return snapshot.config.every


def repeat(job: Callable[[], float], stop: threading.Event) -> None:
    """Run a job until told to stop, and pause as its configuration says."""
    while not stop.wait(job()):
        pass


def main() -> None:
    """Load, or fail with the cause; run both jobs until SIGTERM; close what is open."""
    stop = threading.Event()

    def end(number: int, frame: FrameType | None) -> None:
        stop.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, end)
    live.start()
    threads = [threading.Thread(target=repeat, args=(job, stop)) for job in (measure, prune)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    live.close()


if __name__ == "__main__":
    main()
