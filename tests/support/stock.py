"""The engine that the rig's apps are built on, and the facts that they tell about a unit of work.

Set up by environment variables, because each server process imports it anew: RIG_CONFIG and
RIG_JOURNAL are paths; RIG_FACTORY_SECONDS and RIG_DISK_SECONDS slow down building and looking,
with RIG_SLOW only as soon as there is a file at that path.
"""

import gc
import logging
import os
import threading
import time
from collections.abc import Iterator
from itertools import count
from typing import Any, ClassVar
from weakref import WeakSet

from reloadcheck import FileSource, FrozenDict, ReloadCheck, Resource, ResourceClosedError, Snapshot
from reloadcheck.sources import Disk

from . import journal
from .faults import HANGS, RAISES

__all__ = ["Pool", "engine", "facts", "process"]

_serials = count(1)


class Pool:
    """Stands for a pool of connections: knows what it was built from and whether it is closed."""

    alive: ClassVar["WeakSet[Pool]"] = WeakSet()

    def __init__(self, number: int) -> None:
        self.number = number
        self.serial = next(_serials)
        self.closed = False
        Pool.alive.add(self)


def _wait(variable: str) -> None:
    """Take as many seconds as the variable says, once it is time to be slow."""
    slow = os.environ.get("RIG_SLOW")
    if slow is None or os.path.exists(slow):
        time.sleep(float(os.environ.get(variable, "0")))


def _slow_stat(path: str | int) -> os.stat_result:
    _wait("RIG_DISK_SECONDS")
    return os.stat(path)


def engine() -> tuple[ReloadCheck[FrozenDict], Resource[Pool]]:
    """Return an engine on the configured file, with one resource that keeps a journal."""
    logging.basicConfig(level=logging.INFO, format="%(levelname)s %(name)s: %(message)s")
    place = os.environ["RIG_JOURNAL"]
    slow = Disk(stat=_slow_stat, lstat=_slow_stat)
    live = ReloadCheck(FileSource(os.environ["RIG_CONFIG"], disk=slow))

    @live.resource("pool")
    def pool(part: FrozenDict) -> Iterator[Pool]:
        _wait("RIG_FACTORY_SECONDS")
        if part["number"] == RAISES:
            raise ConnectionError(f"password {part['password']!r} was refused")
        if part["number"] == HANGS:
            journal.write(place, "hangs", 0, HANGS)
            time.sleep(60)
        made = Pool(part["number"])
        journal.write(place, "built", made.serial, made.number)
        try:
            yield made
        finally:
            made.closed = True
            journal.write(place, "closed", made.serial, made.number)

    return live, pool


def facts(snapshot: Snapshot[FrozenDict], pool: Resource[Pool]) -> dict[str, Any]:
    """Return what a unit of work sees of its snapshot just now; no pool once it is taken away."""
    config = snapshot.config
    said = {"pid": os.getpid(), "version": snapshot.version}
    said |= {"note": config["note"], "end": config["end"]}
    try:
        found = snapshot[pool]
    except ResourceClosedError:
        return {**said, "pool": None, "serial": None, "closed": True}
    return {**said, "pool": found.number, "serial": found.serial, "closed": found.closed}


def process(live: ReloadCheck[FrozenDict]) -> dict[str, Any]:
    """Return what this process holds: what would grow if something leaked."""
    gc.collect()  # closed ones may wait for it in cycles; what stays has leaked
    status = live.status()
    return {
        "pid": os.getpid(),
        "state": status.state,
        "enabled": status.enabled,
        "version": status.version,
        "outcome": status.outcome,
        "error": status.error,
        "reloads": status.reloads,
        "store": None if status.store is None else status.store.code,
        "leases": sum(status.leases.values()),
        "instances": sum(one.instances for one in status.resources),
        "alive": len(Pool.alive),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "descriptors": len(os.listdir("/proc/self/fd")),
    }
