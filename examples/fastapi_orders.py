"""An order service on FastAPI whose greeting, password and pool size change while it serves.

Run it with ``uvicorn fastapi_orders:app --workers 2`` and edit ``orders.yaml``. A PostgreSQL wants
``CREATE TABLE orders (id bigserial PRIMARY KEY)`` first.
"""

import os
from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import psycopg
from fastapi import Depends, FastAPI
from fastapi.responses import PlainTextResponse
from psycopg_pool import AsyncConnectionPool
from pydantic import BaseModel

from reloadcheck import ReloadCheck
from reloadcheck.demo.sqlite import SQLitePool  # stands in where there is no PostgreSQL
from reloadcheck.integrations.fastapi import ReloadCheckMiddleware, config_of, resource_of


class Database(BaseModel, frozen=True):
    """Where the orders are; a change rebuilds the pool."""

    url: str
    pool_size: int = 4


class Settings(BaseModel, frozen=True):
    """The whole configuration; a file that does not fit it never reaches a request."""

    greeting: str
    database: Database


CONFIG = os.environ.get("ORDERS_CONFIG") or Path(__file__).with_name("orders.yaml")
live = ReloadCheck(CONFIG, schema=Settings)
pools = Counter(built=0, closed=0)
AnyPool = AsyncConnectionPool | SQLitePool


async def answers(pool: AnyPool) -> None:
    """Try a new pool before any request gets it."""
    async with pool.connection() as connection:
        await connection.execute("SELECT 1")


@live.resource("database", probe=answers)
async def orders_pool(database: Database) -> AsyncIterator[AnyPool]:
    """Build a pool beside the old one; what follows the yield runs once nobody uses it."""
    async with await new_pool(database) as pool:
        pools["built"] += 1
        yield pool
    pools["closed"] += 1


async def new_pool(database: Database) -> AnyPool:
    """Prepare a pool; one connection first, because it says at once what is wrong."""
    size = database.pool_size
    if database.url.startswith("sqlite:"):
        return SQLitePool(database.url, max_size=size)
    async with await psycopg.AsyncConnection.connect(database.url, connect_timeout=5):
        return AsyncConnectionPool(database.url, min_size=size, max_size=size, open=False)


app = FastAPI()
app.add_middleware(ReloadCheckMiddleware, live=live)


@app.get("/", response_class=PlainTextResponse)
def home(config: Annotated[Settings, Depends(config_of(live))]) -> str:
    """Greet as the file says now."""
    return f"{config.greeting}! (version {live.current().version})\n"


@app.get("/orders")
async def orders(
    config: Annotated[Settings, Depends(config_of(live))],
    pool: Annotated[AnyPool, Depends(resource_of(orders_pool))],
) -> dict[str, Any]:
    """Take an order; config and pool are of one version, from the first line to the last."""
    async with pool.connection() as connection:
        cursor = await connection.execute("INSERT INTO orders DEFAULT VALUES RETURNING id")
        row = await cursor.fetchone()
    return {
        "order": row and row[0],
        "greeting": config.greeting,
        "version": live.current().version,
        "worker": os.getpid(),
        "pool": pool.name,
        "pool_size": pool.max_size,
        "wanted_size": config.database.pool_size,
    }


@app.get("/status")
def status() -> dict[str, Any]:
    """Show what this worker runs on, and why it refused the last edit if it did."""
    return {"worker": os.getpid(), "pools": pools, "reload": live.status()}
