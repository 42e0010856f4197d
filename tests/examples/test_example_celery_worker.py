"""The Celery example, on its own broker and with its own partner to tell."""

import json
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from celery import Celery

from tests.support.config import replace
from tests.support.load import until
from tests.support.servers import ROOT, environment, serving
from tests.support.valkey import ValkeyServer

EXAMPLE = ROOT / "examples" / "celery_worker"


@dataclass
class Partner:
    """An HTTP service that takes one token, and notes who told it what."""

    token: str
    port: int = 0
    told: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    refused: int = 0


@pytest.fixture
def partner() -> Iterator[Partner]:
    """A partner that runs until the test is over."""
    partner = Partner("first")

    class Admission(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            fine = self.headers["authorization"] == f"Bearer {partner.token}"
            if fine:
                partner.told.append((partner.token, body))
            else:
                partner.refused += 1
            self.send_response(200 if fine else 401)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return

    with ThreadingHTTPServer(("127.0.0.1", 0), Admission) as server:
        partner.port = server.server_port
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield partner
        server.shutdown()
        thread.join()


def test_a_rotated_token_loses_no_task(
    valkey: ValkeyServer, partner: Partner, tmp_path: Path
) -> None:
    """What was refused with the old token is told with the new one, by the retry, no restart."""
    file = tmp_path / "config.yaml"
    text = (EXAMPLE / "config.yaml").read_text().replace(":9000", f":{partner.port}")
    file.write_text(text.replace("change-me", "first"))
    url = valkey.url(8)
    command = [sys.executable, "-m", "celery", "--workdir", str(EXAMPLE), "-A", "tasks", "worker"]
    plain = ["--without-gossip", "--without-mingle", "--without-heartbeat"]
    environ = {
        **environment(file, tmp_path / "journal"),
        "TASKS_CONFIG": str(file),
        "CELERY_BROKER_URL": url,
    }
    with (
        serving(
            [*command, "--concurrency", "1", *plain], environ, tmp_path, listen=False
        ) as worker,
        Celery("client", broker=url) as client,
    ):
        client.send_task("tasks.tell", (1,))
        until(lambda: len(partner.told) == 1)
        partner.token = "second"
        client.send_task("tasks.tell", (2,))
        until(lambda: partner.refused > 0)
        replace(file, text.replace("change-me", "second").replace("Thank you", "Thanks"))
        until(lambda: len(partner.told) == 2)
        assert worker.stop() == 0
    assert partner.told == [
        ("first", {"order": 1, "greeting": "Thank you"}),
        ("second", {"order": 2, "greeting": "Thanks"}),
    ]
    assert "change-me" not in worker.log
