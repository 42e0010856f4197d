"""The WSGI app of this rig, in plain WSGI behind our door; it answers as the ASGI app does."""

import time
from collections.abc import Iterable, Iterator

from reloadcheck._doors.protocols import Environ, StartResponse, WSGIApp
from reloadcheck.wsgi import ReloadCheckMiddleware

from . import facts

live = facts.engine()


def plain(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request."""
    path: str = environ["PATH_INFO"]
    if path == "/hold":
        time.sleep(facts.HOLD_SECONDS)
    headers = [("Content-Type", "application/json")]
    if path == "/stream":
        start_response("200 OK", headers)
        return _lines(environ)
    body = facts.told(path, environ.get("reloadcheck.config"))
    start_response("200 OK", [*headers, ("Content-Length", str(len(body)))])
    return [body]


def _lines(environ: Environ) -> Iterator[bytes]:
    while True:
        yield facts.told("/stream", environ.get("reloadcheck.config"))
        time.sleep(facts.LINE_SECONDS)


app: WSGIApp = plain if facts.BARE else ReloadCheckMiddleware(plain, live)
