"""The example that tells people: a real server and receiver, a stand-in for Apprise."""

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.house.test_readme import get
from tests.support.load import until
from tests.support.servers import ROOT, environment, serving

EXAMPLE = ROOT / "examples" / "notify"


@pytest.fixture
def receiver() -> Iterator[tuple[str, list[dict[str, Any]]]]:
    """The address of a server, and what it was told."""
    told: list[dict[str, Any]] = []

    class Page(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            told.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(204)
            self.end_headers()

        def log_message(self, format: str, *args: Any) -> None:
            """Log nothing."""

    server = HTTPServer(("127.0.0.1", 0), Page)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/", told
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_refused_edit_is_told_by_both_ways(
    tmp_path: Path, receiver: tuple[str, list[dict[str, Any]]]
) -> None:
    """The webhook's JSON and Apprise's words name the file, the line and what serves on."""
    url, told = receiver
    file, said = tmp_path / "config.yaml", tmp_path / "said"
    file.write_text("greeting: Hello\n")
    apprise = tmp_path / "bin" / "apprise"
    apprise.parent.mkdir()
    apprise.write_text(f'#!/bin/sh\nprintf "%s\\n" "$@" > {said}.part && mv {said}.part {said}\n')
    apprise.chmod(0o755)
    environ = {
        **environment(file, tmp_path / "journal"),
        "ORDERS_CONFIG": str(file),
        "ORDERS_WEBHOOK": url,
        "ORDERS_WEBHOOK_SECRET": "s",
        "ORDERS_APPRISE": "mailto://one slack://two",
        "PATH": f"{apprise.parent}:/usr/bin:/bin",
        "TMPDIR": str(tmp_path),
    }
    command = [sys.executable, "-m", "uvicorn", "--app-dir", str(EXAMPLE), "--port", "0", "app:app"]
    with serving(command, environ, tmp_path) as server:
        assert get(server.port) == (200, "Hello\n")
        file.write_text("greeting: [\n")

        def is_told() -> bool:
            get(server.port)
            return bool(told) and said.exists()

        until(is_told)
    (only,) = told
    assert (only["state"], only["code"], only["version"]) == ("rejected", "syntax", 1)
    words = said.read_text()
    assert f"{file}:1:12: " in words
    assert "Version 1 serves on." in words
    assert "mailto://one\nslack://two\n" in words
