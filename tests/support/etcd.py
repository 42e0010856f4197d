"""A private etcd as a child process, on free ports, gone with its directory afterwards."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

__all__ = ["EtcdServer", "etcd_server"]


@dataclass
class EtcdServer:
    """One server; `url` is where clients find it."""

    url: str
    port: int
    directory: str
    command: list[str]
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start it, and wait until it answers."""
        with Path(self.directory, "log").open("ab") as log:
            self.process = subprocess.Popen(
                self.command, stdout=log, stderr=log, start_new_session=True
            )
        until = time.monotonic() + 30
        while not self._answers():
            assert time.monotonic() < until, Path(self.directory, "log").read_text()
            time.sleep(0.1)

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health")
            return b"true" in connection.getresponse().read()
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def signal(self, number: int) -> None:
        """Send a signal to the server's own group."""
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def stop(self) -> None:
        """End it."""
        if self.process is not None:
            self.signal(signal.SIGKILL)
            self.process.wait()
            self.process = None


def _free() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


@contextmanager
def etcd_server() -> Generator[EtcdServer]:
    """Run a server until the block ends."""
    port, peer = _free(), _free()
    url, peers = f"http://127.0.0.1:{port}", f"http://127.0.0.1:{peer}"
    with tempfile.TemporaryDirectory() as directory:
        command = [
            str(Path(sys.executable).parent / "etcd"),
            *("--data-dir", f"{directory}/data", "--name", "one"),
            *("--listen-client-urls", url, "--advertise-client-urls", url),
            *("--listen-peer-urls", peers, "--initial-advertise-peer-urls", peers),
            *("--initial-cluster", f"one={peers}", "--log-level", "error"),
        ]
        server = EtcdServer(url, port, directory, command)
        server.start()
        try:
            yield server
        finally:
            server.stop()
