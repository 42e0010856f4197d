"""The status page: one pure function from what is known to a status code, headers and a body.

Each server's door wraps it in a dozen statements. Nothing here does I/O, looks at `Engine`, or
quotes a value that is secret.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from .._observe.identity import Identity
from .._observe.status import Status
from .as_json import checked, health, state, text_of
from .html import document
from .metrics import exposition
from .style import STYLE_HASH
from .values import Leaves

if TYPE_CHECKING:
    from .._state.fleet import Fleet

Headers = tuple[tuple[str, str], ...]


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
            body = text_of(state(view.status, view.leaves, view.who, view.release, view.fleet))
        case Wanted.LIVE:
            body = text_of(health(view.status, ready=True))
        case Wanted.READY:
            ready = is_ready(view.status)
            status = 200 if ready else 503
            body = text_of(health(view.status, ready=ready))
        case Wanted.CHECK:
            status = 200 if is_ready(view.status) else 503
            body = text_of(checked(view.status, view.who))
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
