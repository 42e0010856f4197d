"""What the demo asks its server: both workers, as often as it takes."""

import json
import threading
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from reloadcheck.demo.server import Server
from reloadcheck.demo.workspace import Process, StartError


def _page(worker: int) -> bytes:
    reload = {"version": 1, "digest": None, "code": None, "error": None}
    return json.dumps(
        {"worker": worker, "reload": reload, "pools": {"built": 1, "closed": 0}}
    ).encode()


@contextmanager
def _server(answers: Iterator[bytes | None], log: Path) -> Generator[Server]:
    """Serve what comes next: a page, or for None a connection that ends without an answer."""

    class Answering(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            page = next(answers)
            if page is None:
                self.close_connection = True
                return
            self.send_response(200)
            self.send_header("Content-Length", str(len(page)))
            self.end_headers()
            self.wfile.write(page)

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Answering) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield Server(server.server_address[1], Process(0, log, lambda request: {}))
        finally:
            server.shutdown()
            thread.join()


def test_who_breaks_a_connection_off_is_asked_again(tmp_path: Path) -> None:
    """On a busy machine a worker may be slow, or be started anew by its server."""
    with _server(iter([None, _page(1), b"?", _page(1), None, _page(2)]), tmp_path) as server:
        assert server.look().keys() == {1, 2}


def test_who_never_answers_is_told_with_what_was_heard(tmp_path: Path) -> None:
    """The demo then ends with a sentence, and no traceback."""
    with (
        _server(iter([None]), tmp_path) as server,
        pytest.raises(StartError, match=r"only 0 of 2 workers answered; one said RemoteDisc"),
    ):
        server.look(timeout=0.0)
