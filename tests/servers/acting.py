"""An engine whose workers act as one, and what a worker says of itself.

Set up by environment variables: SERVERS_CONFIG is the file, SERVERS_STORE the store's, and
SERVERS_STAGE a directory in which a test names processes: `fails-PID` cannot build, `waits-PID`
builds only once that file is gone. SERVERS_DEADLINE are seconds.
"""

import json
import logging
import os
import time
from pathlib import Path

from reloadcheck import FrozenDict, ReloadCheck, Snapshot, Together
from reloadcheck.stores import SQLiteStore

__all__ = ["LIFE", "live", "told"]

LIFE = 8.0
"""Seconds after which a worker that is silent counts as gone."""

logging.basicConfig(level=logging.INFO, format="%(process)d %(levelname)s %(message)s")
_stage = Path(os.environ["SERVERS_STAGE"])
live = ReloadCheck(
    os.environ["SERVERS_CONFIG"],
    store=SQLiteStore(os.environ["SERVERS_STORE"], ttl=LIFE),
    app="shop",
    together=Together(deadline=float(os.environ["SERVERS_DEADLINE"])),
)


@live.resource("number")
def pool(number: int) -> tuple[int, int]:
    """Build something, unless a test has it that this process cannot."""
    name = os.getpid()
    if (_stage / f"fails-{name}").exists():
        raise ConnectionError
    while (_stage / f"waits-{name}").exists():
        time.sleep(0.01)
    return number, name


def told(snapshot: Snapshot[FrozenDict]) -> bytes:
    """Say who answers, and from which configuration."""
    number, builder = snapshot[pool]
    said = {
        "pid": os.getpid(),
        "number": snapshot.config["number"],
        "pool": number,
        "again": number,
        "end": number,
        "closed": builder != os.getpid(),
    }
    return json.dumps(said).encode()
