"""One call of an ASGI app in this process, as a server would make it."""

import asyncio
from typing import Any

from reloadcheck._doors.protocols import ASGIApp, Message

__all__ = ["ask", "body", "scope"]


def scope(kind: str, path: str) -> dict[str, Any]:
    """Return a scope with what the specification requires."""
    common = {"type": kind, "asgi": {"version": "3.0"}, "path": path, "query_string": b""}
    return {**common, "http_version": "1.1", "method": "GET", "scheme": "http", "headers": []}


async def ask(app: ASGIApp, path: str = "/", kind: str = "http") -> list[Message]:
    """Make one request, or open one websocket, whose client says no more; give what was sent."""
    sent: list[Message] = []
    opening = [
        {"type": "http.request", "body": b"", "more_body": False}
        if kind == "http"
        else {"type": "websocket.connect"}
    ]

    async def receive() -> Message:
        if not opening:
            await asyncio.Event().wait()
        return opening.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    await app(scope(kind, path), receive, send)
    return sent


def body(sent: list[Message]) -> bytes:
    """Return the body of a response."""
    return b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
