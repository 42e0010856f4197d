"""Small WSGI apps of all manners, each served bare and wrapped: `tests.support.manners_wsgi:app`.

`/bare/list` and `/wrapped/list` X
"""

import io
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from reloadcheck import ReloadCheck
from reloadcheck.wsgi import ReloadCheckMiddleware

__all__ = ["APPS", "app"]

PLAIN = [("Content-Type", "text/plain")]


def _list(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", PLAIN)
    return [b"one piece: its length is known"]


def _two(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", PLAIN)
    return [b"two ", b"pieces"]


def _tuple(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", PLAIN)
    return (b"one piece in a tuple",)


def _generator(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [*PLAIN, ("Content-Length", "6")])
    yield b"abc"
    yield b"def"


def _late(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    yield b""
    start_response("202 Accepted", PLAIN)
    yield b"started with the first piece"


def _write(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    write = start_response("200 OK", [*PLAIN, ("Content-Length", "9")])
    write(b"old ")
    write(b"style")
    return []


def _file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*PLAIN, ("Content-Length", str(os.path.getsize(__file__)))])
    return _wrapper(environ)(open(__file__, "rb"))


def _memory_file(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", [*PLAIN, ("Content-Length", "9")])
    return _wrapper(environ)(io.BytesIO(b"in memory"))


def _no_content(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("204 No Content", [])
    return []


def _error(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    raise ValueError("before the start")


def _error_in_body(_: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", [*PLAIN, ("Content-Length", "10")])
    yield b"abc"
    raise ValueError("in the middle")


def _replaced(_: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    start_response("200 OK", PLAIN)
    try:
        raise ValueError
    except ValueError:
        start_response("400 Bad Request", PLAIN, sys.exc_info())
    return [b"replaced before anything was sent"]


def _wrapper(environ: WSGIEnvironment) -> Callable[[Any], Iterable[bytes]]:
    wrapper: Callable[[Any], Iterable[bytes]] = environ["wsgi.file_wrapper"]
    return wrapper


APPS: dict[str, WSGIApplication] = {
    "list": _list,
    "two": _two,
    "tuple": _tuple,
    "generator": _generator,
    "late": _late,
    "write": _write,
    "file": _file,
    "memory-file": _memory_file,
    "no-content": _no_content,
    "error": _error,
    "error-in-body": _error_in_body,
    "replaced": _replaced,
}

_wrapped: dict[str, WSGIApplication] = {}
if "RIG_CONFIG" in os.environ:
    _live = ReloadCheck(os.environ["RIG_CONFIG"])
    _wrapped = {name: ReloadCheckMiddleware(inner, _live) for name, inner in APPS.items()}


def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
    """Pass the request on to one of the apps, or to the same one wrapped."""
    _, kind, name = environ["PATH_INFO"].split("/")
    return (APPS if kind == "bare" else _wrapped)[name](environ, start_response)
