"""The shop behind its contract, for tests that start servers: a pool of PostgreSQL and a clock.

The wall clock is what the file `now` says, so that a test can open a window, and the monotonic one
is as far ahead of the machine's as `ahead` says, so that it can end a trial.
"""

import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg_pool
from pydantic import BaseModel, ConfigDict

from reloadcheck import ReloadCheck
from reloadcheck._runtime.clock import SystemClock
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiMiddleware
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiMiddleware

PLACE = Path(os.environ["CONTRACTED"])
TOKEN = "t0k3n-of-the-test"


class Clock(SystemClock):
    """The machine's clock, save for the time of day and what the test lets pass."""

    def monotonic(self) -> float:
        """Return the machine's, and what the test has let pass."""
        return super().monotonic() + float((PLACE / "ahead").read_text())

    def wall(self) -> float:
        """Return what the test's file says, and what has passed since it was written."""
        file = PLACE / "now"
        return float(file.read_text()) + time.time() - file.stat().st_mtime


class Frozen(BaseModel):
    """What cannot be changed."""

    model_config = ConfigDict(frozen=True)


class Server(Frozen):
    """Where it listens, so to speak."""

    bind: str


class Database(Frozen):
    """Where the pool leads, and how large it is."""

    url: str | None
    pool_max: int
    pool_min: int | None = None


class Payment(Frozen):
    """Whom it asks for money."""

    timeout: float
    api_key: str


class Http(Frozen):
    """How long it waits."""

    timeout: float


class Log(Frozen):
    """What it writes."""

    level: str


class Settings(Frozen):
    """All of it."""

    server: Server
    database: Database
    payment: Payment
    http: Http
    log: Log
    flags: dict[str, bool] = {}


live = ReloadCheck(
    PLACE / "config.yaml",
    schema=Settings,
    contract=PLACE / "contract.yaml",
    environment="production",
    trial=True,
    store=PLACE / "store.db",
    app="shop",
    window=0.2,
    settle=0.05,
    clock=Clock(),
)


@live.resource("database")
def pool(database: Database) -> Iterator[Any]:
    """Build a pool of connections, whose size is the edit."""
    with psycopg_pool.ConnectionPool(
        str(database.url), min_size=1, max_size=database.pool_max, open=True, timeout=10
    ) as made:
        made.wait(10)
        yield made


def _answer(path: str, snapshot: Any) -> tuple[int, bytes]:
    """Say what is served; some configurations break a page, fail, or cost a payment."""
    config: Settings = snapshot.config
    with snapshot[pool].connection() as connection:
        (one,) = connection.execute("select 1").fetchone()
    broken = config.flags.get("broken", False) and path == "/products"
    failing = config.flags.get("failing", False) and path == "/"
    if path == "/" and config.payment.timeout < 1:
        live.mark("payment-failed")
    said = {
        "pid": os.getpid(),
        "one": one,
        "pool": snapshot[pool].max_size,
        "bind": config.server.bind,
        "pool_max": config.database.pool_max,
        "timeout": config.payment.timeout,
        "key": len(config.payment.api_key),
        "http": config.http.timeout,
        "level": config.log.level,
        "flags": dict(config.flags),
    }
    return 500 if broken or failing else 200, json.dumps(said).encode()


def site(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with what serves."""
    status, body = _answer(environ["PATH_INFO"], environ["reloadcheck.snapshot"])
    words = "200 OK" if status == 200 else "500 Broken"
    start_response(words, [("Content-Length", str(len(body)))])
    return [body]


async def asgi_site(scope: Any, receive: Any, send: Any) -> None:
    """Do the same for ASGI."""
    if scope["type"] == "http":
        status, body = _answer(scope["path"], scope["state"]["snapshot"])
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": body})


wsgi = WsgiMiddleware(site, live, status_path="/status", status_token=TOKEN)
asgi = AsgiMiddleware(asgi_site, live, status_path="/status", status_token=TOKEN)
