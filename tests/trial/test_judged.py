"""The scenarios of `python -m tests.trial.judged` that no other test has, once each."""

from collections.abc import Iterator
from functools import partial

import pytest

from tests.support.lateness import watched
from tests.support.postgres import MortalPostgres, mortal_postgres

from .judged.__main__ import RATE, made
from .judged.scenarios import STORIES, UNDONE

pytestmark = pytest.mark.long


@pytest.fixture(scope="module")
def database() -> Iterator[MortalPostgres]:
    """A PostgreSQL of this module's own."""
    with mortal_postgres() as server:
        yield server


def test_a_database_that_swallows_packets_is_found_while_requests_hang(
    database: MortalPostgres,
) -> None:
    """It answered when the pool was built: undone by those who wait, a few; the pool is let go."""
    with made("gunicorn", database, {}) as (shop, load), watched() as machine:
        came = UNDONE["swallowed"].try_once(shop, load)
    assert came.code in ("undone-slow", "undone-failed")
    assert came.failed <= UNDONE["swallowed"].failed + RATE * machine.excuses


@pytest.mark.parametrize("name", ["ends on it", "a websocket"])
def test_what_is_under_way_outlives_an_undo(database: MortalPostgres, name: str) -> None:
    """A request on the candidate ends on it with its pool, a websocket is never in it."""
    assert STORIES[name](partial(made, "uvicorn", database))
