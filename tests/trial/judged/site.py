"""Four workers of a real server with a store and a real database, whose file a scenario edits."""

import json
import sys
import time
from collections.abc import Callable, Generator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from reloadcheck import Orders
from reloadcheck._state.board import Member
from reloadcheck.stores import SQLiteStore
from tests.support.load import until
from tests.support.postgres import MortalPostgres
from tests.support.servers import Server, serving

from .load import ask

__all__ = ["SERVERS", "Site", "site"]

WORKERS = 4
START_SECONDS = 90.0
"""Four workers begin at the same time, on a machine that may have more to do."""

SERVERS: Mapping[str, list[str]] = {
    "uvicorn": ["uvicorn", "tests.trial.judged.shop_asgi:app", "--port", "0", "--workers", "4",
                "--host", "127.0.0.1", "--no-access-log", "--timeout-worker-healthcheck", "60"],
    "gunicorn": ["gunicorn", "tests.trial.judged.shop_wsgi:app", "--bind", "127.0.0.1:0",
                 "-k", "gthread", "--threads", "16", "--workers", "4", "--graceful-timeout", "3"],
}  # fmt: skip


@dataclass
class Site:
    """`edit` writes the file; `codes` and `outcomes` are what the members say of it."""

    directory: Path
    command: list[str]
    database: MortalPostgres
    trial: Mapping[str, object]
    upstream: int = 0
    seconds: float = 0.01
    anyway: float = 0.0
    number: int = 0
    server: Server | None = None
    orders: Orders = field(init=False)

    def __post_init__(self) -> None:
        self.store = self.directory / "private" / "store.db"
        self.config = self.directory / "config.yaml"
        self.orders = Orders(SQLiteStore(self.store), app="shop")

    @property
    def port(self) -> int:
        """Return the port of what runs."""
        assert self.server is not None
        return self.server.port

    def edit(self, *, number: int | None = None, every: int = 0, **database: object) -> int:
        """Write a version down; return its number. Without one it is the next."""
        self.number = self.number + 1 if number is None else number
        said = {"port": self.database.server.port, "most": 16, "seconds": self.seconds} | database
        text = {
            "number": self.number,
            "every": every,
            "anyway": self.anyway,
            "upstream": self.upstream,
            "database": {"number": self.number, **said},
        }
        self.config.write_text(json.dumps(text))
        return self.number

    @contextmanager
    def running(self) -> Generator[Server]:
        """Serve until the block ends; all workers are there at its beginning."""
        server = self.database.server
        environ = {
            "SHOP_CONFIG": str(self.config),
            "SHOP_DATABASE": f"host=127.0.0.1 user={server.superuser} "
            f"password={server.password} dbname=postgres",
            "SHOP_TRIAL": json.dumps(self.trial),
            "RELOAD_CHECK_STORE": str(self.store),
            "RELOAD_CHECK_APP": "shop",
        }
        command = [sys.executable, "-m", *self.command]
        with serving(command, environ, self.directory, listen=False) as self.server:
            self.server.listen(START_SECONDS)
            until(self._all_are_there, 60.0)
            yield self.server

    def _all_are_there(self) -> bool:
        """Ask all at the same time, as some begin with their first request."""
        with ThreadPoolExecutor(4 * WORKERS) as clients:
            list(clients.map(ask, [self.port] * 4 * WORKERS))
        return len(self.members()) == WORKERS

    def stop(self) -> None:
        """End the server, and wait until no worker is left."""
        assert self.server is not None
        self.server.stop()
        until(lambda: not self.members(), 30.0)

    def members(self) -> list[Member]:
        """Return what each worker says that is there."""
        return list(self.orders.members().values()) if self.store.exists() else []

    def all_say(
        self, said: Callable[[Member], bool], workers: int = WORKERS, seconds: float = 100.0
    ) -> float:
        """Wait until all workers say it; return the seconds from the first to the last."""
        first: list[float] = []

        def do() -> bool:
            found = sum(said(one) for one in self.members())
            if found and not first:
                first.append(time.monotonic())
            time.sleep(0.01)
            return found >= workers

        until(do, seconds)
        return time.monotonic() - first[0]

    def are(self, outcome: str, *, workers: int = WORKERS, seconds: float = 100.0) -> float:
        """Wait until all say this of the last edit; return the seconds from first to last."""
        edited = self.config.stat().st_mtime
        return self.all_say(
            lambda one: one.outcome == outcome and one.since >= edited, workers, seconds
        )

    def has_decided(self) -> None:
        """Wait until no worker tries the last edit any more."""
        edited = self.config.stat().st_mtime
        self.all_say(lambda one: one.outcome != "trying" and one.since >= edited)

    def goes_back(self) -> None:
        """Put version 1 back, and see that it serves; the number goes on from what there was."""
        number = self.number
        self.edit(number=1)
        until(lambda: {ask(self.port) for _ in range(8)} == {"version-1"})
        time.sleep(0.5)
        self.number = number

    @property
    def codes(self) -> set[str | None]:
        """Return the reasons that the members tell."""
        return {one.code for one in self.members()}


@contextmanager
def site(directory: Path, kind: str, database: MortalPostgres, **options: Any) -> Generator[Site]:
    """Serve version 1 on four workers until the block ends."""
    made = Site(directory, SERVERS[kind], database, options.pop("trial", {}), **options)
    made.edit()
    with made.running():
        yield made
