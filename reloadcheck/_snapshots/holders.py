"""Who holds a snapshot: what to call a unit of work, and the ones that only their frames tell of.

A door's lease on its fast path is in its unit of work and leaves no other trace. So when a drain
takes long, and only then, the frames of the doors are looked for: in the threads, and in the tasks
of the home loop.
"""

from __future__ import annotations

import gc
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from types import CodeType, CoroutineType, FrameType
from typing import TYPE_CHECKING, Any, TypeVar, cast

from .._resources.instance import Instance
from ..types import printable
from .tenancy import LiveSnapshot
from .unit import LIFE, READS, Unit

if TYPE_CHECKING:
    import asyncio

__all__ = ["described", "door", "holders_of"]

F = TypeVar("F", bound=Callable[..., Any])

LENGTH, NAME_LENGTH = 80, 200
"""How much is shown of what a client chose, and of what the application calls its own."""

_doors: set[CodeType] = set()


def door(function: F) -> F:
    """Take note of a door: its locals are `unit` and either `scope` or `environ`."""
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


def holders_of(
    live_snapshot: LiveSnapshot[Any],
    instance: Instance,
    loop: asyncio.AbstractEventLoop | None,
) -> list[object]:
    """Return what the units of work on a snapshot are called by that may be using an instance."""
    hold, reference = live_snapshot.hold, instance.hold
    everybody = instance.resource.name in live_snapshot.snapshot.resources.read_by_others
    named = [
        lease.holder
        for lease in list(live_snapshot.held.values())
        if everybody or reference in lease.reads
    ]
    units = [*hold.known.copy().values(), *_found(hold, loop)]
    return named + [holder for holder, unit in units if everybody or reference in unit[READS:]]


def _found(hold: object, loop: asyncio.AbstractEventLoop | None) -> Iterator[tuple[object, Unit]]:
    """Return the scopes and environs of the requests whose frames hold it, and their units.

    Frames come and go while they are looked at; what cannot be seen is left out.
    """
    for frame in _of_threads():
        if frame.f_code in _doors:
            variables = frame.f_locals
            unit = variables.get("unit")
            if unit is not None and unit[LIFE] is hold:
                yield variables.get("scope") or variables.get("environ"), unit
    for coroutine in _of_tasks(loop):
        if coroutine.cr_code in _doors:
            # Not `f_locals`, which before Python 3.13 is kept with the frame.
            values = gc.get_referents(coroutine)
            units: list[Unit] = [one for one in values if isinstance(one, list)]
            for unit in units:
                if len(unit) >= READS and unit[LIFE] is hold:
                    yield next((one for one in values if _is_scope(one)), None), unit


def _is_scope(value: object) -> bool:
    return isinstance(value, Mapping) and "type" in value


def _of_threads() -> Iterator[FrameType]:
    """Go through the frames of the other threads.

    Not of this one, which runs no door: a frame that has itself among its locals is a cycle, and it
    keeps its callers', with all that these have found, until the garbage is collected.
    """
    frames: dict[int, FrameType] = sys._current_frames()  # pyright: ignore[reportPrivateUsage] - documented
    del frames[threading.get_ident()]
    while frames:
        frame: FrameType | None = frames.popitem()[1]
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
