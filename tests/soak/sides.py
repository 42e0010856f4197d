"""One real app server with the resources of its kind, and what it tells of itself."""

import http.client
import json
import threading
from collections import Counter
from collections.abc import Generator, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.servers import Server, gunicorn, serving, uvicorn

from .backends import Backends
from .edits import Edits
from .matrix import Entry, Kind, chosen

__all__ = ["Side", "Times", "side"]

SIZE = 12
"""Connections in each pool."""

PAUSE = 0.1
THREADS = 40
KEEP = "75"
"""Seconds for which the servers keep idle connections: longer than any client of ours does."""


@dataclass(frozen=True, slots=True)
class Times:
    """The engine's window and settle, in seconds."""

    window: float
    settle: float


@dataclass(slots=True)
class Side:
    """A server and its file.

    `builds` has, by configuration, when it went live and the seconds that its build took, `waits`
    when an edit had to wait for an instance to drain, `instances` the most of each at once.
    """

    kind: Kind
    entries: tuple[Entry, ...]
    times: Times
    edits: Edits
    server: Server
    builds: dict[int, tuple[float, float]] = field(default_factory=dict[int, tuple[float, float]])
    waits: set[float] = field(default_factory=set[float])
    instances: Counter[str] = field(default_factory=Counter[str])

    @property
    def server_name(self) -> str:
        """Say which server it is."""
        return {"async": "uvicorn", "sync": "gunicorn gthread"}[self.kind]

    @property
    def port(self) -> int:
        """Return the server's port."""
        return self.server.port

    def status(self) -> dict[str, Any]:
        """Ask the app how it is."""
        return self._asked("/status")

    def have_all_threads(self) -> None:
        """Have a server that starts a thread when none is idle start them all.

        Each thread takes memory of its own, and when the last is started is left to chance.
        """
        with ThreadPoolExecutor(THREADS) as together:
            list(together.map(self._asked, ["/wait"] * THREADS))

    def _asked(self, path: str) -> dict[str, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request("GET", path, headers={"Connection": "close"})
            said: dict[str, Any] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return said

    def rss(self) -> float:
        """Return the memory of the process that serves, in MiB."""
        lines = Path(f"/proc/{self.status()['pid']}/status").read_text().splitlines()
        (kib,) = (line.split()[1] for line in lines if line.startswith("VmRSS"))
        return int(kib) / 1024

    def watch(self, over: threading.Event) -> None:
        """Take note again and again of how the app is."""
        while not over.wait(PAUSE):
            self.look()

    def look(self) -> dict[str, Any]:
        """Take note of how the app is, and give it."""
        status = self.status()
        swaps = [one for one in status["heard"] if one["outcome"] == "reloaded"]
        self.builds |= {one["number"]: (one["at"], one["build"]) for one in swaps}
        self.instances |= Counter(
            {name: one["instances"] for name, one in status["resources"].items()}
        )
        self.waits.update(status["waits"])
        return status


@contextmanager
def side(
    kind: Kind, backends: Backends, directory: Path, times: Times, names: Iterable[str] = ()
) -> Generator[Side]:
    """Run the server for one kind of resources; all of the kind unless some are named."""
    entries = chosen(kind, names)
    edits = Edits(directory / f"{kind}.json", entries, backends, SIZE)
    edits.write(everything=True)
    commands = {
        "async": uvicorn("tests.soak.asgi_app:app", "--workers", "1", "--timeout-keep-alive", KEEP),
        "sync": gunicorn(
            *("tests.soak.wsgi_app:app", "--workers", "1", "--worker-class", "gthread"),
            *("--threads", str(THREADS), "--keep-alive", KEEP),
        ),
    }
    environ = {
        # So that memory tells of what is held: the C library keeps what was freed, for each thread.
        "MALLOC_ARENA_MAX": "2",
        "GLIBC_TUNABLES": "glibc.malloc.tcache_count=0",
        "XDG_RUNTIME_DIR": str(directory),  # where gunicorn puts a socket
        "SOAK_CONFIG": str(edits.file),
        "SOAK_NAMES": " ".join(entry.name for entry in entries),
        "RELOAD_CHECK_WINDOW": str(times.window),
        "RELOAD_CHECK_SETTLE": str(times.settle),
    }
    with serving(commands[kind], environ, directory) as server:
        started = Side(kind, entries, times, edits, server)
        started.status()  # without a lifespan the first request starts the engine
        if kind == "sync":
            started.have_all_threads()
        yield started
