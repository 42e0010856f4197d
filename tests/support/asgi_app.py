"""The ASGI app that real servers run: `uvicorn tests.support.asgi_app:app`.

`/` tells the facts of the request's snapshot, `/stream` tells them again and again until the file
named by `gate` exists, the websocket `/ws` at each message; `/process` tells what the process
holds.
"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.requests import HTTPConnection, Request
from starlette.responses import JSONResponse, Response, StreamingResponse
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket, WebSocketDisconnect

from reloadcheck import FrozenDict, Snapshot
from reloadcheck.asgi import ReloadCheckMiddleware

from . import stock

live, pool = stock.engine()


async def show(request: Request) -> Response:
    """Return the facts; `again` is what the request sees once others have had their turn."""
    first = _facts(request)
    for _ in range(3):
        await asyncio.sleep(0)
    return JSONResponse({**first, "again": live.current().config["number"]})


async def stream(request: Request) -> Response:
    """Return the facts in a line each, until the gate is there."""
    gate = Path(request.query_params["gate"])

    async def lines() -> AsyncIterator[str]:
        open_for_good = False
        while not open_for_good:
            open_for_good = gate.exists()
            yield json.dumps(_facts(request)) + "\n"
            await asyncio.sleep(0.02)

    return StreamingResponse(lines())


async def talk(websocket: WebSocket) -> None:
    """Return the facts in answer to each message, and first of all."""
    await websocket.accept()
    with contextlib.suppress(WebSocketDisconnect):
        while True:
            await websocket.send_text(json.dumps(_facts(websocket)))
            await websocket.receive_text()


async def process(_: Request) -> Response:
    """Return what this process holds."""
    return JSONResponse(stock.process(live))


def _facts(request: HTTPConnection) -> dict[str, Any]:
    snapshot: Snapshot[FrozenDict] = request.state.snapshot
    facts = stock.facts(snapshot, pool)
    return {**facts, "number": request.state.config.number}


app = ReloadCheckMiddleware(
    Starlette(
        routes=[
            Route("/", show),
            Route("/stream", stream),
            Route("/process", process),
            WebSocketRoute("/ws", talk),
        ]
    ),
    live,
)
