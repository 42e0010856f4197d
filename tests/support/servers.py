"""Real servers as child processes: started on a free port, ready when they listen, ended with all
their workers.

Each runs in a process group of its own, and nothing but that group is ever signalled.
"""

import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from .load import until

__all__ = ["ROOT", "Server", "environment", "gunicorn", "serving", "uvicorn"]

ROOT = Path(__file__).parents[2]
START_SECONDS = 30.0
STOP_SECONDS = 30.0
_ADDRESS = re.compile(r"http://127\.0\.0\.1:(\d+)")


def uvicorn(app: str = "tests.support.asgi_app:app", *options: str) -> list[str]:
    """Return the command for uvicorn with two workers."""
    serve = ["uvicorn", app, "--host", "127.0.0.1", "--port", "0", "--workers", "2"]
    return [sys.executable, "-m", *serve, "--no-access-log", *options]


def gunicorn(app: str = "tests.support.wsgi_app:app", *options: str) -> list[str]:
    """Return the command for gunicorn with two workers."""
    serve = ["gunicorn", app, "--bind", "127.0.0.1:0", "--workers", "2"]
    return [sys.executable, "-m", *serve, "--graceful-timeout", "5", *options]


def environment(config: Path, journal: Path, **more: str) -> dict[str, str]:
    """Return the variables for one of the rig's apps, with short times so that tests are quick."""
    return {
        "RIG_CONFIG": str(config),
        "RIG_JOURNAL": str(journal),
        "RELOAD_CHECK_WINDOW": "0.2",
        "RELOAD_CHECK_SETTLE": "0.1",
        **more,
    }


@dataclass(slots=True)
class Server:
    """One server with its workers; `log` is everything that they wrote."""

    process: "subprocess.Popen[bytes]"
    log_file: Path
    port: int = 0

    @property
    def log(self) -> str:
        """Return what the server and the app have logged so far."""
        return self.log_file.read_text(errors="replace")

    def logs(self, words: str, times: int = 1) -> None:
        """Wait until the log has these words so many times."""
        until(lambda: self.log.count(words) >= times)

    def stop(self) -> int:
        """Ask the server to end as an operator would; give its exit status."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"the server did not end:\n{self.log}") from None

    def kill(self) -> None:
        """End what is left of the process group."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def listen(self, seconds: float = START_SECONDS) -> None:
        """Wait until the server says where it listens, and does so."""
        deadline = time.monotonic() + seconds
        while not self._listens():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{self.log}")
            time.sleep(0.02)

    def _listens(self) -> bool:
        found = _ADDRESS.search(self.log)
        if found is None:
            return False
        self.port = int(found.group(1))
        try:
            socket.create_connection(("127.0.0.1", self.port), timeout=START_SECONDS).close()
        except ConnectionRefusedError:  # uvicorn binds, says so, and leaves listening to a worker
            return False
        return True


@contextmanager
def serving(
    command: list[str], environ: Mapping[str, str], directory: Path, *, listen: bool = True
) -> Generator[Server]:
    """Run a server until the block ends; nothing of it is left afterwards, whatever happens."""
    log_file = directory / f"server-{time.monotonic_ns()}.log"
    inherited = {k: v for k, v in os.environ.items() if not k.startswith("RELOAD_CHECK_")}
    with log_file.open("wb") as log:
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            env={**inherited, "PYTHONPATH": str(ROOT), **environ},
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    server = Server(process, log_file)
    try:
        if listen:
            server.listen()
        yield server
    except BaseException:
        print(server.log)  # shown by pytest with the failure
        raise
    finally:
        server.kill()
