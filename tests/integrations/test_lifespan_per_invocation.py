"""A server that runs the lifespan around each single request, as adapters of function hosts do."""

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.testclient import TestClient

from reloadcheck import ReloadCheck
from reloadcheck.integrations.starlette import ReloadCheckMiddleware

from .conftest import Make
from .pools import pool_of


def invoke(live: ReloadCheck[Any], times: int) -> None:
    """Answer so many invocations, each with a start-up and a shutdown of its own."""
    app = Starlette(middleware=[Middleware(ReloadCheckMiddleware, live=live)])
    for _ in range(times):
        with TestClient(app) as client:
            client.get("/")


@pytest.fixture
def engine(make: Make) -> Iterator[tuple[ReloadCheck[Any], list[str]]]:
    """An engine with a resource that keeps a journal."""
    live, journal = make(), list[str]()
    pool_of(live, journal)
    yield live, journal
    asyncio.run(live.aclose())


def test_each_invocation_builds_and_closes(engine: tuple[ReloadCheck[Any], list[str]]) -> None:
    """What is asked for is done: a lifespan is a start and an end."""
    live, journal = engine
    invoke(live, 2)
    assert journal == ["built 1", "closed 1"] * 2


def test_a_start_of_the_modules_own_keeps_it_open(
    engine: tuple[ReloadCheck[Any], list[str]],
) -> None:
    """Starts and closes nest: `live.start()` beside the app holds it for as long as the process."""
    live, journal = engine
    live.start()
    invoke(live, 3)
    assert journal == ["built 1"]
    live.close()
    assert journal == ["built 1", "closed 1"]
