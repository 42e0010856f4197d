"""`status`: what a running application says, told for reading; and what is unreachable."""

import json
import socket
import threading
from collections.abc import Generator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server

import pytest

from reloadcheck import ReloadCheck
from reloadcheck.types import Outcome
from reloadcheck.wsgi import ReloadCheckMiddleware
from tests.cli.conftest import Run

TOKEN = "t0k3n-of-this-test"
PATH = "/-/reloadcheck"


class _Quiet(WSGIRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


@contextmanager
def application(live: ReloadCheck[Any]) -> Generator[str]:
    """Serve an application with its status endpoint; gives the endpoint's URL."""

    def app(environ: Any, start_response: Any) -> list[bytes]:
        start_response("404 Not Found", [("Content-Type", "text/plain")])
        return [b"nothing here\n"]

    door = ReloadCheckMiddleware(app, live, status_path=PATH, status_token=TOKEN)
    server = make_server("127.0.0.1", 0, door, handler_class=_Quiet)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}{PATH}"


@contextmanager
def serving(server: Any) -> Generator[None]:
    """Serve in a thread of its own."""
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def answering(
    status: int, headers: dict[str, str], body: bytes
) -> Generator[tuple[str, list[str]]]:
    """Answer everything alike; gives the URL, and the tokens that were seen."""
    seen: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers.get("Authorization", ""))
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}/", seen


@pytest.fixture
def token(monkeypatch: pytest.MonkeyPatch) -> None:
    """The token in the variable that the command looks into."""
    monkeypatch.setenv("RELOAD_CHECK_STATUS_TOKEN", TOKEN)


@pytest.mark.usefixtures("token")
def test_a_running_application_is_told_with_its_resources(run: Run, here: Path) -> None:
    """Version, digest, since when, what was last, resources; then a rejected edit is status 1."""
    path = here / "config.yaml"
    path.write_text("database: {url: a}\n")
    live = ReloadCheck("config.yaml", settle=0.01)

    @live.resource("database")
    def db(database: Any) -> object:
        return object()

    assert "db" == db.name
    live.start()
    with application(live) as url:
        done = run("status", url)
        assert (0, "") == (done.status, done.err)
        digest = live.snapshot.digest[:12]
        assert f"OK: serving version 1, digest {digest}" == done.lines[0]
        heads = [line.split()[0] for line in done.lines[1:] if line]
        assert ["since", "last", "source", "leases", "counts", "resource", "db"] == heads
        assert ["db", "1", "1", "1", "0"] == done.lines[-1].split()
        path.write_text("database: [\n")
        assert Outcome.REJECTED is live.check()
        done = run("status", url)
        assert 1 == done.status
        assert (
            f"FAILED: what is written is not live; serving version 1, digest {digest}"
            == done.lines[0]
        )
        assert "syntax:" in done.out
        document = run("status", "--json", url).document
        assert (False, "syntax", url) == (
            document["ok"],
            document["status"]["code"],
            document["url"],
        )
    live.close()


def test_without_the_right_token_it_is_unreachable(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The application's own 404 is no status; that no token was sent is mentioned."""
    (here / "config.yaml").write_text("a: 1\n")
    live = ReloadCheck("config.yaml")
    monkeypatch.delenv("RELOAD_CHECK_STATUS_TOKEN", raising=False)
    monkeypatch.setenv("OTHER", TOKEN)
    monkeypatch.setenv("WRONG", "x")
    with application(live) as url:
        early = run("status", url, "--token-env", "OTHER")
        assert (1, True) == (early.status, "nothing is served yet" in early.out)
        done = run("status", url)
        assert 3 == done.status
        assert "it answers 404, not a status. No token was sent:" in " ".join(done.out.split())
        wrong = run("status", url, "--token-env", "WRONG")
        assert (3, False) == (wrong.status, "No token" in wrong.out)
        assert "not a status: its path or the token is wrong" in " ".join(wrong.out.split())
        # Those were requests to the application, so it has loaded its configuration now.
        assert 0 == run("status", url, "--token-env", "OTHER").status
    live.close()


def test_nobody_there_and_nobody_answering_are_status_3(run: Run, here: Path) -> None:
    """A closed port and a server that is silent; in JSON too."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        done = run("status", f"http://127.0.0.1:{port}/s", "--timeout", "0.2")
        assert (3, True) == (done.status, "no answer within 0.2 s" in " ".join(done.out.split()))
    done = run("status", f"http://127.0.0.1:{port}/s", "--json")
    assert 3 == done.status
    assert (False, "connection refused") == (done.document["ok"], done.document["error"])


def test_an_answer_that_trickles_is_not_waited_for(run: Run, here: Path) -> None:
    """The time-out is for the whole answer, not for each byte of it."""

    class Trickle(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "1000")
            self.end_headers()
            with suppress(OSError):
                for _ in range(300):
                    self.wfile.write(b" ")
                    if done.wait(0.02):
                        return

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    done = threading.Event()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Trickle)
    with serving(server):
        told = run("status", f"http://127.0.0.1:{server.server_port}/s", "--timeout", "0.3")
        done.set()
    assert (3, True) == (told.status, "no answer within 0.3 s" in " ".join(told.out.split()))


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"[1]"),
        (200, b'{"phase": "x"}'),
        (200, b"\xff"),
        (500, b"{}"),
        (401, b""),
    ],
)
def test_what_is_no_status_is_unreachable(run: Run, here: Path, status: int, body: bytes) -> None:
    """Another program, an error page, half a document."""
    with answering(status, {}, body) as (url, _):
        assert 3 == run("status", url).status


@pytest.mark.usefixtures("token")
def test_the_token_follows_no_redirect_and_no_proxy(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It goes to the address that was named."""
    with answering(200, {}, b"{}") as (elsewhere, seen):
        monkeypatch.setenv("http_proxy", elsewhere)
        monkeypatch.setenv("HTTP_PROXY", elsewhere)
        with answering(302, {"Location": elsewhere}, b"") as (url, seen_here):
            done = run("status", url)
            assert (3, True) == (done.status, "it answers 302" in done.out)
            assert [f"Bearer {TOKEN}"] == seen_here
        assert [] == seen


@pytest.mark.usefixtures("token")
def test_what_a_server_says_is_escaped(run: Run, here: Path) -> None:
    """A status that was forged to steer a terminal does not."""
    told = {
        "phase": "serving\x1b[2J",
        "version": "1\n2",
        "digest": "\u202e",
        "outcome": "reloaded",
        "error": "a\x07",
        "loaded_at": "\x1b",
        "attempt": {"changed": ["\x1b"], "at": 1e99},
        "sources": [{"name": "\x1b"}, 7],
        "resources": [{"name": "\x1b" * 99, "version": "\x1b"}, 7],
        "leases": {"\x1b": "\x1b"},
    }
    with answering(200, {}, json.dumps(told).encode()) as (url, _):
        assert "\\x1b[2J" in run("status", url).out
        assert told == run("status", url, "--json").document["status"]


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["a", "b"],
        ["file:///etc/passwd"],
        ["127.0.0.1:80/x"],
        ["ftp://127.0.0.1/x"],
        ["http://u:p@127.0.0.1/"],
        ["http://127.0.0.1:x/"],
        ["http:///x"],
        ["http://127.0.0.1/", "--timeout", "0"],
    ],
)
def test_what_is_no_url_is_wrong_usage(run: Run, here: Path, words: list[str]) -> None:
    """Only HTTP, one address, and no secret in it."""
    assert 2 == run("status", *words).status
