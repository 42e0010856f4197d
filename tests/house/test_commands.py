"""The commands that measure: whoever ends one ends all that it started."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.load import until
from tests.support.processes import children_of
from tests.support.servers import ROOT

SERVERS = (b"uvicorn", b"gunicorn")


def descendants(pid: int) -> dict[int, bytes]:
    """Return the processes that a process has started, directly or not, and their command lines."""
    found: dict[int, bytes] = {}
    for child in children_of(pid):
        found |= {child: command_line(child), **descendants(child)}
    return found


def command_line(pid: int) -> bytes:
    """Return a process's command line, empty where there is none of that number or a zombie."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


@pytest.mark.parametrize(
    "command",
    [
        ["tests.soak", "--minutes", "5", "--only", "httpx2_async"],
        ["tests.benchmarks", "reloads"],
        ["tests.hazards.loadlag", "--seconds", "60"],
    ],
    ids=lambda command: command[0],
)
def test_sigterm_ends_the_servers_too(command: list[str], tmp_path: Path) -> None:
    """A command that is ended in the middle of its measuring leaves no process running."""
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", *command], cwd=ROOT, stdout=log, stderr=log
        )
    started: dict[int, bytes] = {}

    def serves() -> bool:
        assert process.poll() is None, (tmp_path / "log").read_text()
        started.update(descendants(process.pid))
        return any(server in line for line in started.values() for server in SERVERS)

    try:
        until(serves, 60.0)
        process.send_signal(signal.SIGTERM)
        status = process.wait(60.0)
        until(lambda: not any(line and command_line(pid) == line for pid, line in started.items()))
        assert status == 128 + signal.SIGTERM
    finally:
        process.kill()
        process.wait()
        for pid, line in started.items():
            if line and command_line(pid) == line:
                os.kill(pid, signal.SIGKILL)
