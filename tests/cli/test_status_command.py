"""`status`: what a running application says, told for reading; and what is unreachable.

Long because each way to answer, or not to, is a server of its own.
"""

import itertools
import json
import os
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
from reloadcheck._observe.identity import identity
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

    assert db.name == "db"
    live.start()
    with application(live) as url:
        done = run("status", url)
        assert (done.status, done.err) == (0, "")
        digest = live.snapshot.digest[:12]
        who = str(identity(None))
        assert (
            " ".join(done.out.split("since")[0].split())
            == f"OK: {who}: serving version 1, digest {digest}"
        )
        heads = [line.split()[0] for line in done.lines[1:] if line and line[0] != " "]
        assert heads == ["since", "last", "source", "in", "counts", "resource", "db"]
        assert done.lines[-1].split() == ["db", "1", "1", "1", "0"]
        path.write_text("database: [\n")
        assert Outcome.REJECTED is live.check()
        done = run("status", url)
        assert done.status == 1
        words = " ".join(done.out.split())
        assert f"FAILED: {who}: serving version 1, digest {digest}; what is written is not" in words
        for part in ("why edit rejected: config.yaml:", "code syntax", "to do correct the file at"):
            assert part in words
        document = run("status", "--json", url).document
        assert (False, "syntax", url) == (
            document["ok"],
            document["status"]["code"],
            document["url"],
        )
    live.close()


BROKEN: dict[str, dict[str, Any]] = {
    "pinned inode": {"standing": "warn", "reasons": ["edits of c.yaml will not be seen"]},
    "switched off": {"standing": "warn", "reasons": ["reloading is switched off"]},
    "edit waits": {"standing": "warn", "reasons": ["edit not taken yet: c.yaml: torn"]},
}


def told_by(pid: int, **more: Any) -> bytes:
    """Return the status of a process, as its page has it."""
    process = {"application": "shop", "host": "web-1", "pid": pid, "worker": None}
    status: dict[str, Any] = {
        "state": "serving", "version": 3, "digest": "d" * 64, "outcome": "unchanged",
        "standing": "ok", "reasons": [], "process": process, **more,
    }  # fmt: skip
    return json.dumps(status).encode()


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize("more", BROKEN.values(), ids=BROKEN)
def test_ok_is_ok(run: Run, here: Path, more: dict[str, Any]) -> None:
    """What is amber on the page is WARN and status 1 here, with the reason."""
    with answering(200, {}, told_by(7, **more)) as (url, _):
        done = run("status", url)
        assert (
            done.status,
            done.lines[0].split(",")[0] + "," + done.lines[0].split(",")[1],
        ) == (1, "WARN: shop on web-1, pid 7: serving version 3")
        assert more["reasons"][0] in " ".join(done.out.split())
        assert not run("status", url, "--json").document["ok"]


@pytest.mark.usefixtures("token")
def test_an_edit_that_is_not_allowed_yet_is_4(run: Run, here: Path) -> None:
    """A roll-out's script tells it from an edit that is broken."""
    why = "edit waits (window): not on a Friday; opens 2026-12-05 08:00:00 UTC"
    waiting = {"why": "window", "sentence": "not on a Friday"}
    with answering(200, {}, told_by(7, standing="warn", reasons=[why], waiting=waiting)) as (
        url,
        _,
    ):
        done = run("status", url)
        assert (done.status, "not on a Friday" in done.out) == (4, True)
    with answering(200, {}, told_by(7, standing="fail", reasons=["no"], waiting=waiting)) as (
        url,
        _,
    ):
        assert run("status", url).status == 1


@pytest.mark.usefixtures("token")
def test_an_edit_on_an_idle_service_is_seen_by_asking(run: Run, here: Path) -> None:
    """No request comes, yet who asks is told of the bad edit; the good one is taken up."""
    path = here / "config.yaml"
    path.write_text("a: 1\n")
    live = ReloadCheck("config.yaml", settle=0.01, window=1000)
    live.start()
    with application(live) as url:
        assert run("status", url).status == 0
        path.write_text("a: [\n")
        assert ((done := run("status", url)).status, "syntax" in done.out) == (1, True)
        path.write_text("a: 22\n")
        assert (run("status", url).status, live.snapshot.version) == (0, 2)
    live.close()


