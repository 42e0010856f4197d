"""Performs the steps under load and measures them.

Takes steps, gives rows. What was promised is checked against what the load's clients, both workers
and the database server say; it must never be assumed.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from .checks import LIMIT, Observation, broken_promises, shows_any
from .databases import Database
from .load import Load, Watch
from .server import Server, WorkerStatus
from .steps import Content, Expectation, Promise, Step
from .table import Row

__all__ = ["Bench", "with_stragglers"]

DEADLINE = 15.0
HOLD = 0.6
LOOK = 0.02

Statuses = Mapping[int, WorkerStatus]


@dataclass(slots=True)
class Gauge:
    """The server's connections: the last count, and the highest."""

    database: Database
    last: int | None = None
    peak: int | None = None

    def read(self) -> int | None:
        """Count now."""
        self.last = self.database.connections()
        if self.last is not None:
            self.peak = max(self.last, self.peak or 0)
        return self.last


class Bench:
    """The server, its database and its load, while the steps are performed."""

    def __init__(self, server: Server, database: Database, load: Load, content: Content) -> None:
        self._server = server
        self._database = database
        self._load = load
        self._content = content

    def warm_up(self) -> None:
        """Wait until both workers answer the load and their pools are full."""
        gauge, before = Gauge(self._database), self._server.look()
        self._until(lambda: len(self._load.look().first({})) == len(before), gauge)
        self._until(lambda: self._full(gauge, len(before)), gauge)

    def measure(self, step: Step) -> Row:
        """Perform a step and say what it came to."""
        before, content_before = self._server.look(), self._content
        gauge = Gauge(self._database)
        expected = step.perform()
        written = time.monotonic()
        self._content = expected.content
        noticed = self._await(expected, before, gauge)
        self._until(lambda: self._drained(gauge), gauge)
        self._hold(HOLD, gauge)
        after = self._server.look()
        seen = Observation(
            expected=expected,
            content_before=content_before,
            before=before,
            after=after,
            watch=self._load.take(),
            seconds={worker: max(0.0, at - written) for worker, at in noticed.items()},
            connections=gauge.read(),
            peak=gauge.peak,
            leaked=self._leaked(after),
        )
        return _row(step.title, seen, self._server.process.log.parent)

    def _leaked(self, statuses: Statuses) -> bool:
        told = [status.error or "" for status in statuses.values()]
        told.append(self._server.process.log.read_text(encoding="utf-8", errors="replace"))
        return shows_any(self._database.secrets, told)

    def _await(self, expected: Expectation, before: Statuses, gauge: Gauge) -> dict[int, float]:
        """Wait until each worker has the edit, or has rejected it; say when each had."""
        noticed: dict[int, float] = {}
        if expected.promise is Promise.NOTHING:
            self._hold(LIMIT, gauge)
            return noticed

        def done() -> bool:
            if expected.promise is Promise.LIVE:
                following = {worker: (one.version or 0) + 1 for worker, one in before.items()}
                noticed.update(self._load.look().first(following))
            else:
                for worker, status in self._server.look().items():
                    if status.code == expected.code:
                        noticed.setdefault(worker, time.monotonic())
            return len(noticed) >= len(before)

        self._until(done, gauge)
        return noticed

    def _drained(self, gauge: Gauge) -> bool:
        statuses = self._server.look().values()
        one_pool_each = all(one.pools_built - one.pools_closed == 1 for one in statuses)
        return one_pool_each and self._full(gauge, len(statuses))

    def _full(self, gauge: Gauge, workers: int) -> bool:
        return gauge.read() in (None, workers * self._content.pool_size)

    def _until(self, done: Callable[[], bool], gauge: Gauge) -> None:
        """Wait, but not for ever: what did not come is found by the checks."""
        deadline = time.monotonic() + DEADLINE
        while not done() and time.monotonic() < deadline:
            gauge.read()
            time.sleep(LOOK)

    def _hold(self, seconds: float, gauge: Gauge) -> None:
        end = time.monotonic() + seconds
        self._until(lambda: time.monotonic() >= end, gauge)


def with_stragglers(row: Row, rest: Watch) -> Row:
    """Add the failures that came after the last step to its row, so that none is lost."""
    failed = len(rest.failures)
    reasons = tuple(f"a request failed: {reason}" for reason in sorted(set(rest.failures)))
    return replace(row, failed=row.failed + failed, broken=(*row.broken, *reasons))


def _row(title: str, seen: Observation, directory: Path) -> Row:
    answers, failures = seen.watch.answers, seen.watch.failures
    return Row(
        step=title,
        promise=seen.expected.promise.value,
        seconds=dict(seen.seconds),
        requests=len(answers) + len(failures),
        failed=len(failures),
        slowest=max((answer.seconds for answer in answers), default=0.0),
        pools_built=seen.built,
        pools_closed=seen.closed,
        connections=seen.connections,
        peak=seen.peak,
        cause=seen.cause and seen.cause.replace(f"{directory}/", ""),
        broken=broken_promises(seen),
    )
