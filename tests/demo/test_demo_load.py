"""The demo's load: it counts what it sees, and a request that fails is never tried again."""

import json
import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from reloadcheck.demo.load import Load, Watch

ENOUGH = 60
"""Requests after which both kinds of connections were used often."""

ANSWER = {
    "worker": 7,
    "version": 3,
    "greeting": "Hello",
    "pool": "pool-1",
    "pool_size": 4,
    "wanted_size": 4,
}


class Served:
    """What a small server saw: its requests, and the connections they came on."""

    def __init__(self) -> None:
        self.requests = 0
        self.connections = set[tuple[str, int]]()
        self.lock = threading.Lock()


@contextmanager
def _server(status: int, body: bytes) -> Generator[tuple[int, Served]]:
    served = Served()

    class Answering(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with served.lock:
                served.requests += 1
                served.connections.add(self.client_address)
            if status == 0:
                self.close_connection = True
                return
            self.send_response(status)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield server.server_address[1], served
        finally:
            server.shutdown()
            thread.join()


def _load(status: int, body: bytes) -> tuple[Watch, Served]:
    """Run the load until the server has seen enough; give both sides' accounts."""
    with _server(status, body) as (port, served):
        with Load("127.0.0.1", port) as load:
            deadline = time.monotonic() + 30
            while served.requests < ENOUGH and time.monotonic() < deadline:
                time.sleep(0.01)
        return load.take(), served


def test_counts_every_answer_on_kept_and_fresh_connections() -> None:
    """Each request is counted once; some share a connection and some have one of their own."""
    watch, served = _load(200, json.dumps(ANSWER).encode())
    assert watch.failures == []
    assert len(watch.answers) == served.requests
    assert served.requests / 3 < len(served.connections) < served.requests
    assert {(one.worker, one.version, one.greeting) for one in watch.answers} == {(7, 3, "Hello")}


def test_every_status_but_200_is_a_failure() -> None:
    """An error page is a failure, once for each request."""
    watch, served = _load(503, b"{}")
    assert watch.answers == []
    assert watch.failures == ["HTTPException: status 503"] * served.requests


def test_a_dropped_connection_is_a_failure() -> None:
    """A connection that ends without an answer is a failure, and not tried again."""
    watch, served = _load(0, b"")
    assert watch.answers == []
    assert len(watch.failures) == served.requests


def test_an_answer_that_makes_no_sense_is_a_failure() -> None:
    """A page that is not the example's is a failure."""
    watch, served = _load(200, b"<p>Hello</p>")
    assert watch.answers == []
    assert len(watch.failures) == served.requests


def test_first_tells_when_each_worker_had_a_version() -> None:
    """The time of an edit is that of the first answer with its version or a later one."""
    with _server(200, json.dumps(ANSWER).encode()) as (port, _), Load("127.0.0.1", port) as load:
        deadline = time.monotonic() + 30
        while not load.look().first({7: 3}) and time.monotonic() < deadline:
            time.sleep(0.01)
        seen = load.look()
    assert seen.first({7: 3}) == {7: seen.answers[0].at}
    assert seen.first({7: 4}) == {}


def test_accounts_follow_each_other_without_a_gap() -> None:
    """Closing an account loses no request: what comes later is in the next one."""
    with _server(200, json.dumps(ANSWER).encode()) as (port, served):
        taken = 0
        with Load("127.0.0.1", port) as load:
            deadline = time.monotonic() + 30
            while served.requests < 60 and time.monotonic() < deadline:
                taken += len(load.take().answers)
        taken += len(load.take().answers)
    assert taken == served.requests
