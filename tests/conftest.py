"""What all tests share: one private PostgreSQL for the whole run."""

from collections.abc import Iterator

import pytest

from reloadcheck.demo.postgres import PostgresServer


@pytest.fixture(scope="session")
def postgres() -> Iterator[PostgresServer]:
    """A running server; a test makes roles and databases of its own in it."""
    with PostgresServer.start() as server:
        yield server
