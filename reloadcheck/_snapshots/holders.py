"""Who holds a snapshot: what to call a unit of work, and the ones that only their frames tell of.

A door's lease on its fast path is a local variable and leaves no other trace. So when a drain runs
out, and only then, the frames of the doors are looked for: in the threads, and in the tasks of the
home loop.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, CoroutineType, FrameType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from ..types import printable

if TYPE_CHECKING:
    import asyncio

__all__ = ["described", "door", "found"]

F = TypeVar("F", bound=Callable[..., Any])

LENGTH, NAME_LENGTH = 80, 200
"""How much is shown of what a client chose, and of what the application calls its own."""

_doors: set[CodeType] = set()


def door(function: F) -> F:
    """Take note of a door: its locals are `hold` and either `scope` or `environ`."""
    _doors.add(cast("Any", function).__code__)
    return function


def described(holder: object) -> str:
    """Name a unit of work: `GET /path` for a request, `function (file.py:12)` for code.

    What a client chose is shown escaped, and cut.
    """
    length = NAME_LENGTH
    if isinstance(holder, Mapping):
        known = cast("Mapping[str, object]", holder)
        method = known.get("method") or known.get("REQUEST_METHOD") or known.get("type", "")
        path = known.get("path", known.get("PATH_INFO", ""))
        holder, length = f"{method} {path}".strip(), LENGTH
    elif isinstance(holder, CodeType):
        file = holder.co_filename.rsplit("/", 1)[-1]
        holder = f"{holder.co_qualname} ({file}:{holder.co_firstlineno})"
    return printable(str(holder)[:length])


def found(hold: object, loop: asyncio.AbstractEventLoop | None) -> list[object]:
    """Give the scopes and environs of the requests whose frames hold it.

    Frames come and go while they are looked at; what cannot be seen is left out.
    """
    holders: dict[int, object] = {}
    for frame in _of_threads():
        if frame.f_code in _doors and frame.f_locals.get("hold") is hold:
            holder = frame.f_locals.get("scope") or frame.f_locals.get("environ")
            holders[id(holder)] = holder
    for coroutine in _of_tasks(loop):
        if coroutine.cr_code in _doors:
            # Not `f_locals`, which before Python 3.13 is kept with the frame and is a lease too.
            values = gc.get_referents(coroutine)
            if any(value is hold for value in values):
                holder = next((one for one in values if _is_scope(one)), None)
                holders[id(holder)] = holder
    return list(holders.values())


def _is_scope(value: object) -> bool:
    return isinstance(value, Mapping) and "type" in value


def _of_threads() -> Iterator[FrameType]:
    for top in sys._current_frames().values():  # pyright: ignore[reportPrivateUsage] - documented
        frame: FrameType | None = top
        while frame is not None:
            yield frame
            frame = frame.f_back


def _of_tasks(
    loop: asyncio.AbstractEventLoop | None,
) -> Iterator[CoroutineType[Any, Any, Any]]:
    if loop is None:
        return
    import asyncio

    for task in asyncio.all_tasks(loop):
        awaited: object = task.get_coro()
        while isinstance(awaited, CoroutineType):
            yield awaited
            awaited = awaited.cr_await
