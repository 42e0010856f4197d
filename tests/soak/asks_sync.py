"""One question to the server behind each sync resource: who are we to you?

The answer takes as many seconds as are asked for.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from httpx2 import Client
from psycopg_pool import ConnectionPool
from requests import Session
from sqlalchemy import Engine, text

from examples.resources import (
    httpx2_sync,
    psycopg_sync,
    redis_sync,
    requests_session,
    sqlalchemy_sync,
    valkey_sync,
)

__all__ = ["SYNC", "Asked"]

NEVER = "nothing-is-ever-pushed-here"
WHO = "SELECT current_setting('application_name') FROM pg_sleep({})"


@dataclass(frozen=True, slots=True)
class Asked:
    """The example's factory, and a question to what it builds."""

    factory: Callable[[Any], Iterator[Any]]
    ask: Callable[[Any, float, str], str]


def _psycopg(pool: ConnectionPool, seconds: float, _: str) -> str:
    with pool.connection() as connection:
        row = connection.execute(WHO.format("%s").encode(), [seconds]).fetchone()
    assert row is not None
    return str(row[0])


def _sqlalchemy(engine: Engine, seconds: float, _: str) -> str:
    with engine.connect() as connection:
        return str(connection.scalar(text(WHO.format(":s")), {"s": seconds}))


def _cache(client: Any, seconds: float, _: str) -> str:
    if seconds:
        client.execute_command("BLPOP", NEVER, seconds)
    return str(client.client_getname())


def _httpx2(client: Client, seconds: float, _: str) -> str:
    return client.get("/wait", params={"seconds": seconds}).raise_for_status().text


def _requests(session: Session, seconds: float, url: str) -> str:
    with session.get(f"{url}/wait", params={"seconds": seconds}, timeout=10) as response:
        response.raise_for_status()
        return response.text


SYNC: Mapping[str, Asked] = {
    "psycopg_sync": Asked(psycopg_sync.database, _psycopg),
    "sqlalchemy_sync": Asked(sqlalchemy_sync.database, _sqlalchemy),
    "valkey_sync": Asked(valkey_sync.cache, _cache),
    "redis_sync": Asked(redis_sync.cache, _cache),
    "httpx2_sync": Asked(httpx2_sync.upstream, _httpx2),
    "requests_session": Asked(requests_session.upstream, _requests),
}
