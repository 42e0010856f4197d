"""The status in JSON: what each key holds; times in seconds, as programs want them."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING

from .._observe.history import Attempt
from .._observe.identity import Identity
from .._observe.remedies import remedy_of
from .._observe.status import ResourceStatus, Standing, Status
from ..seams.gates import Waiting
from ..seams.store import StoreStatus
from ..types import TrialStatus
from .values import Leaves

if TYPE_CHECKING:
    from .._state.fleet import Fleet

__all__ = ["checked", "health", "state", "text_of"]

JSON = Mapping[str, object] | Sequence[object] | str | int | float | bool | None


def health(status: Status, *, ready: bool) -> JSON:
    """Say it in the words of the draft for health checks: pass, warn or fail."""
    said = "fail" if not ready else "pass" if status.standing is Standing.OK else "warn"
    return {
        "status": said,
        "state": status.state,
        "config_version": status.version,
        "config_digest": status.digest,
        "code": status.code,
        "output": status.error,
        "probes": {one.name: _probe(one) for one in status.resources if one.probe is not None},
    }


def checked(status: Status, who: Identity) -> JSON:
    """Say what a check came to that was asked for by name, and of which worker it is."""
    return {
        "outcome": status.outcome,
        "version": status.version,
        "digest": status.digest,
        "code": status.code,
        "error": status.error,
        "host": who.host,
        "pid": who.pid,
    }


def state(
    status: Status, leaves: Leaves, who: Identity, release: str, fleet: "Fleet | None"
) -> JSON:
    """Say all that is known of one worker, and of the others where there is a store."""
    return {
        "standing": status.standing,
        "reasons": list(status.reasons),
        "state": status.state,
        "enabled": status.enabled,
        "version": status.version,
        "digest": status.digest,
        "source_digest": status.source_digest,
        "loaded_at": _time(status.loaded_at),
        "age": _rounded(status.age),
        "checked": _rounded(status.checked),
        "outcome": status.outcome,
        "code": status.code,
        "error": status.error,
        "remedy": remedy_of(status.code or (None if status.store is None else status.store.code)),
        "waiting": None if status.waiting is None else _waiting(status.waiting),
        "pending_restart": list(status.pending_restart),
        "trial": None if status.trial is None else _trial(status.trial),
        "last_trial": None if status.last_trial is None else _trial(status.last_trial),
        "store": None if status.store is None else _store(status.store),
        "fleet": None if fleet is None else _fleet(fleet),
        "attempt": None if status.attempt is None else _attempt(status.attempt),
        "checks": status.checks,
        "reloads": status.reloads,
        "edits": status.edits,
        "rejections": status.rejections,
        "undone": status.undone,
        "forced_closes": status.forced_closes,
        "sources": [
            {
                "name": one.name,
                "path": one.path,
                "resolved": one.resolved,
                "volume_generation": one.generation,
            }
            for one in status.sources
        ],
        "remarks": list(status.remarks),
        "leases": {str(version): count for version, count in status.leases.items()},
        "draining": [
            {
                "resource": one.resource,
                "version": one.version,
                "leases": one.leases,
                "seconds": _rounded(one.seconds),
                "closes_in": _rounded(one.closes_in),
                "holders": list(one.holders),
                "unread": one.unread,
            }
            for one in status.draining
        ],
        "resources": [
            {
                "name": one.name,
                "key_paths": list(one.key_paths),
                "needs": list(one.needs),
                "version": one.version,
                "instances": one.instances,
                "leases": one.leases,
                "builds": one.builds,
                "failed_builds": one.failed_builds,
                "closes": one.closes,
                "forced_closes": one.forced_closes,
                "probe": _probe(one),
            }
            for one in status.resources
        ],
        "history": [_attempt(one) for one in reversed(status.history)],
        "config": [
            {
                "key_path": one.path,
                "value": one.value,
                "hidden": one.hidden,
                "origin": one.origin,
            }
            for one in leaves.shown
        ],
        "config_more": leaves.more,
        "process": {
            "application": who.application,
            "host": who.host,
            "pid": who.pid,
            "worker": who.worker,
            "reloadcheck": release,
        },
    }


def _waiting(one: Waiting) -> JSON:
    return {
        "digest": one.digest,
        "since": _time(one.since),
        "why": one.why,
        "sentence": one.sentence,
        "opens": _time(one.opens),
        "keys": list(one.keys),
    }


def _store(one: StoreStatus) -> JSON:
    return {
        "name": one.name,
        "code": one.code,
        "error": one.error,
        "since": _time(one.since),
        "edition": one.edition,
        "hold": one.hold,
        "in_step": one.in_step,
    }


def _fleet(one: "Fleet") -> JSON:
    from .._state.fleet_document import document as fleet_document  # where there is a store only

    return fleet_document([one])


def _trial(one: TrialStatus) -> JSON:
    return {
        "phase": one.phase,
        "digest": one.digest,
        "version": one.version,
        "share": one.share,
        "left": _rounded(one.left),
        "units": one.units,
        "baseline_units": one.baseline_units,
        "missing": one.missing,
        "ends": one.ends,
        "signals": [
            {
                "name": signal.name,
                "on_candidate": signal.on_candidate,
                "bad": signal.bad,
                "luck": signal.luck,
            }
            for signal in one.signals
        ],
        "explanation": one.explanation,
        "shadow": None if one.shadow is None else asdict(one.shadow),
    }


def _probe(one: ResourceStatus) -> JSON:
    if one.probe is None:
        return None
    return {
        "outcome": one.probe.outcome,
        "error": one.probe.error,
        "seconds": _rounded(one.probe.seconds),
    }


def _attempt(one: Attempt) -> JSON:
    return {
        "at": _time(one.at),
        "outcome": one.outcome,
        "version": one.version,
        "digest": one.digest,
        "code": one.code,
        "error": one.error,
        "changed": list(one.changed),
        "changes": one.changes,
        "built": list(one.built),
        "seconds": {phase.name: _rounded(phase.seconds) for phase in one.phases},
        "trigger": one.trigger,
        "first": one.first,
        "actor": one.actor,
        "reason": one.reason,
    }


def text_of(value: JSON) -> str:
    """Write JSON in ASCII, with nothing in it that ends a script wherever it is pasted."""
    text = json.dumps(value, indent=2)
    return text.replace("<", "\\u003c").replace(">", "\\u003e") + "\n"


def _time(seconds: float | None) -> float | None:
    """Return a time as programs want it: in seconds since the epoch."""
    return None if seconds is None else round(seconds, 3)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
