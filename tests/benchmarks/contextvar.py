"""What a door cannot do without: the context variable and the request's state, as bare closures.

What each part costs when nothing else is done.
"""

import asyncio
import time
from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any

from reloadcheck._doors.protocols import ASGIApp, Receive, Scope, Send

from .contestants import NoOp
from .judging import Report, Row, ratio
from .request import answer, ask, receive, request_scope, send
from .rounds import Batch, Size, interleave

__all__ = ["run"]

variable: ContextVar[list[Any] | None] = ContextVar("variable", default=None)
CLOSURE = "no-op closure"
ANEW = "+ variable set anew and reset"
SAME_VALUE = "+ variable set to what it is, and reset"
SAME: list[Any] = [None, True, None]
_set, _reset = variable.set, variable.reset


def closure(app: ASGIApp) -> ASGIApp:
    """Do nothing, without a class."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        await app(scope, receive, send)

    return door


def setting_new(app: ASGIApp) -> ASGIApp:
    """Set the variable to a new list, and reset it."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        token = _set([None, True, None])
        try:
            await app(scope, receive, send)
        finally:
            _reset(token)

    return door


def setting_same(app: ASGIApp) -> ASGIApp:
    """Set the variable to the value that it has, and reset it."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        token = _set(SAME)
        try:
            await app(scope, receive, send)
        finally:
            _reset(token)

    return door


def writing(app: ASGIApp) -> ASGIApp:
    """Write two values into the request's state."""

    async def door(scope: Scope, receive: Receive, send: Send) -> None:
        state = scope["state"]
        state["config"] = None
        state["snapshot"] = None
        await app(scope, receive, send)

    return door


def run(size: Size) -> list[Report]:
    """Measure each beside the no-op class."""
    loop = asyncio.new_event_loop()
    batches = {
        "bare": _batch(loop, answer),
        "no-op class": _batch(loop, NoOp(answer)),
        "no-op class again": _batch(loop, NoOp(answer)),
        CLOSURE: _batch(loop, closure(answer)),
        "+ state written": _batch(loop, writing(answer)),
        ANEW: _batch(loop, setting_new(answer)),
        SAME_VALUE: _batch(loop, setting_same(answer), present=True),
    }
    try:
        found = interleave(batches, size)
    finally:
        loop.close()
    bare = found.pop("bare")
    added = {name: one.less(bare) for name, one in found.items()}
    reference = added["no-op class"]
    rows = [Row.of("bare", bare, "ns", 1e9)]
    rows += [Row.of(name, one, "ns", 1e9) for name, one in added.items()]
    notes = [f"{name}: {ratio(one, reference):.2f} × a no-op class" for name, one in added.items()]
    return [
        Report(
            "The parts of an ASGI door, as closures",
            tuple(rows),
            notes=tuple(notes),
            told=(_told({name: ratio(one, reference) for name, one in added.items()}),),
        )
    ]


def _told(ratios: Mapping[str, float]) -> str:
    closure = ratios[CLOSURE]
    return (
        f"A context variable costs {ratios[ANEW] - closure:.2f} × a no-op ASGI class when set to a "
        f"new value and reset, {ratios[SAME_VALUE] - closure:.2f} × when set to what it is already "
        f"(control {ratios['no-op class again']:.2f})."
    )


def _batch(loop: asyncio.AbstractEventLoop, app: ASGIApp, *, present: bool = False) -> Batch:
    """Make so many requests in the event loop; `present`: the variable has a value before."""

    async def batch(times: int) -> float:
        if present:
            _set(SAME)
        for _ in range(times // 10):
            await ask(app)
        begun = time.process_time()
        for _ in range(times):
            await app(request_scope(), receive, send)
        return time.process_time() - begun

    return lambda times: loop.run_until_complete(batch(times))
