"""From a live engine thread to the frozen `Status` that people and pages read.

Only reads; takes no lock, so that an engine in trouble can still be looked at.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol, runtime_checkable

from ._options import Options
from ._resources import Registry
from ._status import ResourceStatus, Status, counted
from ._thread import EngineThread
from .exceptions import ConfigError
from .types import Source


@runtime_checkable
class Remarking(Protocol):
    """A source that can say what an operator should know about it."""

    def remarks(self) -> Sequence[str]:
        """Give a sentence each; may do a little I/O."""
        ...


def observe(
    thread: EngineThread[Any], registry: Registry, sources: Iterable[Source], options: Options
) -> Status:
    """Look at one engine of this process."""
    current, loaded = thread.desk.current, thread.reload.checker.running
    snapshot = None if current is None else current.snapshot
    conclusion = thread.desk.conclusion
    error = None if conclusion is None else conclusion.error
    return Status(
        phase=_phase(thread),
        enabled=options.enabled,
        version=None if snapshot is None else snapshot.version,
        digest=None if snapshot is None else snapshot.digest,
        source_digest=None if loaded is None else loaded.source_digest,
        age=None if snapshot is None else thread.age(),
        outcome=None if conclusion is None else conclusion.outcome,
        error=None if error is None else str(error),
        code=error.code if isinstance(error, ConfigError) else None,
        checks=thread.checks,
        reloads=thread.reload.swaps,
        forced_closes=thread.drain.forced,
        resources=tuple(
            ResourceStatus(
                resource.name,
                len(thread.roster.of(resource)),
                thread.reload.builds.get(resource.name, 0),
                thread.drain.closes.get(resource.name, 0),
            )
            for resource in registry
        ),
        leases=counted(_leases(thread)),
        remarks=tuple(remark for source in sources for remark in _remarks(source)),
    )


def _phase(thread: EngineThread[Any]) -> str:
    if thread.ended.is_set():
        return "closed"
    if thread.closing:
        return "closing"
    return "loading" if thread.desk.current is None else "serving"


def _leases(thread: EngineThread[Any]) -> dict[int, int]:
    leases: dict[int, int] = {}
    for tenancy in (thread.desk.current, *thread.drain.retired):
        if tenancy is not None:
            version = tenancy.snapshot.version
            leases[version] = leases.get(version, 0) + len(tenancy.held)
    return leases


def _remarks(source: Source) -> Iterable[str]:
    return source.remarks() if isinstance(source, Remarking) else ()
