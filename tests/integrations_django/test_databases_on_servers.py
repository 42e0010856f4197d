"""A rotated password reaches a Django site that serves: no restart, no failed request.

Real servers with two workers, a real PostgreSQL, and its own count of the connections.
"""

import os
from pathlib import Path
from typing import Any

import pytest

from reloadcheck.demo.postgres import PostgresServer
from tests.support.load import Load, until, workers
from tests.support.servers import environment, gunicorn, uvicorn

from . import ALL_SITES
from .filled import filled
from .role import Watch, role_in
from .visitor import Visitor

WSGI, ASGI = "tests.integrations_django.served:wsgi", "tests.integrations_django.served:asgi"
POOL: dict[str, Any] = {"options": {"pool": {"min_size": 1, "max_size": 3, "timeout": 10}}}
KEPT: dict[str, Any] = {"conn_max_age": None}
EACH: dict[str, Any] = {}
THREADS = gunicorn(WSGI, "--threads", "4")
PRELOADED = gunicorn(WSGI, "--preload")
GREENLETS = gunicorn(WSGI, "--worker-class", "gevent")
BRIEFLY = {
    "gunicorn with threads, connections that are kept": (THREADS, KEPT, 8),
    "uvicorn, a pool": (uvicorn(ASGI), POOL, 6),
}
MORE = {
    "gunicorn, a connection for each request": (gunicorn(WSGI), EACH, 2),
    "gunicorn, connections that are kept": (gunicorn(WSGI), KEPT, 2),
    "gunicorn with threads, a connection for each request": (THREADS, EACH, 8),
    "gunicorn with threads, a pool": (THREADS, POOL, 6),
    "gunicorn that forks a loaded site, connections that are kept": (PRELOADED, KEPT, 2),
    "gunicorn with gevent, a connection for each request": (GREENLETS, EACH, 24),
    "gunicorn with gevent, a pool": (GREENLETS, POOL, 6),
    "uvicorn, a connection for each request": (uvicorn(ASGI), EACH, 8),
}
SITES = BRIEFLY | (MORE if ALL_SITES in os.environ else {})


@pytest.mark.parametrize(("command", "extra", "most"), SITES.values(), ids=SITES.keys())
def test_a_rotated_password_fails_no_request(
    command: list[str], extra: dict[str, Any], most: int, postgres: PostgresServer, tmp_path: Path
) -> None:
    """First the role's password, then the file: every worker goes on, with bounded connections.

    Then the server ends the connections that are older, and still nothing fails. Each request is
    connected as its own version says.
    """
    file = tmp_path / "config.yaml"
    environ = environment(file, tmp_path / "journal", SITE_FOLLOWS="databases")
    with role_in(postgres, file, **extra) as role, filled(environ, command, tmp_path) as server:
        everyone = set(workers(server.port))
        with (
            Watch(role) as watch,
            Visitor(server.port) as visitor,
            Load(server.port, clients=4, pace=0.01) as load,
        ):
            load.reaches(role.number, everyone)
            load.reaches(role.rotate(), everyone)
            before = role.backends()
            load.reaches(role.rotate(), everyone)
            load.outlast()
            until(lambda: extra is KEPT or not before & role.backends())
            role.terminate(before)
            load.reaches(renamed := role.rename(), everyone)
            until(lambda: visitor.visits > 2)
    assert load.failures + visitor.failures == [], server.log
    assert 0 < watch.most <= 2 * most
    named = {(answer.number, answer.said["pool"], answer.said["again"]) for answer in load.answers}
    assert {(n, renamed if n == renamed else 1, n) for n, *_ in named} == named
