"""An order service on Django whose greeting, password and pool size change while it serves.

Run it with ``gunicorn django_orders:app --workers 2 --threads 8`` and edit ``orders.yaml``. A
PostgreSQL wants ``CREATE TABLE orders (id bigserial PRIMARY KEY)`` first. A site that is laid out
as Django does it, with its own database connections following the file, is in ``django_site``.
"""

import os
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import psycopg
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import path
from psycopg_pool import ConnectionPool

from reloadcheck import Snapshot
from reloadcheck.demo.sqlite import SyncSQLitePool  # stands in where there is no PostgreSQL
from reloadcheck.integrations import django


class Database(msgspec.Struct, frozen=True):
    """Where the orders are; a change rebuilds the pool."""

    url: str
    pool_size: int = 4


class Settings(msgspec.Struct, frozen=True):
    """The whole configuration; a file that does not fit it never reaches a request."""

    greeting: str
    database: Database


class Request(HttpRequest):
    """What a view gets from the middleware, typed."""

    config: Settings
    snapshot: Snapshot[Settings]


CONFIG = os.environ.get("ORDERS_CONFIG") or Path(__file__).with_name("orders.yaml")
settings.configure(
    ALLOWED_HOSTS=["127.0.0.1", "localhost"],
    ROOT_URLCONF=__name__,
    INSTALLED_APPS=["reloadcheck.integrations.django"],
    MIDDLEWARE=["reloadcheck.integrations.django.middleware.ReloadCheckMiddleware"],
    RELOAD_CHECK={"SOURCES": [CONFIG], "SCHEMA": Settings},
)
live = django.live
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


def home(request: Request) -> HttpResponse:
    """Greet as the file says now."""
    text = f"{request.config.greeting}! (version {request.snapshot.version})\n"
    return HttpResponse(text, content_type="text/plain")


def orders(request: Request) -> HttpResponse:
    """Take an order; config and pool are of one version, from the first line to the last."""
    pool = request.snapshot[orders_pool]
    with pool.connection() as connection:
        row = connection.execute("INSERT INTO orders DEFAULT VALUES RETURNING id").fetchone()
    return JsonResponse(
        {
            "order": row and row[0],
            "greeting": request.config.greeting,
            "version": request.snapshot.version,
            "worker": os.getpid(),
            "pool": pool.name,
            "pool_size": pool.max_size,
            "wanted_size": request.config.database.pool_size,
        }
    )


def status(request: Request) -> HttpResponse:
    """Show what this worker runs on, and why it refused the last edit if it did."""
    report = {"worker": os.getpid(), "pools": pools, "reload": live.status()}
    return HttpResponse(msgspec.json.encode(report), content_type="application/json")


urlpatterns = [path("", home), path("orders", orders), path("status", status)]
app = get_wsgi_application()
