"""The status of an engine, and what its probes say, as whoever holds the engine asks for them.

The engine thread's own part of a status is collected by `collect`, its probes are called by
`probes`.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from .waiter import LAST_RESORT, LONGEST
from .whole_modules import whole_modules

if TYPE_CHECKING:
    from .._observe.status import Status
    from .engine import Engine
    from .probes import Probes


def observed(engine: Engine[Any], probes: Probes | None) -> Status:
    """Return the state of the engine in this process."""
    with whole_modules():
        from .._observe.status import Status

    thread = engine.thread
    if thread is None:
        return Status(state="idle", enabled=engine.options.enabled, remarks=engine.remarks)
    from .collect import observe

    with suppress(RuntimeError):  # there is no thread to be had, which is told
        thread.ensure()
    status = observe(thread, engine.registry, engine.options, probes)
    store = None if engine.companion is None else engine.companion.status()
    gate = engine.trial
    trial, last = (None, None) if gate is None else (gate.status(), gate.latest())
    remarks = (*engine.remarks, *status.remarks)
    code = status.code
    if code is None and store is not None and status.error is None:
        code = store.order  # an edit's own is never hidden by it
    return replace(status, code=code, remarks=remarks, store=store, trial=trial, last_trial=last)


def probed(engine: Engine[Any]) -> Probes:
    """Call the probes and return what they came to; blocks."""
    thread = engine.thread
    if thread is None:
        return {}
    engine.refuse_inside(thread, "live.status(probe=True)")
    try:
        return thread.probe().result(_longest_probe(engine))
    except TimeoutError:
        return {}


async def probed_async(engine: Engine[Any]) -> Probes:
    """Call the probes and return what they came to."""
    thread = engine.thread
    if thread is None:
        return {}
    engine.refuse_inside(thread, "live.astatus(probe=True)")
    import asyncio

    try:
        return await asyncio.wait_for(asyncio.wrap_future(thread.probe()), _longest_probe(engine))
    except TimeoutError:
        return {}


def _longest_probe(engine: Engine[Any]) -> float:
    """Return the seconds, on the real clock, after which no answer comes any more."""
    longest = max((one.timeout for one in engine.registry), default=0.0)
    return min(2 * longest + LAST_RESORT, LONGEST)
