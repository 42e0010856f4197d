"""A rotated password reaches the tasks of a Django site: no restart, no failed task.

Celery's own worker, a real Valkey and a real PostgreSQL.
"""

import os
import sys
import threading
from pathlib import Path
from typing import Any, Self

import pytest

from reloadcheck.demo.postgres import PostgresServer
from tests.support.load import until
from tests.support.servers import environment
from tests.support.task_client import client_of
from tests.support.valkey import ValkeyServer

from . import ALL_SITES
from .filled import filled
from .role import role_in

SECONDS = 30.0
POOLS = {"prefork": 2, "solo": 1, "threads": 2}
KEPT: dict[str, Any] = {"conn_max_age": None}
EACH: dict[str, Any] = {}
BRIEFLY = {
    "prefork-kept": ("prefork", KEPT),
    "solo-each": pytest.param("solo", EACH, marks=pytest.mark.long),
    "threads-kept": pytest.param("threads", KEPT, marks=pytest.mark.long),
}
MORE = {
    "prefork-each": ("prefork", EACH),
    "solo-kept": ("solo", KEPT),
    "threads-each": ("threads", EACH),
}
WORKERS = BRIEFLY | (MORE if ALL_SITES in os.environ else {})


class Orders:
    """Sends tasks one after the other and keeps what they say, from enter to exit.

    Each thread is a client of its own: Celery's collector of results is not one for two threads,
    and one client alone leaves a process of a pool without any task.
    """

    def __init__(self, url: str) -> None:
        self.said: list[dict[str, Any]] = []
        self.failures: list[str] = []
        self._url = url
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run, daemon=True) for _ in range(3)]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(SECONDS + 5)

    def reaches(self, number: int, processes: int) -> None:
        """Wait until so many processes have said this number."""
        until(
            lambda: len({one["pid"] for one in self.said if one["number"] == number}) == processes
        )

    def _run(self) -> None:
        with client_of(self._url) as app:
            while not self._over.wait(0.01):
                try:
                    sent = app.send_task("tests.integrations_django.worker.order")
                    self.said.append(sent.get(timeout=SECONDS))
                except Exception as error:
                    self.failures.append(f"{type(error).__name__}: {error}")


@pytest.mark.parametrize(("pool", "extra"), WORKERS.values(), ids=WORKERS.keys())
def test_a_rotated_password_fails_no_task(
    pool: str, extra: dict[str, Any], postgres: PostgresServer, valkey: ValkeyServer, tmp_path: Path
) -> None:
    """First the role's password, then the file: each process of the pool goes on by the new one.

    Then the server ends every older connection, and still no task fails.
    """
    url = valkey.url(8 + list(POOLS).index(pool))
    file = tmp_path / "config.yaml"
    environ = environment(file, tmp_path / "journal", SITE_FOLLOWS="databases", RIG_BROKER=url)
    processes = 2 if pool == "prefork" else 1
    command = [sys.executable, "-m", "celery", "-A", "tests.integrations_django.worker", "worker"]
    plain = ["--loglevel", "INFO", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    pools = ["--pool", pool, "--concurrency", str(POOLS[pool])]
    with (
        role_in(postgres, file, **extra) as role,
        filled(environ, [*command, *pools, *plain], tmp_path, listen=False) as worker,
    ):
        worker.logs(" ready.")
        with Orders(url) as orders:
            orders.reaches(role.number, processes)
            orders.reaches(role.rotate(), processes)
            before = role.backends()
            orders.reaches(role.rotate(), processes)
            role.terminate(before)
            orders.reaches(renamed := role.rename(), processes)
    assert orders.failures == [], worker.log
    assert {(1, 1), (2, 1), (3, 1), (renamed, renamed)} == {
        (one["number"], one["pool"]) for one in orders.said
    }
