"""What the examples promise of closing, where the client alone would not keep it."""

import asyncio
from typing import TypeVar

import pytest

from examples.resources import asyncpg_pool, requests_session
from examples.resources.settings import Database, Upstream

from .backends import Backends

T = TypeVar("T")


def test_asyncpg_closes_with_a_deadline(servers: Backends, monkeypatch: pytest.MonkeyPatch) -> None:
    """A connection that is never given back is terminated, and its server's side with it."""
    wait_for, waits = asyncio.wait_for, list[float]()

    async def sooner(work: "asyncio.Future[T]", timeout: float) -> T:
        waits.append(timeout)
        return await wait_for(work, 0.1)

    monkeypatch.setattr("examples.resources.asyncpg_pool.asyncio.wait_for", sooner)

    async def main() -> None:
        factory = asyncpg_pool.database(Database(servers.database(), name="asyncpg_pool-0"))
        pool = await anext(factory)
        _taken = await pool.acquire()
        assert servers.connected() == {"asyncpg_pool"}
        assert await anext(factory, "done") == "done"

    asyncio.run(main())
    assert waits == [5.0]
    assert set() == servers.left_over({"asyncpg_pool"})


def test_a_requests_session_closes_its_connections_at_once(servers: Backends) -> None:
    """Also while somebody still has an answer, which holds on to the pool that it came from."""
    url, token = servers.upstream()
    factory = requests_session.upstream(Upstream(url, token, name="requests_session-0"))
    session = next(factory)
    with session.get(url, timeout=10) as kept:
        assert servers.connected() == {"requests_session"}
        assert next(factory, "done") == "done"
        assert set() == servers.left_over({"requests_session"})
    assert kept.text == "requests_session-0"
