"""The least doors: what any door does that pins a snapshot to a request and lets code find it.

It reads the present snapshot, looks whether it is inside another door, writes the request's state,
sets a context variable and resets it.
"""

from collections.abc import Generator, Iterable
from contextvars import ContextVar, Token
from types import GeneratorType, SimpleNamespace
from typing import Any

from reloadcheck._doors.protocols import (
    ASGIApp,
    Environ,
    Receive,
    Scope,
    Send,
    StartResponse,
    WSGIApp,
)

__all__ = ["least", "least_stream", "least_wsgi"]

_present = SimpleNamespace(snapshot=object())
_around: ContextVar[object] = ContextVar("around", default=None)
_inside, _set, _reset = _around.get, _around.set, _around.reset


def least(app: ASGIApp) -> ASGIApp:
    """Do the least that a door can, for requests."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        snapshot = _present.snapshot
        if snapshot is None or scope["type"] != "http" or _inside() is not None:
            raise NotImplementedError
        state = scope["state"]
        state["config"] = None
        state["snapshot"] = snapshot
        token = _set(snapshot)
        try:
            await app(scope, receive, send)
        finally:
            _reset(token)

    return door


def least_wsgi(app: WSGIApp) -> WSGIApp:
    """Do the least that a door can, for lists."""

    def door(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        snapshot = _present.snapshot
        if snapshot is None or _inside() is not None:
            raise NotImplementedError
        environ["config"] = None
        environ["snapshot"] = snapshot
        token = _set(snapshot)
        try:
            body = app(environ, start_response)
            kind = type(body)
            if kind is not list:
                raise NotImplementedError
            return body
        finally:
            _reset(token)

    return door


def least_stream(app: WSGIApp) -> WSGIApp:
    """Do the least that a door can, for generators: a generator that has begun, and so ends.

    A class of ours whose `__next__` asks the application's costs twice as much.
    """

    def door(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        snapshot = _present.snapshot
        if snapshot is None or _inside() is not None:
            raise NotImplementedError
        environ["config"] = None
        environ["snapshot"] = snapshot
        token = _set(snapshot)
        body = app(environ, start_response)
        kind = type(body)
        if kind is not GeneratorType:
            raise NotImplementedError
        stream = _to_its_end(body, token)
        next(stream)
        return stream

    return door


def _to_its_end(body: Any, token: Token[object]) -> Generator[bytes]:
    try:
        yield b""
        yield from body
    finally:
        _reset(token)
