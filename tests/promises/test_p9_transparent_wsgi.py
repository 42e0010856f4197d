"""P9. Transparent: wrapping a WSGI app changes nothing else about it."""

import io
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment
from wsgiref.util import FileWrapper, setup_testing_defaults
from wsgiref.validate import validator

import pytest
from werkzeug.middleware.lint import LintMiddleware
from werkzeug.test import Client

from reloadcheck import FrozenDict, OutsideWorkError, ReloadCheck
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.support import config
from tests.support.manners_wsgi import APPS

Live = ReloadCheck[FrozenDict]


@pytest.fixture
def live(tmp_path: Path) -> Iterator[Live]:
    """An engine that is switched off, as these tests edit nothing."""
    file = tmp_path / "config.yaml"
    config.write(file, config.text(1))
    live = ReloadCheck(file, settle=0.0, drain=0.0, environ={}, enabled=False)
    yield live
    live.close()


def request() -> WSGIEnvironment:
    """Return an environ as a server would."""
    environ: WSGIEnvironment = {}
    setup_testing_defaults(environ)
    environ["wsgi.file_wrapper"] = FileWrapper
    return environ


def start(status: str, headers: object, exc_info: object = None, /) -> Callable[[bytes], object]:
    """Take a response's start, as a server would."""
    return io.BytesIO().write


def leases(live: Live) -> int:
    """Count the units of work that hold a snapshot."""
    return sum(live.status().leases.values())


def answering(body: Iterable[bytes]) -> WSGIApplication:
    """Return an app that returns just this object."""

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/plain")])
        return body

    return app


@pytest.mark.parametrize(
    "body", [[b"a"], [], FileWrapper(io.BytesIO(b"file"))], ids=["a list", "empty", "a file"]
)
def test_lists_and_file_wrappers_are_passed_on_as_they_are(
    body: Iterable[bytes], live: Live
) -> None:
    """A server sees by their type what it may do with them; their lease is over at return."""
    assert ReloadCheckMiddleware(answering(body), live)(request(), start) is body
    assert leases(live) == 0


class Body:
    """An iterable of our own that counts how often it is iterated and closed."""

    def __init__(self, fails: BaseException | None = None) -> None:
        self.iterated = self.closed = 0
        self.fails = fails

    def __iter__(self) -> Iterator[bytes]:
        self.iterated += 1
        return iter([b"a", b"b"])

    def close(self) -> None:
        """Count, and fail when told to."""
        self.closed += 1
        if self.fails is not None:
            raise self.fails


def close(body: Iterable[bytes]) -> None:
    """Close a body, as a server does with each that can be."""
    getattr(body, "close", lambda: None)()


def test_other_bodies_hold_their_lease_until_they_are_closed(live: Live) -> None:
    """Iterated once and closed once; the snapshot is held from the call to the close."""
    inner = Body()
    body = ReloadCheckMiddleware(answering(inner), live)(request(), start)
    assert (inner.iterated, leases(live)) == (0, 1)
    assert list(body) == [b"a", b"b"]
    assert (inner.iterated, inner.closed, leases(live)) == (1, 0, 1)
    close(body)
    assert (inner.closed, leases(live)) == (1, 0)


def test_a_close_that_raises_does_so_and_ends_the_lease(live: Live) -> None:
    """The server gets the app's own exception."""
    error = ConnectionError("closing failed")
    body = ReloadCheckMiddleware(answering(Body(error)), live)(request(), start)
    with pytest.raises(ConnectionError) as caught:
        close(body)
    assert caught.value is error
    assert leases(live) == 0


def test_a_client_that_goes_away_early_ends_the_generator(live: Live) -> None:
    """The app's own clean-up runs at the close, in the unit of work that it began in."""
    ended: list[int] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterator[bytes]:
        try:
            yield b"a"
            yield b"b"
        finally:
            ended.append(live.current().version)

    body = ReloadCheckMiddleware(app, live)(request(), start)
    assert next(iter(body)) == b"a"
    close(body)
    assert (ended, leases(live)) == ([1], 0)
    with pytest.raises(OutsideWorkError):
        live.current()


