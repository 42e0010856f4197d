"""A trial under attack, behind a real server with several workers: what serves goes on serving."""

import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.support.servers import Server, serving

from .test_on_servers import answer, status, until


@pytest.fixture
def server(tmp_path: Path) -> Iterator[tuple[Server, Path]]:
    """Two workers of uvicorn, on version 1."""
    config = tmp_path / "config.yaml"
    config.write_text("number: 1\nevery: 0\n")
    command = [sys.executable, "-m", "uvicorn", "tests.trial.tried_asgi:app", "--port", "0"]
    command += ["--host", "127.0.0.1", "--no-access-log", "--workers", "2"]
    with serving(command, {"TRIED_CONFIG": str(config)}, tmp_path) as server:
        yield server, config


def test_a_worker_that_is_killed_in_a_trial(server: tuple[Server, Path]) -> None:
    """Those who are left end their own; the one that takes its place serves what is written."""
    rig, config = server
    seen: Counter[str] = Counter()

    def ask() -> None:
        with suppress(OSError):  # what was on its way to the worker that is killed
            seen[answer(rig.port)] += 1

    ask()
    config.write_text("number: 2\nevery: 0\n")
    until(lambda: status(rig.port)["outcome"] == "trying", 30.0)
    os.kill(status(rig.port)["process"]["pid"], signal.SIGKILL)

    def is_everywhere() -> bool:
        for _ in range(10):
            ask()
        return seen["2"] > 200

    until(is_everywhere, 60.0)
    assert set(seen) == {"1", "2"}
