"""An application behind a contract, for tests that start servers: a pool of PostgreSQL and a clock.

The wall clock is what a file says, so that a test can open a window; the monotonic one is the real.
"""

import os
import time
from pathlib import Path
from typing import Any

import psycopg_pool

from reloadcheck import FileReferences, ReloadCheck
from reloadcheck._runtime.clock import SystemClock
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiMiddleware
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiMiddleware

PLACE = Path(os.environ["CONTRACTED"])
TOKEN = "t0k3n-of-the-test"


class Clock(SystemClock):
    """The machine's clock, save for the time of day."""

    def wall(self) -> float:
        """Return what the test's file says, and what has passed since it was written."""
        file = PLACE / "now"
        return float(file.read_text()) + time.time() - file.stat().st_mtime


live = ReloadCheck(
    PLACE / "config.yaml",
    contract=PLACE / "contract.yaml",
    environment="production",
    references=[FileReferences(PLACE / "secrets")],
    store=PLACE / "store.db",
    app="shop",
    window=0.2,
    settle=0.05,
    clock=Clock(),
)


@live.resource("database")
def pool(database: Any) -> Any:
    """Build a pool of connections, whose size is the edit."""
    with psycopg_pool.ConnectionPool(
        database["url"], min_size=1, max_size=database["pool_max"], open=True, timeout=10
    ) as made:
        made.wait(10)
        yield made


def _body(snapshot: Any) -> bytes:
    config = snapshot.config
    with snapshot[pool].connection() as connection:
        (one,) = connection.execute("select 1").fetchone()
    return f"{config.database.pool_max} {config.server.bind} {config.log.level} {one}".encode()


def site(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """Answer with what serves."""
    body = _body(environ["reloadcheck.snapshot"])
    start_response("200 OK", [("Content-Length", str(len(body)))])
    return [body]


async def asgi_site(scope: Any, receive: Any, send: Any) -> None:
    """Do the same for ASGI."""
    if scope["type"] == "http":
        body = _body(scope["state"]["snapshot"])
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})


wsgi = WsgiMiddleware(site, live, status_path="/status", status_token=TOKEN)
asgi = AsgiMiddleware(asgi_site, live, status_path="/status", status_token=TOKEN)
