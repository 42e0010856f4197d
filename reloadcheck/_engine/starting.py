"""Starts and closes, as applications call them: what each does in order, undone on failure.

Takes an engine, gives it running or raises why it is not. What was not started is not left running:
a start that fails, is cancelled or interrupted takes itself back, and closes what nobody else uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .._runtime.event_loops import in_thread, running_loop, wake
from ..exceptions import NoSnapshotError
from .waiter import Waiter

if TYPE_CHECKING:
    from .engine import Engine
    from .thread import EngineThread


def start(engine: Engine[Any]) -> None:
    """Load and build for the first time; blocks."""
    engine.refuse_to_block("live.start()", "await live.astart()")
    here = engine.in_process
    ticket = here.begin()
    try:
        while here.holds(ticket):
            thread = engine.running()
            if thread.serving.current is not None or not here.holds(ticket):
                break
            engine.refuse_inside(thread, "live.start()")
            waiter = thread.admission.ask(through_build=True)
            conclusion = waiter.wait()
            if not here.holds(ticket):
                break
            if not here.goes_on(thread, conclusion):
                engine.loaded(thread, conclusion)
                break
        _complete(engine, ticket)
    except BaseException:
        left = engine.give_up(ticket)
        if left is not None:
            left.join()
        raise


async def astart(engine: Engine[Any]) -> None:
    """Do what `start` does without blocking the event loop, which becomes the home loop."""
    if running_loop() is None:
        engine.note_library()
        await in_thread(lambda: start(engine))
        return
    here = engine.in_process
    ticket = here.begin()
    try:
        while here.holds(ticket):
            thread = engine.running()
            waiter = engine.meet(thread, through_build=True)
            if waiter is None and thread.serving.current is None:
                waiter = thread.admission.ask(through_build=True, prepare=Waiter.bind)
            if waiter is None:
                break
            engine.refuse_inside(thread, "live.astart()")
            conclusion = await waiter.wait_async()
            if not here.holds(ticket):
                break
            if not here.goes_on(thread, conclusion):
                engine.loaded(thread, conclusion)
                break
        _complete(engine, ticket)
    except BaseException:
        left = engine.give_up(ticket)
        if left is not None:
            await _ended(left)
        raise


def _complete(engine: Engine[Any], ticket: Any) -> None:
    if not engine.in_process.complete(ticket):
        raise NoSnapshotError("live.close() was called before the start was through")


def close(engine: Engine[Any]) -> None:
    """Undo one start; with the last, drain and close everything; blocks."""
    engine.refuse_to_block("live.close()", "await live.aclose()")
    thread = engine.stop()
    if thread is not None:
        thread.join()


async def aclose(engine: Engine[Any]) -> None:
    """Do what `close` does without blocking the event loop."""
    if running_loop() is None:
        await in_thread(lambda: close(engine))
        return
    thread = engine.stop()
    if thread is not None:
        await _ended(thread)


async def _ended(thread: EngineThread[Any]) -> None:
    """Wait until all is closed and the thread has ended."""
    import asyncio

    thread.ensure()
    loop = asyncio.get_running_loop()
    ended = loop.create_future()
    thread.on_end(lambda: loop.call_soon_threadsafe(wake, ended))
    await ended
    while thread.lives:  # it is on its last line; a join would hold the loop
        await asyncio.sleep(0.001)
