"""The status page: one pure function from what is known to a status code, headers and a body.

Each server's door wraps it in a dozen statements. Nothing here does I/O, looks at `Engine`, or
quotes a value that is secret.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .._observe.history import Attempt
from .._observe.identity import Identity
from .._observe.remedies import remedy_of
from .._observe.status import ResourceStatus, Standing, Status
from ..seams.gates import Waiting
from ..seams.store import StoreStatus
from ..types import TrialStatus
from .html import document
from .metrics import exposition
from .style import STYLE_HASH
from .values import Leaves

if TYPE_CHECKING:
    from .._state.fleet import Fleet

Headers = tuple[tuple[str, str], ...]
JSON = Mapping[str, object] | Sequence[object] | str | int | float | bool | None


class Wanted(StrEnum):
    """What of the status is asked for."""

    JSON = "json"
    HTML = "html"
    METRICS = "prometheus"
    LIVE = "live"
    READY = "ready"
    CHECK = "check"


LOOKS: Final = (Wanted.JSON, Wanted.HTML, Wanted.METRICS)
"""For whom a check is made, so that they see what is written at this moment."""


@dataclass(frozen=True, slots=True)
class View:
    """All that a page may show. `now` is wall-clock time, in seconds since the epoch.

    `fleet` are all workers, where there is a store, as it was read last.
    """

    status: Status
    leaves: Leaves
    now: float
    who: Identity
    release: str
    find: str = ""
    fleet: "Fleet | None" = None


@dataclass(frozen=True, slots=True)
class Page:
    """An answer, complete: `headers` have its length and type."""

    status: int
    headers: Headers
    body: bytes


_ALWAYS: Final[Headers] = (
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Vary", "Accept"),
)
_POLICY: Final = "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
_TYPES: Final = {
    Wanted.JSON: "application/json",
    Wanted.HTML: "text/html; charset=utf-8",
    Wanted.METRICS: "text/plain; version=0.0.4; charset=utf-8",
    Wanted.LIVE: "application/health+json",
    Wanted.READY: "application/health+json",
    Wanted.CHECK: "application/json",
}


def page(view: View, wanted: Wanted) -> Page:
    """Render what is wanted; the answer is 503 only for `ready`, while nothing could be served."""
    status, policy = 200, _POLICY
    match wanted:
        case Wanted.HTML:
            policy = policy.replace("form-action 'none'", "form-action 'self'")
            policy += f"; style-src '{STYLE_HASH}'; img-src data:"
            body = document(
                view.status, view.leaves, view.now, view.who, view.release, view.find, view.fleet
            )
        case Wanted.METRICS:
            body = exposition(view.status)
        case Wanted.JSON:
            body = _json(_state(view))
        case Wanted.LIVE:
            body = _json(_health(view.status, ready=True))
        case Wanted.READY:
            ready = is_ready(view.status)
            status, body = 200 if ready else 503, _json(_health(view.status, ready=ready))
        case Wanted.CHECK:
            status, body = 200 if is_ready(view.status) else 503, _json(_checked(view))
    return answer(status, body, _TYPES[wanted], policy)


def bare(status: Status, wanted: Wanted) -> Page:
    """Return what an orchestrator needs, the status code, and nothing for anybody else."""
    good = wanted is Wanted.LIVE or is_ready(status)
    return answer(200 if good else 503, "", "text/plain; charset=utf-8")


def answer(status: int, body: str, kind: str, policy: str = _POLICY, more: Headers = ()) -> Page:
    """Return a complete answer, with the headers that all of them have."""
    data = body.encode("utf-8", "backslashreplace")
    own = (("Content-Type", kind), ("Content-Length", str(len(data))))
    return Page(status, (*own, *_ALWAYS, ("Content-Security-Policy", policy), *more), data)


def is_ready(status: Status) -> bool:
    """Return whether requests can be served and no probe that was asked for failed."""
    serving = status.version is not None and status.state == "serving"
    return serving and not status.failed_probes


def _health(status: Status, *, ready: bool) -> JSON:
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


def _checked(view: View) -> JSON:
    """Say what a check came to that was asked for by name, and of which worker it is."""
    status = view.status
    return {
        "outcome": status.outcome,
        "version": status.version,
        "digest": status.digest,
        "code": status.code,
        "error": status.error,
        "host": view.who.host,
        "pid": view.who.pid,
    }


def _state(view: View) -> JSON:
    status = view.status
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
        "remedy": remedy_of(status.code),
        "waiting": None if status.waiting is None else _waiting(status.waiting),
        "pending_restart": list(status.pending_restart),
        "trial": None if status.trial is None else _trial(status.trial),
        "last_trial": None if status.last_trial is None else _trial(status.last_trial),
        "store": None if status.store is None else _store(status.store),
        "fleet": None if view.fleet is None else _fleet(view.fleet),
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
                "paths": list(one.paths),
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
            {"path": one.path, "value": one.value, "hidden": one.hidden, "origin": one.origin}
            for one in view.leaves.shown
        ],
        "config_more": view.leaves.more,
        "process": {
            "application": view.who.application,
            "host": view.who.host,
            "pid": view.who.pid,
            "worker": view.who.worker,
            "reloadcheck": view.release,
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
    from .._state.fleet import document as fleet_document  # where there is a store only

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


def _json(value: JSON) -> str:
    """Write JSON in ASCII, with nothing in it that ends a script wherever it is pasted."""
    text = json.dumps(value, indent=2)
    return text.replace("<", "\\u003c").replace(">", "\\u003e") + "\n"


def _time(seconds: float | None) -> float | None:
    """Return a time as programs want it: in seconds since the epoch."""
    return None if seconds is None else round(seconds, 3)


def _rounded(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds, 6)
