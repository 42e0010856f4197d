"""Holds what was seen during a step against what the step promised. Pure.

Takes an observation, gives a sentence for each promise that was not kept; never quotes a URL.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from .load import Watch
from .server import WorkerStatus
from .steps import Content, Expectation, Promise

__all__ = ["LIMIT", "Observation", "broken_promises", "shows_any"]

LIMIT = 1.0 + 0.25 + 2.0
"""Seconds until an edit is live at the latest: window, settle, and time to build a pool."""

Statuses = Mapping[int, WorkerStatus]


@dataclass(frozen=True, slots=True)
class Observation:
    """All that was seen of one step.

    `seconds` says for each worker how long after the last byte it had the edit or had rejected it.
    `connections` are the database server's when all was quiet again, `peak` the most on the way.
    `leaked` tells that the server's log or status showed a password.
    """

    expected: Expectation
    content_before: Content
    before: Statuses
    after: Statuses
    watch: Watch
    seconds: Mapping[int, float]
    connections: int | None = None
    peak: int | None = None
    leaked: bool = False

    @property
    def built(self) -> int:
        """Count the pools that were built meanwhile, in all workers."""
        return sum(status.pools_built for status in self.after.values()) - sum(
            status.pools_built for status in self.before.values()
        )

    @property
    def closed(self) -> int:
        """Count the pools that were closed meanwhile, in all workers."""
        return sum(status.pools_closed for status in self.after.values()) - sum(
            status.pools_closed for status in self.before.values()
        )

    @property
    def cause(self) -> str | None:
        """Return why the workers rejected the file, if they did; the same sentence in all."""
        return next((status.error for status in self.after.values() if status.error), None)


def broken_promises(seen: Observation) -> tuple[str, ...]:
    """Name each promise that was not kept; empty when all were."""
    if seen.before.keys() != seen.after.keys():
        return ("a worker process was replaced",)
    return (
        *_requests(seen),
        *_freshness(seen),
        *_versions(seen),
        *_pools(seen),
        *_connections(seen),
        *_errors(seen),
    )


def shows_any(secrets: Collection[str], texts: Iterable[str]) -> bool:
    """Return whether any of the texts shows any of the secrets."""
    return any(secret in text for text in texts for secret in secrets)


def _requests(seen: Observation) -> Iterator[str]:
    """No request fails, none sees parts of two versions, none sees what was never meant."""
    for reason in sorted(set(seen.watch.failures)):
        yield f"{seen.watch.failures.count(reason)} requests failed: {reason}"
    for worker in seen.before.keys() - {answer.worker for answer in seen.watch.answers}:
        yield f"worker {worker} answered no request"
    torn = sum(answer.pool_size != answer.wanted_size for answer in seen.watch.answers)
    if torn:
        yield f"{torn} requests saw config and pool of different versions"
    pools: dict[tuple[int, int], set[str]] = {}
    for answer in seen.watch.answers:
        pools.setdefault((answer.worker, answer.version), set()).add(answer.pool)
    for (worker, version), names in pools.items():
        if len(names) > 1:
            yield f"worker {worker} used {len(names)} pools under version {version}"
    contents = (seen.content_before, seen.expected.content)
    meant = {(content.greeting, content.pool_size) for content in contents}
    stray = sum((one.greeting, one.wanted_size) not in meant for one in seen.watch.answers)
    if stray:
        yield f"{stray} requests saw a configuration that was never written whole"


def _freshness(seen: Observation) -> Iterator[str]:
    """What is live, or rejected, is so in each worker in time."""
    if seen.expected.promise is Promise.NOTHING:
        return
    for worker in seen.before:
        if worker not in seen.seconds:
            yield f"worker {worker} never had it"
        elif seen.seconds[worker] > LIMIT:
            yield f"worker {worker} had it after {seen.seconds[worker]:.2f} s, not {LIMIT:.2f} s"


def _versions(seen: Observation) -> Iterator[str]:
    """A live edit is one version more in each worker, everything else none, content included."""
    steps = int(seen.expected.promise is Promise.LIVE)
    for worker, status in seen.before.items():
        grown = (seen.after[worker].version or 0) - (status.version or 0)
        if grown != steps:
            yield f"worker {worker} went {grown} versions on, not {steps}"
    wanted = (seen.expected.content.greeting, seen.expected.content.pool_size)
    for worker, status in seen.after.items():
        said = {
            (answer.greeting, answer.wanted_size)
            for answer in seen.watch.answers
            if (answer.worker, answer.version) == (worker, status.version)
        }
        if said - {wanted}:
            yield f"worker {worker} serves something other than the file says"
    if len({status.digest for status in seen.after.values()}) != 1:
        yield "the workers' digests differ"


def _pools(seen: Observation) -> Iterator[str]:
    """Each worker builds one pool and closes one where the database changed, else none."""
    wanted = int(seen.expected.rebuilds)
    for worker, status in seen.before.items():
        after = seen.after[worker]
        built = after.pools_built - status.pools_built
        closed = after.pools_closed - status.pools_closed
        if (built, closed) != (wanted, wanted):
            yield f"worker {worker} built {built} pools and closed {closed}, not {wanted}"


def _connections(seen: Observation) -> Iterator[str]:
    """The server ends with one pool per worker, and never had more than two of each.

    One connection more per worker is the factory's first, which asks whether the URL works.
    """
    if seen.connections is None or seen.peak is None:
        return
    workers = len(seen.after)
    wanted = workers * seen.expected.content.pool_size
    if seen.connections != wanted:
        yield f"the server has {seen.connections} connections, not {wanted}"
    both = seen.content_before.pool_size + seen.expected.content.pool_size
    if seen.peak > workers * (both + 1):
        yield f"the server had up to {seen.peak} connections"


def _errors(seen: Observation) -> Iterator[str]:
    """A rejection is told by each worker, with file and line, and is forgotten once healed."""
    for worker, status in seen.after.items():
        if seen.expected.promise is not Promise.REJECTED:
            if status.error is not None:
                yield f"worker {worker} still tells of an error: {status.error}"
        elif status.error is None:
            yield f"worker {worker} tells of no error"
        elif status.code != seen.expected.code:
            yield f"worker {worker} calls it {status.code}, not {seen.expected.code}"
    if seen.leaked:
        yield "the server's log or status shows a password"