@contextmanager
def workers(*bodies: bytes) -> Generator[str]:
    """Answer as several workers behind one address do, each in its turn, some more often."""
    turn = itertools.count()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            number = next(turn)
            body = bodies[0 if number % 3 else number // 3 % len(bodies)]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: Any) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    with serving(server):
        yield f"http://127.0.0.1:{server.server_port}/s"


@pytest.mark.usefixtures("token")
def test_all_workers_are_asked(run: Run, here: Path) -> None:
    """It is asked until nobody new answers; one bad worker of four, or another digest, is 1."""
    good = [told_by(pid) for pid in (11, 12, 13)]
    with workers(*good) as url:
        done = run("status", url, "--all")
        assert (
            done.status,
            [line.split()[1] for line in done.lines if line.startswith("web-1")],
        ) == (0, ["11", "12", "13"])
        assert "3 workers answered, all with the same configuration" in done.out
        assert [
            one["process"]["pid"]
            for one in run("status", url, "--all", "--json").document["workers"]
        ] == [11, 12, 13]
        assert run("status", url, "--workers", "3").status == 0
        late = run("status", url, "--workers", "4", "--timeout", "2")
        assert (late.status, "3 workers of 4 answered in time" in late.out) == (1, True)
    with workers(*good, told_by(14, standing="fail", reasons=["edit rejected: no"])) as url:
        done = run("status", url, "--all")
        assert (done.status, "FAILED: shop on web-1, pid 14" in done.out) == (1, True)
        assert done.lines[-1] == "FAILED: 1 of 4 workers: see above"
    with workers(*good, told_by(14, digest="e" * 64)) as url:
        done = run("status", url, "--all")
        assert (done.status, "2 different configurations" in done.out) == (1, True)


@pytest.mark.usefixtures("token")
def test_without_a_url_it_is_the_environments(
    run: Run, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The operator's variables say where; the status path and the port do where no URL does."""
    with answering(200, {}, told_by(7)) as (url, _):
        monkeypatch.setenv("RELOAD_CHECK_STATUS_URL", url)
        assert (0, url) == (run("status").status, run("status", "--json").document["url"])
        monkeypatch.delenv("RELOAD_CHECK_STATUS_URL")
        monkeypatch.setenv("RELOAD_CHECK_STATUS_PATH", "/")
        monkeypatch.setenv("PORT", url.split(":")[2].strip("/"))
        assert run("status").status == 0
        monkeypatch.delenv("RELOAD_CHECK_STATUS_PATH")
        done = run("status")
        assert (
            done.status,
            "RELOAD_CHECK_STATUS_URL" in done.err,
            "usage: reloadcheck status" in done.err,
        ) == (2, True, True)


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
        words = " ".join(early.out.split())
        assert (early.status, early.out.startswith("IDLE: ")) == (1, True)
        assert f"pid {os.getpid()} has had no request yet" in words
        done = run("status", url)
        assert done.status == 3
        words = " ".join(done.out.split())
        assert words.startswith("REFUSED: ")
        assert "it answers 404: wrong path, or no token was sent" in words
        assert "No token was sent: RELOAD_CHECK_STATUS_TOKEN is not set" in words
        wrong = run("status", url, "--token-env", "WRONG")
        assert (wrong.status, "No token" in wrong.out) == (3, False)
        words = " ".join(wrong.out.split())
        assert "it answers 404: wrong path or wrong token; an application shows neither" in words
        # Those were requests to the application, so it has loaded its configuration now.
        assert run("status", url, "--token-env", "OTHER").status == 0
    live.close()


def test_nobody_there_and_nobody_answering_are_status_3(run: Run, here: Path) -> None:
    """A closed port and a server that is silent; in JSON too."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        done = run("status", f"http://127.0.0.1:{port}/s", "--timeout", "0.2")
        assert (done.status, "no answer within 0.2 s" in " ".join(done.out.split())) == (3, True)
    done = run("status", f"http://127.0.0.1:{port}/s", "--json")
    assert done.status == 3
    assert (done.document["ok"], done.document["error"]) == (False, "connection refused")


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
    assert (told.status, "no answer within 0.3 s" in " ".join(told.out.split())) == (3, True)


@pytest.mark.usefixtures("token")
@pytest.mark.parametrize(
    ("status", "body"),
    [
        (200, b"<html>"),
        (200, b"[1]"),
        (200, b'{"state": "x"}'),
        (200, b"\xff"),
        (500, b"{}"),
        (401, b""),
    ],
)
def test_what_is_no_status_is_unreachable(run: Run, here: Path, status: int, body: bytes) -> None:
    """Another program, an error page, half a document."""
    with answering(status, {}, body) as (url, _):
        assert run("status", url).status == 3


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
            assert (done.status, "it answers 302" in done.out) == (3, True)
            assert seen_here == [f"Bearer {TOKEN}"]
        assert seen == []


@pytest.mark.usefixtures("token")
def test_what_a_server_says_is_escaped(run: Run, here: Path) -> None:
    """A status that was forged to steer a terminal does not."""
    told = {
        "state": "serving\x1b[2J",
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
    assert run("status", *words).status == 2
