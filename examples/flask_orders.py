"""An order service on Flask whose greeting, password and pool size change while it serves.

Run it with ``gunicorn flask_orders:app --workers 2 --threads 8`` and edit ``orders.yaml``. A
PostgreSQL wants ``CREATE TABLE orders (id bigserial PRIMARY KEY)`` first.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import psycopg
from flask import Flask, Response
from psycopg_pool import ConnectionPool

from reloadcheck import ReloadCheck
from reloadcheck.demo.sqlite import SyncSQLitePool  # stands in where there is no PostgreSQL
from reloadcheck.integrations.flask import FlaskReloadCheck, config_of, resource_of


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
AnyPool = ConnectionPool | SyncSQLitePool


def answers(pool: AnyPool) -> None:
    """Try a new pool before any request gets it."""
    with pool.connection() as connection:
        connection.execute("SELECT 1")


@live.resource("database", probe=answers)
def orders_pool(database: Database) -> Iterator[AnyPool]:
    """Build a pool beside the old one; what follows the yield runs once nobody uses it."""
    with new_pool(database) as pool:
        pools["built"] += 1
        yield pool
    pools["closed"] += 1


def new_pool(database: Database) -> AnyPool:
    """Prepare a pool; one connection first, because it says at once what is wrong."""
    size = database.pool_size
    if database.url.startswith("sqlite:"):
        return SyncSQLitePool(database.url, max_size=size)
    psycopg.connect(database.url, connect_timeout=5).close()
    return ConnectionPool(database.url, min_size=size, max_size=size, open=False)


app = Flask(__name__)
FlaskReloadCheck(live, app)
config = config_of(live)
pool = resource_of(orders_pool)


@app.get("/")
def home() -> Response:
    """Greet as the file says now."""
    text = f"{config.greeting}! (version {live.current().version})\n"
    return Response(text, mimetype="text/plain")


@app.get("/orders")
def orders() -> dict[str, Any]:
    """Take an order; config and pool are of one version, from the first line to the last."""
    with pool.connection() as connection:
        row = connection.execute("INSERT INTO orders DEFAULT VALUES RETURNING id").fetchone()
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
def status() -> Response:
    """Show what this worker runs on, and why it refused the last edit if it did."""
    report = {"worker": os.getpid(), "pools": pools, "reload": live.status()}
    return Response(msgspec.json.encode(report), mimetype="application/json")
