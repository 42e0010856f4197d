"""The status page before a WSGI application: everybody else gets the application's own answer."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import replace
from http import HTTPStatus
from typing import Any

from .._engine.api import ReloadCheck, engine_of
from .._engine.check_for_status import glance, look
from .._engine.observed import observed
from ..exceptions import ReloadCheckError
from ..types import Outcome
from .access import Asked, Gate, Granted
from .page import LOOKS, Page, Wanted, bare, page
from .settings import Settings
from .view import view_of

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, Any], Iterable[bytes]]


def with_status_page(app: WSGIApp, live: ReloadCheck[Any], settings: Settings) -> WSGIApp:
    """Return the application with a status page before it.

    Looking is no unit of work: it holds no snapshot. Who looks at the status has a check made, so
    that it is of this moment; probes have none. Only `ready`, and only while nothing is loaded,
    asks for the first load, as a request would.
    """
    gate = Gate(settings)

    def status_page(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ.get("REQUEST_METHOD", "")
        if gate.concerns(method, path):
            granted = gate.grant(path, _asked(environ))
            if granted is not None:
                answer = answer_to(live, granted)
                line = f"{answer.status} {HTTPStatus(answer.status).phrase}"
                start_response(line, [*answer.headers])
                return [] if method == "HEAD" else [answer.body]
        return app(environ, start_response)

    return status_page


def answer_to(live: ReloadCheck[Any], granted: Granted) -> Page:
    """Return the page for what a request may have; it may wait for a check, so not in a loop."""
    if granted.page is not None:
        return granted.page
    wanted = granted.wanted
    if wanted is Wanted.READY and live.status().version is None:
        with suppress(ReloadCheckError), live.lease():
            pass
    outcome: Outcome | None = None
    if wanted is Wanted.CHECK:
        with suppress(ReloadCheckError):  # the status tells why
            outcome = live.check()
    if wanted in LOOKS:
        look(engine_of(live))
    if wanted is Wanted.HTML and not granted.probe:
        status = observed(engine_of(live), glance(engine_of(live)))
    else:
        status = live.status(probe=granted.probe)
    if outcome is not None:  # of this very check; another may have ended since
        status = replace(status, outcome=outcome)
    if granted.bare:
        return bare(status, wanted)
    return page(view_of(live, status, wanted, granted.find), wanted)


def _asked(environ: Environ) -> Asked:
    def values(name: str) -> list[bytes]:
        value = environ.get(name)
        return [] if value is None else [value.encode("latin-1")]

    return Asked(
        environ.get("QUERY_STRING", ""),
        environ.get("HTTP_ACCEPT", ""),
        values("HTTP_AUTHORIZATION"),
        values("HTTP_COOKIE"),
        environ.get("wsgi.url_scheme") == "https",
        environ.get("RAW_URI") or environ.get("REQUEST_URI"),
        environ.get("SCRIPT_NAME") or environ.get("HTTP_X_FORWARDED_PREFIX", ""),
    )
