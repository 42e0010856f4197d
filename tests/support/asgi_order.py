"""A checker of ASGI manners, to be put around an app or between two: `checked(app)`.

Raises `OrderError` when the app sends, or the server delivers, what the ASGI specification does not
allow at that point. It changes nothing and keeps no message.
"""

from collections.abc import Iterator
from typing import Any

from reloadcheck._doors.protocols import ASGIApp, Message, Receive, Scope, Send

__all__ = ["OrderError", "checked"]

Track = dict[str, dict[str, str]]
"""From a state and a message's type to the next state."""

_RESPONSE = {"start": {"body": "end", "body+": "body"}, "body": {"body": "end", "body+": "body"}}

SENT: dict[str, Track] = {
    "http": {"": {"http.response.start": "start"}, **_RESPONSE},
    "websocket": {
        "": {
            "websocket.accept": "open",
            "websocket.close": "end",
            "websocket.http.response.start": "start",
        },
        "open": {"websocket.send": "open", "websocket.close": "end"},
        **_RESPONSE,
    },
    "lifespan": {
        "": {"lifespan.startup.complete": "up", "lifespan.startup.failed": "end"},
        "up": {"lifespan.shutdown.complete": "end", "lifespan.shutdown.failed": "end"},
    },
}
RECEIVED: dict[str, Track] = {
    "http": {
        "": {"http.request": "sent", "http.request+": "", "http.disconnect": "end"},
        "sent": {"http.disconnect": "end"},
        "end": {"http.disconnect": "end"},
    },
    "websocket": {
        "": {"websocket.connect": "open"},
        "open": {"websocket.receive": "open", "websocket.disconnect": "end"},
        "end": {"websocket.disconnect": "end"},
    },
    "lifespan": {"": {"lifespan.startup": "up"}, "up": {"lifespan.shutdown": "end"}},
}


class OrderError(AssertionError):
    """A message came where the specification does not allow it, or in a shape that it does not."""


def checked(app: ASGIApp) -> ASGIApp:
    """Put the checker around an app."""

    async def checking(scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        received, sent = _Step(RECEIVED[kind], "delivered"), _Step(SENT[kind], "sent")

        async def receive_checked() -> Message:
            message = await receive()
            received.take(message)
            return message

        async def send_checked(message: Message) -> None:
            sent.take(message)
            await send(message)

        await app(scope, receive_checked, send_checked)

    return checking


class _Step:
    """Where one direction of one connection is."""

    def __init__(self, track: Track, verb: str) -> None:
        self._track = track
        self._verb = verb
        self._state = ""

    def take(self, message: Message) -> None:
        following = self._track.get(self._state, {})
        name = _name(message)
        if name not in following:
            raise OrderError(f"{name!r} was {self._verb}; allowed was one of {sorted(following)}")
        self._state = following[name]
        for problem in _shape(message):
            raise OrderError(f"{name!r} was {self._verb} with {problem}")


def _name(message: Message) -> str:
    kind: str = message["type"]
    if kind.endswith("http.response.body"):
        kind = "body"
    return kind + "+" if message.get("more_body", False) else kind


def _shape(message: Message) -> Iterator[str]:
    status: Any = message.get("status", 200)
    if type(status) is not int or not 100 <= status < 600:
        yield f"status {status!r}"
    if not isinstance(message.get("body", b""), bytes):
        yield "a body that is not bytes"
    for header in message.get("headers", ()):
        name, value = header
        if not isinstance(name, bytes) or not isinstance(value, bytes) or name != name.lower():
            yield f"header {name!r}"
