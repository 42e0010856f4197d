"""Collect the frozen `Status` of a live engine thread, for people and pages.

What its fields mean is `_observe/status`'s. Only reads; takes no lock, so that an engine in trouble
can still be looked at.
"""

from collections.abc import Sequence
from typing import Any

from .._observe.status import ProbeStatus, ResourceStatus, Status, counted
from .._resources.instance import Instance
from .._resources.registry import Registry, Resource
from ..types import ProbeOutcome, key_path_text
from .options import Options
from .probes import Probes
from .thread import EngineThread


def observe(
    thread: EngineThread[Any], registry: Registry, options: Options, probes: Probes | None = None
) -> Status:
    """Look at one engine of this process. `probes` are what its probes came to, if asked."""
    current, loaded = thread.serving.current, thread.reload.checker.running
    snapshot = None if current is None else current.snapshot
    conclusion = thread.admission.conclusion
    error = None if conclusion is None else conclusion.error
    instances = thread.inventory.by_resource()
    return Status(
        state=_state(thread),
        enabled=options.enabled,
        version=None if snapshot is None else snapshot.version,
        digest=None if snapshot is None else snapshot.digest,
        source_digest=None if loaded is None else loaded.source_digest,
        age=None if snapshot is None else thread.age(),
        outcome=None if conclusion is None else conclusion.outcome,
        error=None if error is None else str(error),
        is_edit=conclusion is None or conclusion.is_edit,
        code=None if error is None else str(error.code),
        checks=thread.checks,
        reloads=thread.serving.swaps,
        forced_closes=sum(thread.drain.forced.copy().values()),
        resources=tuple(
            _resource(thread, resource, instances.get(resource, ()), probes)
            for resource in registry
        ),
        leases=counted(_leases(thread)),
        remarks=(
            *thread.reload.checker.remarks,
            *thread.reload.permission.permit.remarks,
            *thread.mishaps,
        ),
        unknown_keys=thread.reload.checker.unknown_keys,
        loaded_at=None if snapshot is None else snapshot.loaded_at,
        checked=thread.since_check(),
        edits=thread.reload.report.history.edits,
        rebuilds=thread.reload.report.history.rebuilds,
        rejections=thread.reload.report.history.rejections,
        undone=thread.reload.report.history.undone,
        sources=thread.reload.checker.places,
        history=thread.reload.report.history.attempts,
        seconds=tuple(
            (name, *total) for name, total in thread.reload.report.history.seconds.copy().items()
        ),
        waiting=thread.reload.permission.permit.waiting,
        pending_restart=(
            *thread.reload.permission.permit.pending_restart,
            *thread.reload.permission.permit.of_gates,
        ),
        draining=thread.drain.draining(),
    )


def _resource(
    thread: EngineThread[Any],
    resource: Resource[Any],
    instances: Sequence[Instance],
    probes: Probes | None,
) -> ResourceStatus:
    name = resource.name
    return ResourceStatus(
        name,
        len(instances),
        thread.reload.making.builds.get(name, 0),
        thread.drain.closing.closes.get(name, 0),
        thread.reload.making.built_for.get(name),
        sum(thread.drain.users(one) for one in instances),
        thread.reload.making.failed_builds.get(name, 0),
        thread.drain.forced.get(name, 0),
        None if probes is None else probes.get(name) or _not_probed(resource),
        tuple(key_path_text(path) for path in resource.paths),
        tuple(need.name for need in resource.needs),
    )


def _not_probed(resource: Resource[Any]) -> ProbeStatus:
    error = None if resource.probe is None else "there is nothing to probe: no version serves"
    return ProbeStatus(ProbeOutcome.NOT_PROBED, error)


def _state(thread: EngineThread[Any]) -> str:
    if thread.ended.is_set():
        return "closed"
    if thread.closing:
        return "closing"
    return "loading" if thread.serving.current is None else "serving"


def _leases(thread: EngineThread[Any]) -> dict[int, int]:
    leases: dict[int, int] = {}
    for live_snapshot in thread.serving.live:
        if live_snapshot.abandoned:
            continue
        version = live_snapshot.snapshot.version
        leases[version] = leases.get(version, 0) + thread.serving.leases(live_snapshot)
    return leases
