"""The app on a file system that fails: answers from the live configuration, and watches its loop.

`/` answers with the number; `/seen` tells the longest time that the loop was held up since it was
asked last, the threads of the package, and what the status says.
"""

import asyncio
import os
import threading
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from reloadcheck import ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware

TICK = 0.001
PATH = os.environ["FAULT_PATH"]
live = ReloadCheck(PATH, window=0.1, settle=0.1, patience=0.4, verify=None)
longest = [0.0]


def queued() -> float:
    """Return how many seconds this thread has waited for a processor that others were using."""
    with open(f"/proc/self/task/{threading.get_native_id()}/schedstat") as file:
        return int(file.read().split()[1]) / 1e9


async def watch() -> None:
    """Note the longest time between two turns that is not the machine's other work."""
    last, waited = time.perf_counter(), queued()
    while True:
        await asyncio.sleep(TICK)
        now, so_far = time.perf_counter(), queued()
        longest[0] = max(longest[0], now - last - TICK - (so_far - waited))
        last, waited = now, so_far


@asynccontextmanager
async def watched(_: Starlette) -> AsyncGenerator[None]:
    """Watch the loop as long as the app lives."""
    task = asyncio.create_task(watch())
    yield
    task.cancel()


async def show(request: Request) -> Response:
    """Answer with the number, whose two places must agree."""
    config = request.state.config
    return PlainTextResponse(str(config.number if config.number == config.end else "torn"))


async def seen(_: Request) -> Response:
    """Tell, and forget the longest hold."""
    told, longest[0] = longest[0], 0.0
    ours = [one.name for one in threading.enumerate() if one.name.startswith("reloadcheck")]
    return JSONResponse({"hold": told, "threads": ours, "error": live.status().error})


app = ReloadCheckMiddleware(
    Starlette(routes=[Route("/", show), Route("/seen", seen)], lifespan=watched), live
)
