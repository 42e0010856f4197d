"""From a live engine thread to the frozen `Status` that people and pages read.

Only reads; takes no lock, so that an engine in trouble can still be looked at.
"""

from typing import Any

from ._options import Options
from ._resources import Registry
from ._status import ResourceStatus, Status, counted
from ._thread import EngineThread
from .exceptions import ConfigError


def observe(thread: EngineThread[Any], registry: Registry, options: Options) -> Status:
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
        remarks=thread.reload.checker.remarks,
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
