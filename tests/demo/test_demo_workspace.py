"""The workspace: processes do as they are told, and go however stubborn they are."""

import os
import secrets
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from reloadcheck.demo.workspace import LOWEST_PORT, StartError, Workspace, free_port, tail

LeftBehind = Callable[[Path], list[str]]

STUBBORN = """
import signal, subprocess, sys, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
print("deaf", flush=True)
time.sleep(60)
"""

LEAVES_A_CHILD = """
import subprocess, sys
subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
"""


def test_gives_status_output_and_place() -> None:
    """A process works in the directory, its output goes to its log, its status comes back."""
    with Workspace.open("reloadcheck-test-") as workspace:
        code = "import os, sys; print(os.getcwd()); sys.exit(3)"
        process = workspace.run([sys.executable, "-c", code], log="one.log")
        assert process.wait(30) == 3
        assert tail(process.log) == str(workspace.directory)
        assert process.end() == 3


def test_a_program_that_is_not_there_is_told() -> None:
    """What cannot be started raises, and the workspace stays usable."""
    with Workspace.open("reloadcheck-test-") as workspace:
        with pytest.raises(StartError, match="no-such-program did not start"):
            workspace.run(["/no-such-program"], log="none.log")
        assert workspace.run([sys.executable, "-c", ""], log="one.log").wait(30) == 0


def test_ends_one_process_by_its_own_signal() -> None:
    """Each process is ended by the signal agreed for it, the others run on."""
    with Workspace.open("reloadcheck-test-") as workspace:
        sleep = [sys.executable, "-c", "import time; time.sleep(60)"]
        one = workspace.run(sleep, log="one.log", ending=[("SIGHUP", 10.0)])
        other = workspace.run(sleep, log="other.log")
        assert one.end() == -signal.SIGHUP
        assert other.status() is None


def test_a_deaf_process_and_its_children_go(left_behind: LeftBehind) -> None:
    """A process that ignores its signal is killed in the end, and its children with it."""
    with Workspace.open("reloadcheck-test-") as workspace:
        process = workspace.run(
            [sys.executable, "-c", STUBBORN], log="l", ending=[("SIGTERM", 0.2)]
        )
        while tail(process.log) != "deaf":
            assert process.status() is None
    assert left_behind(workspace.directory) == []


def test_children_do_not_outlive_their_process() -> None:
    """What a process leaves running goes when it goes."""
    with Workspace.open("reloadcheck-test-") as workspace:
        process = workspace.run([sys.executable, "-c", LEAVES_A_CHILD], log="one.log")
        assert process.wait(30) == 0
        deadline = time.monotonic() + 30
        while _workers(workspace) and time.monotonic() < deadline:
            time.sleep(0.01)
        assert _workers(workspace) == []


def test_closing_twice_is_closing_once() -> None:
    """A closed workspace closes again without a word, and starts nothing more."""
    workspace = Workspace.open("reloadcheck-test-")
    workspace.close()
    workspace.close()
    assert not workspace.directory.exists()
    with pytest.raises(StartError, match="has gone"):
        workspace.run([sys.executable, "-c", ""], log="one.log")


def test_a_keeper_that_was_killed_is_told() -> None:
    """Whoever asks a keeper that is no more gets an error, not a hang; the directory still goes."""
    with Workspace.open("reloadcheck-test-") as workspace:
        os.kill(workspace.keeper_pid, signal.SIGKILL)
        with pytest.raises(StartError, match="has gone"):
            workspace.run([sys.executable, "-c", ""], log="one.log")
    assert not workspace.directory.exists()


def test_free_ports_are_free() -> None:
    """A free port can be bound at once."""
    with socket.create_server(("127.0.0.1", free_port())) as server:
        assert server.getsockname()[0] == "127.0.0.1"


def test_a_free_port_is_nobodys_by_chance(monkeypatch: pytest.MonkeyPatch) -> None:
    """Who asks for any port, or connects, has none of them; and a taken one is passed over."""
    with socket.create_server(("127.0.0.1", 0)) as any_port:
        by_chance = any_port.getsockname()[1]
    assert max(free_port() for _ in range(50)) < min(by_chance, 32768)
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        offsets = [taken.getsockname()[1] - LOWEST_PORT] * 2 + [0, 1, 2, 3]

        def below(limit: int) -> int:
            return int(offsets.pop(0)) % limit

        monkeypatch.setattr(secrets, "randbelow", below)
        assert free_port() - LOWEST_PORT in range(4)


def _workers(workspace: Workspace) -> list[str]:
    """Return the processes that work in the directory."""
    return [
        process.name
        for process in Path("/proc").glob("[0-9]*")
        if _place(process).startswith(str(workspace.directory))
    ]


def _place(process: Path) -> str:
    try:
        return os.readlink(process / "cwd")
    except OSError:
        return ""  # it has ended, or belongs to somebody else
