"""A real HTTP server on the loopback that notes what a webhook tells it."""

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

__all__ = ["CANARY", "Receiver"]

CANARY = "canary-77aa"
"""A secret in the server's address, which is shown nowhere."""


class Receiver:
    """A server that notes what it is told; `answers` are its next statuses, then 204."""

    def __init__(self) -> None:
        self.told: list[tuple[dict[str, Any], dict[str, str], bytes]] = []
        self.answers: list[int] = []
        receiver = self

        class Page(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                receiver.told.append((json.loads(body), dict(self.headers), body))
                self.send_response(receiver.answers.pop(0) if receiver.answers else 204)
                self.end_headers()

            def log_message(self, format: str, *args: Any) -> None:
                """Log nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
        self.url = f"http://127.0.0.1:{self.server.server_port}/hook/{CANARY}"
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    def close(self) -> None:
        """End it."""
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()
