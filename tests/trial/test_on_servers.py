"""Behind real servers: a bad edit takes itself back, a good one is live for all after its trial."""

import json
import sys
import threading
import time
import urllib.error
import urllib.request
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.support.servers import Server, serving

pytestmark = pytest.mark.alone

RATE = 50.0
"""Requests a second."""

SERVERS = {
    "uvicorn": ["uvicorn", "tests.trial.tried_asgi:app", "--port", "0", "--host", "127.0.0.1",
                "--no-access-log"],
    "gunicorn": ["gunicorn", "tests.trial.tried_wsgi:app", "--bind", "127.0.0.1:0", "-k", "gthread",
                 "--threads", "8"],
}  # fmt: skip


class Visitors:
    """Ask at a steady pace from a few threads, until told to stop; count what they got."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.seen: Counter[str] = Counter()
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._ask) for _ in range(5)]
        for thread in self._threads:
            thread.start()

    def _ask(self) -> None:
        while not self._stop.wait(len(self._threads) / RATE):
            self.seen[answer(self.port)] += 1

    def stop(self) -> None:
        """Have them leave."""
        self._stop.set()
        for thread in self._threads:
            thread.join()


def answer(port: int) -> str:
    """Return the body of an answer, or its status where that is no 200."""
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=30) as response:
            return str(response.read().decode())
    except urllib.error.HTTPError as error:
        error.close()
        return str(error.code)


def status(port: int) -> dict[str, Any]:
    """Return what the status page says."""
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/status?format=json",
        headers={"Authorization": "Bearer t0k3n-of-the-test"},
    )
    with urllib.request.urlopen(request, timeout=30) as response:
        found: dict[str, Any] = json.load(response)
        return found


def until(condition: Any, seconds: float) -> float:
    """Wait for it, and return how long it took."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < seconds, "it does not come true"
        time.sleep(0.05)
    return time.monotonic() - begun


@pytest.fixture(params=sorted(SERVERS))
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """One worker of a real server, on version 1."""
    config = tmp_path / "config.yaml"
    config.write_text("number: 1\nevery: 0\n")
    command = [sys.executable, "-m", *SERVERS[request.param]]
    with serving(command, {"TRIED_CONFIG": str(config)}, tmp_path) as server:
        yield server, config


def test_an_edit_that_breaks_takes_itself_back(server: tuple[Server, Path]) -> None:
    """Every request fails on it: undone within seconds, after a few, and no other one fails."""
    rig, config = server
    assert answer(rig.port) == "1"
    visitors = Visitors(rig.port)
    try:
        config.write_text("number: 2\nevery: 1\n")
        until(lambda: status(rig.port)["outcome"] == "undone", 30.0)
        told = status(rig.port)
        failed = visitors.seen["500"]
        until(lambda: visitors.seen["1"] > 100, 30.0)
    finally:
        visitors.stop()
    assert told["code"] == "undone-failed"
    assert "Version 1 serves." in told["error"]
    assert 2 <= failed <= 12
    assert visitors.seen["500"] <= failed + 1  # one may have been on its way
    assert visitors.seen["2"] == 0


@pytest.mark.long
def test_a_good_edit_is_live_for_all_after_its_trial(server: tuple[Server, Path]) -> None:
    """A share sees it first, then everybody; not a request fails."""
    rig, config = server
    assert answer(rig.port) == "1"
    visitors = Visitors(rig.port)
    try:
        config.write_text("number: 2\nevery: 0\n")
        until(lambda: status(rig.port)["outcome"] == "trying", 30.0)
        until(lambda: visitors.seen["2"] > 0, 30.0)
        until(lambda: status(rig.port)["version"] == 2, 30.0)
        before = visitors.seen["1"]
        until(lambda: visitors.seen["2"] > 100, 30.0)
    finally:
        visitors.stop()
    assert set(visitors.seen) == {"1", "2"}
    assert visitors.seen["1"] <= before + 5
