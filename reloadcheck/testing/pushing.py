"""Push an edit and wait until it is live, or until it is known that it will not be."""

import asyncio
import threading
from collections.abc import Mapping
from typing import Any

from .._engine.api import ReloadCheck, engine_of
from ..exceptions import OptionError
from ..types import Outcome
from .clock import FakeClock
from .memory import MemorySource

__all__ = ["apush", "push"]

STEP = 0.01
"""Seconds by which a fake clock is let pass at a time while somebody waits on it."""


def push(
    live: ReloadCheck[Any],
    source: MemorySource,
    content: str | bytes | Mapping[str, Any],
    *,
    clock: FakeClock | None = None,
) -> Outcome:
    """Edit the source and wait for what comes of it, at most the engine's `patience`; blocks.

    `reloaded`: it is live. `rejected`: it is not, and `live.status().error` says why. `deferred`:
    not yet. `unchanged`: it means the same as before. Starts the engine if need be. With `clock`,
    on which the engine runs, time is let pass until there is an answer: for a source whose edits
    have to settle.
    """
    _refuse_strange(live, source)
    before = _version(live)
    source.edit(content)
    outcome = _checked(live, clock)
    if outcome in (Outcome.RELOADED, Outcome.UNCHANGED) and _version(live) != before:
        _checked(live, clock)  # the check that follows each reload
        return Outcome.RELOADED
    return outcome


async def apush(
    live: ReloadCheck[Any],
    source: MemorySource,
    content: str | bytes | Mapping[str, Any],
    *,
    clock: FakeClock | None = None,
) -> Outcome:
    """Do what `push` does, without blocking the event loop."""
    _refuse_strange(live, source)
    before = _version(live)
    source.edit(content)
    outcome = await _checked_async(live, clock)
    if outcome in (Outcome.RELOADED, Outcome.UNCHANGED) and _version(live) != before:
        await _checked_async(live, clock)
        return Outcome.RELOADED
    return outcome


def _refuse_strange(live: ReloadCheck[Any], source: MemorySource) -> None:
    """Say so when the source is another engine's: its edit would never arrive."""
    sources = engine_of(live).sources
    if not any(one is source for one in sources):
        names = ", ".join(one.name for one in sources)
        raise OptionError(
            f"the engine does not read this source {source.name}; it reads {names}. Push to the "
            "source that the engine was made with, or use `with live.override({…})`"
        )


def _version(live: ReloadCheck[Any]) -> int | None:
    return live.status().version


def _checked(live: ReloadCheck[Any], clock: FakeClock | None) -> Outcome:
    if clock is None:
        return live.check()
    stop = threading.Event()

    def pass_time() -> None:
        while not stop.wait(0.001):
            clock.advance(STEP)

    passing = threading.Thread(target=pass_time, name="time", daemon=True)
    passing.start()
    try:
        return live.check()
    finally:
        stop.set()
        passing.join()


async def _checked_async(live: ReloadCheck[Any], clock: FakeClock | None) -> Outcome:
    checking = asyncio.ensure_future(live.acheck())
    while clock is not None and not checking.done():
        clock.advance(STEP)
        await asyncio.wait([checking], timeout=0.001)
    return await checking
