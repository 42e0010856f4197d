"""An order service whose greeting, database password and pool size change while it serves.

Run it with ``uvicorn starlette_orders:app --workers 2`` and edit ``orders.yaml``. A PostgreSQL
wants ``CREATE TABLE orders (id bigserial PRIMARY KEY)`` first.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import msgspec
import psycopg
from psycopg_pool import AsyncConnectionPool
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from reloadcheck import ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.demo.sqlite import SQLitePool  # stands in where there is no PostgreSQL

Pool = AsyncConnectionPool | SQLitePool


class Database(msgspec.Struct, frozen=True):
    """Where the orders are; a change rebuilds the pool."""

    url: str
    pool_size: int = 4


class Settings(msgspec.Struct, frozen=True):
    """The whole configuration; a file that does not fit it never reaches a request."""

    greeting: str
    database: Database


CONFIG = os.environ.get("ORDERS_CONFIG") or Path(__file__).with_name("orders.yaml")
live = ReloadCheck(CONFIG, schema=Settings)
pools = Counter(built=0, closed=0)


async def answers(pool: Pool) -> None:
    """Try a new pool before any request gets it."""
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")


@live.resource("database", probe=answers)
async def orders_pool(database: Database) -> AsyncIterator[Pool]:
    """Build a pool beside the old one; what follows the yield runs once nobody uses it."""
    async with await new_pool(database) as pool:
        pools["built"] += 1
        yield pool
    pools["closed"] += 1


async def new_pool(database: Database) -> Pool:
    """Prepare a pool; one connection first, because it says at once what is wrong."""
    size = database.pool_size
    if database.url.startswith("sqlite:"):
        return SQLitePool(database.url, max_size=size)
    async with await psycopg.AsyncConnection.connect(database.url, connect_timeout=5):
        return AsyncConnectionPool(database.url, min_size=size, max_size=size, open=False)


async def home(request: Request) -> Response:
    """Greet as the file says now."""
    snapshot = request.state.snapshot
    return PlainTextResponse(f"{snapshot.config.greeting}! (version {snapshot.version})\n")


async def orders(request: Request) -> Response:
    """Take an order; config and pool are of one version, from the first line to the last."""
    snapshot = request.state.snapshot
    pool = snapshot[orders_pool]
    async with pool.connection() as connection:
        cursor = await connection.execute("INSERT INTO orders DEFAULT VALUES RETURNING id")
        row = await cursor.fetchone()
    return JSONResponse(
        {
            "order": row[0],
            "greeting": snapshot.config.greeting,
            "version": snapshot.version,
            "worker": os.getpid(),
            "pool": pool.name,
            "pool_size": pool.max_size,
            "wanted_size": snapshot.config.database.pool_size,
        }
    )


async def status(request: Request) -> Response:
    """Show what this worker runs on, and why it refused the last edit if it did."""
    report = {"worker": os.getpid(), "pools": pools, "reload": live.status()}
    return Response(msgspec.json.encode(report), media_type="application/json")


routes = [Route("/", home), Route("/orders", orders), Route("/status", status)]
app = ReloadCheckMiddleware(Starlette(routes=routes), live)
