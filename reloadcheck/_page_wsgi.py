"""The status page before a WSGI application: everybody else gets the application's own answer."""

from collections.abc import Callable, Iterable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from ._engine import ReloadCheck
from ._page import Page, Wanted, page
from ._page_door import Asked, Gate, Granted, Settings
from ._view import view_of
from .exceptions import ReloadCheckError

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
WSGIApp = Callable[[Environ, Any], Iterable[bytes]]


class StatusPage:
    """Answer those who ask for the status at its path with its token; pass all else on.

    It is no unit of work: looking holds no snapshot and has no check made. Only `ready`, and only
    while nothing is loaded, asks for the first load, as a request would.
    """

    def __init__(self, app: WSGIApp, live: ReloadCheck[Any], settings: Settings) -> None:
        self._app = app
        self._live = live
        self._gate = Gate(settings)

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path, method = environ.get("PATH_INFO", ""), environ["REQUEST_METHOD"]
        if self._gate.concerns(method, path):
            granted = self._gate.grant(path, _asked(environ))
            if granted is not None:
                answer = self._answer(granted)
                line = f"{answer.status} {HTTPStatus(answer.status).phrase}"
                start_response(line, [*answer.headers])
                return [] if method == "HEAD" else [answer.body]
        return self._app(environ, start_response)

    def _answer(self, granted: Granted) -> Page:
        if granted.page is not None:
            return granted.page
        live, wanted = self._live, granted.wanted
        if wanted is Wanted.READY and live.status().version is None:
            with suppress(ReloadCheckError), live.lease():
                pass
        return page(view_of(live, live.status(probe=granted.probe), wanted), wanted)


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
    )
