"""A thousand reloads in a process of its own, with a resource each that holds a file descriptor.

`python -m tests.support.thousand sync|async` prints what the process holds after 100 and after all.
"""

import asyncio
import gc
import json
import os
import sys
import tempfile
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

from reloadcheck import FrozenDict, ReloadCheck

from . import config
from .stock import Pool

RELOADS = 1_000
FIRST = 100


def hold() -> dict[str, Any]:
    """Return what this process holds now."""
    gc.collect()
    return {
        "descriptors": len(os.listdir("/proc/self/fd")),
        "threads": sorted(thread.name for thread in threading.enumerate()),
        "alive": len(Pool.alive),
        "kilobytes": int(Path("/proc/self/statm").read_text().split()[1]) * 4,
    }


async def main(asynchronous: bool) -> list[dict[str, Any]]:
    """Reload, and take note at the start, after the first hundred, at the end and once closed."""
    with tempfile.TemporaryDirectory() as directory:
        file = Path(directory) / "config.yaml"
        config.write(file, config.text(0))
        live = ReloadCheck(file, settle=0.0, environ={})
        live.resource("pool", name="pool")(_build_async if asynchronous else _build)
        notes = [hold()]
        async with asyncio.timeout(120):
            await live.astart()
            for number in range(1, RELOADS + 1):
                config.replace(file, config.text(number))
                await live.acheck()
                assert await _pair(live) == (number, number)
                await _until(lambda: _counts(live)["instances"] == 1)
                if number in (FIRST, RELOADS):
                    notes.append({**hold(), **_counts(live)})
            await live.aclose()
        return [*notes, {**hold(), **_counts(live)}]


async def _pair(live: ReloadCheck[FrozenDict]) -> tuple[int, int]:
    async with live.lease() as snapshot:
        return snapshot.config["number"], snapshot.resources["pool"].number


def _counts(live: ReloadCheck[FrozenDict]) -> dict[str, Any]:
    (pool,) = live.status().resources
    return {"builds": pool.builds, "closes": pool.closes, "instances": pool.instances}


async def _until(condition: Callable[[], bool]) -> None:
    while not condition():  # bounded by the time-out around it all
        await asyncio.sleep(0.0005)


def _build(part: FrozenDict) -> Iterator[Pool]:
    ends = os.pipe()
    yield Pool(part["number"])
    for end in ends:
        os.close(end)


async def _build_async(part: FrozenDict) -> AsyncIterator[Pool]:
    ends = os.pipe()
    yield Pool(part["number"])
    for end in ends:
        os.close(end)


if __name__ == "__main__":
    print(json.dumps(asyncio.run(main(sys.argv[1] == "async"))))
