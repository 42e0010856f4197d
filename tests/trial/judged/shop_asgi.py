"""The same for servers of ASGI, with a websocket that says which version it has."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs

from psycopg_pool import AsyncConnectionPool

from reloadcheck.asgi import ReloadCheckMiddleware

from .shop import BUILD_SECONDS, WAIT_SECONDS, address, ask_upstream, live, question, refuses


@live.resource("database")
async def pool(database: Any) -> AsyncIterator[AsyncConnectionPool]:
    """Hold connections to the database, of which one is known to work."""
    made: AsyncConnectionPool = AsyncConnectionPool(
        address(database), min_size=1, max_size=database.most, timeout=WAIT_SECONDS, open=False
    )
    async with made:
        await made.wait(BUILD_SECONDS)
        yield made


async def page(scope: Any, receive: Any, send: Any) -> None:
    """Answer with what the database says of the version; fail where the file says so."""
    if scope["type"] != "http":
        await (talk if scope["type"] == "websocket" else live_and_die)(scope, receive, send)
        return
    snapshot = scope["state"]["snapshot"]
    config = snapshot.config
    asked = parse_qs(scope["query_string"].decode())
    await asyncio.to_thread(ask_upstream, config)
    async with snapshot[pool].connection() as connection:
        seconds = float(asked.get("seconds", ["0"])[0])
        cursor = await connection.execute(*question(config.database, seconds))
        said = (await cursor.fetchone())[0].encode()
    if refuses(config):
        raise KeyError(config.number)
    headers = [(b"content-length", str(len(said)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": said})


async def live_and_die(scope: Any, receive: Any, send: Any) -> None:
    """Start and stop as a server wants it."""
    del scope
    while True:
        said = (await receive())["type"]
        await send({"type": f"{said}.complete"})
        if said == "lifespan.shutdown":
            return


async def talk(scope: Any, receive: Any, send: Any) -> None:
    """Answer each message of a websocket with the number of its version."""
    await receive()
    await send({"type": "websocket.accept"})
    while (await receive())["type"] == "websocket.receive":
        number = scope["state"]["snapshot"].config.number
        await send({"type": "websocket.send", "text": str(number)})


app = ReloadCheckMiddleware(page, live)
