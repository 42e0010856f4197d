"""An order service in a cluster: its settings are a ConfigMap, its credentials a Secret, both live.

Takes the paths that ``deployment.yaml`` mounts; elsewhere ORDERS_CONFIG and ORDERS_SECRETS name
others: ``uvicorn app:app``.
"""

import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from reloadcheck import DirectorySource, ReloadCheck
from reloadcheck.integrations.starlette import LiveState, ReloadCheckMiddleware


@dataclass(frozen=True)
class Database:
    """Host and size are the ConfigMap's, user and password the Secret's: one mapping, merged."""

    host: str
    pool_size: int
    user: str
    password: str


@dataclass(frozen=True)
class Settings:
    """The whole configuration."""

    greeting: str
    database: Database


logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
CONFIG = os.environ.get("ORDERS_CONFIG", "/etc/orders/config.yaml")
SECRETS = os.environ.get("ORDERS_SECRETS", "/run/secrets/orders")
live = ReloadCheck(CONFIG, DirectorySource(SECRETS), schema=Settings)


class Pool:
    """Stands for a pool of database connections."""

    def __init__(self, database: Database) -> None:
        self.user = database.user
        self.size = database.pool_size


@live.resource("database")
def orders(database: Database) -> Iterator[Pool]:
    """Build a pool with what both volumes say; see ``examples/resources`` for real ones."""
    yield Pool(database)


LiveRequest = Request[LiveState[Settings]]


async def home(request: LiveRequest) -> Response:
    """Greet as the ConfigMap says, with the pool that the Secret opens."""
    snapshot = request.state.snapshot
    pool = snapshot[orders]
    said = {"greeting": snapshot.config.greeting, "user": pool.user, "pool_size": pool.size}
    return JSONResponse({**said, "version": snapshot.version})


async def ready(request: LiveRequest) -> Response:
    """Answer the readiness probe.

    A rejected edit is no reason to take traffic away: what was good still serves. It belongs into
    an alert, with ``live.status()``.
    """
    return PlainTextResponse(f"serving version {request.state.snapshot.version}\n")


async def alive(_: Request) -> Response:
    """Answer the liveness probe, which knows nothing of the configuration.

    A restart would load the bad file that the running process has refused.
    """
    return PlainTextResponse("alive\n")


app = Starlette(
    routes=[Route("/", home), Route("/readyz", ready), Route("/livez", alive)],
    middleware=[Middleware(ReloadCheckMiddleware, live=live)],
)
