"""Event loops: the one that runs, ways to wake who waits in one, and to wait outside of asyncio's.

Imports neither asyncio nor anyio before they are needed: where nobody has imported asyncio, no loop
of it runs, and a WSGI application never needs one.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


def running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if one does."""
    ask = getattr(sys.modules.get("asyncio.events"), "_get_running_loop", None)
    loop: asyncio.AbstractEventLoop | None = None if ask is None else ask()
    return loop


def other_library() -> str | None:
    """Name the async library, not asyncio, that the calling code runs under, if it is known."""
    trio = sys.modules.get("trio")
    if trio is not None and trio.lowlevel.in_trio_run():
        return "trio"
    return None


def wake(future: asyncio.Future[None]) -> None:
    """Let the one who awaits it go on, should it not have been cancelled; in the future's loop."""
    if not future.done():
        future.set_result(None)


async def in_thread(function: Callable[[], T]) -> T:
    """Wait in a thread for what blocks, in event loops other than asyncio's (trio)."""
    import anyio.to_thread

    return await anyio.to_thread.run_sync(function)