def sized() -> Iterable[bytes]:
    """Return a body with a length."""
    return (b"a", b"b")


def unsized() -> Iterable[bytes]:
    """Return a body without one."""
    return (piece for piece in [b"a"])


@pytest.mark.parametrize("make", [sized, unsized])
def test_a_body_has_a_length_if_it_had_one(make: Callable[[], Iterable[bytes]], live: Live) -> None:
    """Servers ask `hasattr(body, "__len__")`, `len(body)`, `bool(body)`."""
    bare: Any = make()
    wrapped: Any = ReloadCheckMiddleware(answering(make()), live)(request(), start)
    assert hasattr(wrapped, "__len__") == hasattr(bare, "__len__")
    assert bool(wrapped) == bool(bare)
    if hasattr(bare, "__len__"):
        assert len(wrapped) == len(bare)
    close(wrapped)


def test_the_app_gets_the_servers_own_start_response_and_environ(live: Live) -> None:
    """So that `exc_info` and `write` are the server's, and what the app notes in environ stays."""
    got: list[object] = []

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        got.extend([environ, start_response])
        return []

    environ = request()
    ReloadCheckMiddleware(app, live)(environ, start)
    assert got[0] is environ
    assert got[1] is start


@pytest.mark.parametrize("kind", [ValueError, SystemExit, KeyboardInterrupt, GeneratorExit])
def test_what_the_app_raises_is_what_the_server_gets(kind: type[BaseException], live: Live) -> None:
    """The same object, from the call as from the body, without a context of ours."""
    error = kind("the app's own")

    def at_once(environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        raise error

    def in_body() -> Iterator[bytes]:
        yield b"a"
        raise error

    with pytest.raises(kind) as first:
        ReloadCheckMiddleware(at_once, live)(request(), start)
    body = ReloadCheckMiddleware(answering(in_body()), live)(request(), start)
    with pytest.raises(kind) as second:
        list(body)
    close(body)
    assert first.value is second.value is error
    assert error.__context__ is None
    assert leases(live) == 0


CONFORMING = sorted(APPS.keys() - {"error", "error-in-body", "late"})
"""Without those that fail by design, and the one that is legal and stricter checkers refuse."""


@pytest.mark.parametrize("method", ["GET", "HEAD", "POST"])
@pytest.mark.parametrize("name", CONFORMING)
def test_the_standard_librarys_validator_is_content(name: str, method: str, live: Live) -> None:
    """Inside it sees a well-behaved server, outside a well-behaved app."""
    app = validator(ReloadCheckMiddleware(validator(APPS[name]), live))
    environ = {**request(), "REQUEST_METHOD": method, "SCRIPT_NAME": "", "QUERY_STRING": ""}
    started: list[str] = []

    def start_response(
        status: str, headers: object, exc_info: object = None, /
    ) -> Callable[[bytes], object]:
        started.append(status)
        return io.BytesIO().write

    body = app(environ, start_response)
    b"".join(body)
    close(body)
    assert started != []
    assert leases(live) == 0


@pytest.mark.parametrize(
    "name", [name for name in CONFORMING if name not in ("replaced", "no-content")]
)
def test_werkzeugs_lint_is_content(name: str, live: Live) -> None:
    """Its warnings are errors here, on either side of us, and the answer is the bare app's."""
    app = LintMiddleware(ReloadCheckMiddleware(LintMiddleware(APPS[name]), live))
    more = {"wsgi.file_wrapper": FileWrapper}
    expected = Client(APPS[name]).get("/", environ_overrides=more)
    found = Client(app).get("/", environ_overrides=more)
    assert (found.status, found.data) == (expected.status, expected.data)
    assert list(found.headers) == list(expected.headers)
    found.close()
    expected.close()
    assert leases(live) == 0
