"""Say what an engine has left open: leases, instances, threads."""

import threading
import time
from collections.abc import Iterator
from typing import Any

from .._engine.api import ReloadCheck, engine_of

__all__ = ["assert_all_closed"]

MOMENT = 2.0
"""Seconds that what is on its last line gets to end."""


def assert_all_closed(live: ReloadCheck[Any]) -> None:
    """Raise `AssertionError`, naming what is left, unless a closed engine has left nothing open.

    To be called after `live.close()`, after a test client's `with` block for example. Nothing left
    open means: no lease that was not given back before the drain's end, no instance of a resource,
    no thread of the engine's or of its resources.
    """
    deadline = time.monotonic() + MOMENT
    while left := list(_left(live)):
        if time.monotonic() >= deadline:
            raise AssertionError(f"{live!r} has left open: {'; '.join(left)}")
        time.sleep(0.002)


def _left(live: ReloadCheck[Any]) -> Iterator[str]:
    thread = engine_of(live).thread
    if thread is None:
        return
    status = live.status()
    for version, leases in status.leases.items():
        if leases:
            yield f"{leases} lease(s) on version {version}"
    if status.state != "closed":
        yield f"the engine, which is {status.state}: call live.close()"
        return
    if thread.drain.outlived:
        yield f"{thread.drain.outlived} lease(s) that were not given back before the drain's end"
    for one in status.resources:
        if one.instances:
            yield f"{one.instances} instance(s) of resource {one.name}"
    kinds = ("", "-probe", "-close")
    names = {f"reloadcheck-{one.name}{kind}" for one in status.resources for kind in kinds}
    own = thread.threads
    for running in threading.enumerate():
        if running in own or running.name in names:
            yield f"thread {running.name}"
