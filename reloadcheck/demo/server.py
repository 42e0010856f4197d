"""Runs an example under its server with two workers, and asks each worker how it is.

Takes a workspace and the path of the configuration, gives a running server. It must never serve
anything but the example, nor on anything but loopback.
"""

import http.client
import json
import os
import shutil
import sys
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from .apps import WORKERS, Address, App, example
from .workspace import Process, StartError, Workspace, free_port, tail

__all__ = ["Server", "WorkerStatus"]

HOST = "127.0.0.1"
PORT_TRIES = 3
START_SECONDS = 30.0
ENDING = (("SIGTERM", 8.0),)


@dataclass(frozen=True, slots=True)
class WorkerStatus:
    """What one worker says about itself; `error` is the last rejection's, if it stands."""

    worker: int
    version: int | None
    digest: str | None
    code: str | None
    error: str | None
    pools_built: int
    pools_closed: int

    @classmethod
    def read(cls, said: dict[str, Any]) -> Self:
        """Read the example's status page."""
        reload, pools = said["reload"], said["pools"]
        return cls(
            worker=said["worker"],
            version=reload["version"],
            digest=reload["digest"],
            code=reload["code"],
            error=reload["error"],
            pools_built=pools["built"],
            pools_closed=pools["closed"],
        )


@dataclass(frozen=True, slots=True)
class Server:
    """The example, serving with two workers."""

    port: int
    process: Process
    host: str = HOST

    @classmethod
    def start(cls, workspace: Workspace, config: Path, app: App) -> Self:
        """Start the server and wait until both workers answer; raise `StartError` otherwise."""
        shutil.copy(example(app), workspace.directory / app.file)
        deadline = time.monotonic() + START_SECONDS
        for _ in range(PORT_TRIES):
            server = cls._launch(workspace, config, app, free_port())
            if server._answers(deadline):
                return server
        raise StartError(f"no port was free after {PORT_TRIES} tries")

    @classmethod
    def _launch(cls, workspace: Workspace, config: Path, app: App, port: int) -> Self:
        process = workspace.run(
            [sys.executable, "-m", *app.command(Address(HOST, port, workspace.directory))],
            log=f"{app.server}.log",
            env=_environment(config),
            ending=ENDING,
        )
        return cls(port, process)

    @property
    def url(self) -> str:
        """Return the address to open."""
        return f"http://{self.host}:{self.port}/"

    def look(self, *, timeout: float = START_SECONDS) -> dict[int, WorkerStatus]:
        """Ask until both workers have answered; give what each said, by its process id.

        Raise `StartError` where they have not within `timeout` seconds.
        """
        seen: dict[int, WorkerStatus] = {}
        heard = ""
        deadline = time.monotonic() + timeout
        while len(seen) < WORKERS:
            try:
                status = WorkerStatus.read(self._ask("/status"))
                seen[status.worker] = status
            except (OSError, http.client.HTTPException, ValueError, KeyError) as error:
                heard = f"; one said {error!r}"
                time.sleep(0.05)
            if time.monotonic() > deadline:
                raise StartError(f"only {len(seen)} of {WORKERS} workers answered{heard}")
        return seen

    def _ask(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=5.0)
        try:
            connection.request("GET", path)
            said: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return said

    def _answers(self, deadline: float) -> bool:
        """Wait for both workers; False when another process had taken the port."""
        while time.monotonic() < deadline:
            if self.process.status() is not None:
                if " in use" in tail(self.process.log):
                    self.process.log.unlink(missing_ok=True)
                    return False
                raise StartError(f"the example did not start\n{tail(self.process.log)}")
            with suppress(StartError):
                self.look(timeout=0.5)
                return True
        raise StartError(f"the example did not answer in time\n{tail(self.process.log)}")


def _environment(config: Path) -> dict[str, str]:
    """Return our environment without what would steer the driver, the server or the engine."""
    steering = ("PG", "RELOAD_CHECK_", "UVICORN_", "GUNICORN_", "FLASK_", "WEB_CONCURRENCY")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(steering)}
    package = str(Path(__file__).parents[2])
    path = os.pathsep.join(filter(None, [package, os.environ.get("PYTHONPATH")]))
    ours = {"ORDERS_CONFIG": str(config), "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}
    return kept | ours | {"XDG_RUNTIME_DIR": str(config.parent)}  # gunicorn puts a socket there
