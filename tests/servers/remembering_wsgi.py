"""A WSGI app that asks a database, whose workers share a store."""

from collections.abc import Iterable

from reloadcheck._doors.protocols import Environ, StartResponse
from reloadcheck.wsgi import ReloadCheckMiddleware

from .remembering import live, told


def plain(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
    """Answer a request."""
    body = told(environ["reloadcheck.snapshot"])
    headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body)))]
    start_response("200 OK", headers)
    return [body]


live.start()
app = ReloadCheckMiddleware(plain, live)
