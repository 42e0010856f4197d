"""A WSGI app that tells over which connection it asked the database."""

import time
from collections.abc import Iterable

from reloadcheck._doors.protocols import Environ, StartResponse
from reloadcheck.wsgi import ReloadCheckMiddleware

from .facts import HOLD_SECONDS
from .pooled import live, told


def plain(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request."""
    if environ["PATH_INFO"] == "/hold":
        time.sleep(HOLD_SECONDS)
    body = told(environ["reloadcheck.snapshot"])
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


app = ReloadCheckMiddleware(plain, live)
