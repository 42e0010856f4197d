"""What all tests share: one PostgreSQL and one Valkey for the run, engines on a clock of theirs."""

from collections.abc import Iterator

import pytest

from reloadcheck._snapshots.unit import unit_of_work
from reloadcheck.demo.postgres import PostgresServer
from tests.support.fixtures import clients, clock, make, outliving, ready, serve, text
from tests.support.valkey import ValkeyServer, valkey_server

__all__ = [
    "clients",
    "clock",
    "make",
    "no_unit_of_work_stays",
    "outliving",
    "postgres",
    "ready",
    "serve",
    "text",
    "valkey",
]


@pytest.fixture(autouse=True)
def no_unit_of_work_stays() -> Iterator[None]:
    """Fail any test after which the thread of the tests is still in a unit of work."""
    yield
    unit = unit_of_work.get()
    unit_of_work.set(None)
    assert unit is None


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server; a test makes roles and databases of its own in it."""
    with PostgresServer.start() as server:
        yield server


@pytest.fixture(scope="session")
def valkey() -> Iterator[ValkeyServer]:
    """A running Valkey; a test flushes the database of it that it uses."""
    with valkey_server() as server:
        yield server
