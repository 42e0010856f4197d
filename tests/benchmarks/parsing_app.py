"""What applications do by themselves: look at the file every 100 ms, and parse it when it changed.

`PARSING` says where: `inline` in the event loop, or in a `thread`. `/` answers; `/hold` tells the
longest hold of the loop since it was asked last, and how often the file was parsed.
"""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import yaml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from tests.hazards.lagging_app import longest, tick

PATH = Path(os.environ["LAG_CONFIG"])
IN_THREAD = os.environ["PARSING"] == "thread"

config: dict[str, Any] = {}
versions = [0]


def parse() -> dict[str, Any]:
    """Parse with the fast loader."""
    tree: dict[str, Any] = yaml.load(PATH.read_bytes(), Loader=yaml.CSafeLoader)
    return tree


async def follow() -> None:
    """Look, and parse what changed."""
    seen: tuple[int, int] | None = None
    while True:
        status = PATH.stat()
        stamp = status.st_mtime_ns, status.st_ino
        if stamp != seen:
            seen = stamp
            tree = await asyncio.to_thread(parse) if IN_THREAD else parse()
            config.clear()
            config.update(tree)
            versions[0] += 1
        await asyncio.sleep(0.1)


@asynccontextmanager
async def watched(_: Starlette) -> AsyncGenerator[None]:
    """Follow the file and watch the loop as long as the app lives."""
    config.update(parse())
    tasks = [asyncio.create_task(tick()), asyncio.create_task(follow())]
    yield
    for task in tasks:
        task.cancel()


async def show(_: Request) -> Response:
    """Answer with one value of the configuration."""
    return PlainTextResponse(config["part1"]["name"])


async def hold(_: Request) -> Response:
    """Return and forget the longest hold."""
    told, longest[0] = longest[0], 0.0
    return JSONResponse({"hold": told, "version": versions[0]})


app = Starlette(routes=[Route("/", show), Route("/hold", hold)], lifespan=watched)
