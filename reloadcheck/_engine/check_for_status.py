"""Make a check because somebody looks at the status: what is told is then of this moment.

Waits for it a moment at most and holds no snapshot; where the engine is in trouble, or switched
off, or not started, what is known is told at once.
"""

from typing import Any, Final

from .._observe.status import ProbeStatus
from ..types import ProbeOutcome
from .engine import Engine
from .probes import Probes
from .thread import EngineThread
from .waiter import Waiter

LOOK: Final = 1.0
"""Seconds that somebody who looks waits for the check at most."""


def look(engine: Engine[Any]) -> None:
    """Make a check and wait for it, at most `LOOK` seconds."""
    thread = _asked(engine)
    if thread is not None:
        thread.admission.ask(eager=False).wait(LOOK)


async def look_async(engine: Engine[Any]) -> None:
    """Make a check and wait for it, at most `LOOK` seconds, off the event loop."""
    thread = _asked(engine)
    if thread is not None:
        await thread.admission.ask(prepare=Waiter.bind, eager=False).wait_async(LOOK)


def glance(engine: Engine[Any]) -> Probes | None:
    """Return what the probes came to within `LOOK` seconds; those that take longer go on."""
    thread = engine.thread
    if thread is None:
        return None
    try:
        return thread.probe().result(LOOK)
    except TimeoutError:
        return _running(engine)


async def glance_async(engine: Engine[Any]) -> Probes | None:
    """Do what `glance` does, without blocking the event loop."""
    thread = engine.thread
    if thread is None:
        return None
    import asyncio

    answer = asyncio.wrap_future(thread.probe())
    done, _ = await asyncio.wait([answer], timeout=LOOK)
    return answer.result() if done else _running(engine)


def _running(engine: Engine[Any]) -> Probes:
    return {
        one.name: ProbeStatus(ProbeOutcome.RUNNING)
        for one in engine.registry
        if one.probe is not None
    }


def _asked(engine: Engine[Any]) -> EngineThread[Any] | None:
    """Return whom to ask; None where a check would change nothing, or could not be waited for."""
    thread = engine.thread
    if thread is None or thread.closing or not engine.options.enabled:
        return None
    return thread
