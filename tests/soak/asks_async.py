"""One question to the server behind each async resource: who are we to you?

The answer takes as many seconds as are asked for.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

import asyncpg
from httpx2 import AsyncClient
from psycopg_pool import AsyncConnectionPool
from sqlalchemy import text
from sqlalchemy.ext.asyncio import AsyncEngine

from examples.resources import (
    asyncpg_pool,
    httpx2_async,
    psycopg_async,
    redis_async,
    sqlalchemy_async,
    valkey_async,
)

__all__ = ["ASYNC", "Asked"]

NEVER = "nothing-is-ever-pushed-here"
WHO = "SELECT current_setting('application_name') FROM pg_sleep({})"


@dataclass(frozen=True, slots=True)
class Asked:
    """The example's factory, and a question to what it builds."""

    factory: Callable[[Any], AsyncIterator[Any]]
    ask: Callable[[Any, float], Awaitable[str]]


async def _psycopg(pool: AsyncConnectionPool, seconds: float) -> str:
    async with pool.connection() as connection:
        cursor = await connection.execute(WHO.format("%s").encode(), [seconds])
        row = await cursor.fetchone()
    assert row is not None
    return str(row[0])


async def _sqlalchemy(engine: AsyncEngine, seconds: float) -> str:
    async with engine.connect() as connection:
        return str(await connection.scalar(text(WHO.format(":s")), {"s": seconds}))


async def _asyncpg(pool: "asyncpg.Pool[asyncpg.Record]", seconds: float) -> str:
    return str(await pool.fetchval(WHO.format("$1"), seconds))


async def _cache(client: Any, seconds: float) -> str:
    if seconds:
        await client.execute_command("BLPOP", NEVER, seconds)
    return str(await client.client_getname())


async def _httpx2(client: AsyncClient, seconds: float) -> str:
    response = await client.get("/wait", params={"seconds": seconds})
    return response.raise_for_status().text


ASYNC: Mapping[str, Asked] = {
    "psycopg_async": Asked(psycopg_async.database, _psycopg),
    "sqlalchemy_async": Asked(sqlalchemy_async.database, _sqlalchemy),
    "asyncpg_pool": Asked(asyncpg_pool.database, _asyncpg),
    "valkey_async": Asked(valkey_async.cache, _cache),
    "redis_async": Asked(redis_async.cache, _cache),
    "httpx2_async": Asked(httpx2_async.upstream, _httpx2),
}
