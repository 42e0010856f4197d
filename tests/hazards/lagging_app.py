"""The app of the load test: answers from the live configuration, and watches its own loop.

`/` answers; `/hold` tells the longest hold of the loop since it was asked last, and the version.
"""

import asyncio
import os
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from reloadcheck import ReloadCheck
from reloadcheck.asgi import ReloadCheckMiddleware

live = ReloadCheck(os.environ["LAG_CONFIG"])
longest = [0.0]


async def tick() -> None:
    """Note how long a turn is held by this process's own work, by its CPU clock."""
    last, cpu = time.perf_counter(), time.process_time()
    while True:
        await asyncio.sleep(0.001)
        now, used = time.perf_counter(), time.process_time()
        longest[0] = max(longest[0], min(now - last - 0.001, used - cpu))
        last, cpu = now, used


@asynccontextmanager
async def watched(_: Starlette) -> AsyncGenerator[None]:
    """Watch the loop as long as the app lives."""
    task = asyncio.create_task(tick())
    yield
    task.cancel()


async def show(request: Request) -> Response:
    """Answer with one value of the configuration."""
    return PlainTextResponse(request.state.config.part1.name)


async def hold(request: Request) -> Response:
    """Return and forget the longest hold."""
    told, longest[0] = longest[0], 0.0
    return JSONResponse({"hold": told, "version": request.state.snapshot.version})


app = ReloadCheckMiddleware(
    Starlette(routes=[Route("/", show), Route("/hold", hold)], lifespan=watched), live
)
