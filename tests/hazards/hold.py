"""How long a reload holds an event loop in its own process.

A ticker asks for the loop every millisecond. When a turn comes late, either this process worked
meanwhile, holding the interpreter lock, or the machine had other work. What the process's own CPU
clock shows between two turns is the first alone: no turn can have been held for longer than that.
"""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from reloadcheck import Outcome, ReloadCheck
from tests.hazards.rig import options, replace
from tests.support.lateness import Stopwatch

__all__ = ["LeaseRef", "measure", "text"]

TICK = 0.001
AFTERWARDS = 0.3
"""Seconds that are watched after the reload, when the old tree goes."""

WORKING = "reloadcheck-reader", "reloadcheck-engine"
"""The threads that take up an edit, one after the other. The reader naps some 4,600 times for a
megabyte: where each of its awakenings is late by a fifth of a millisecond, that is a second."""


@dataclass(frozen=True, slots=True)
class LeaseRef:
    """The longest hold of the loop and the time from the edit to its being live, in seconds.

    The time in which the machine ran others instead of us is in neither.
    """

    longest: float
    live_after: float


def text(number: int, parts: int, *, every: bool, form: str = "yaml") -> str:
    """Return about 70 bytes for each part; the number is in every part, or in one of them."""
    return "".join(
        _PART[form].format(n=n, m=number if every or n == parts // 2 else 0) for n in range(parts)
    ).join(_FRAME[form])


_PART = {
    "yaml": "part{n}:\n  name: 'service {n} of {m}'\n  limits: [{n}, {m}]\n  on_call: true\n",
    "toml": "[part{n}]\nname = 'service {n} of {m}'\nlimits = [{n}, {m}]\non_call = true\n",
    "json": '"part{n}":\n {{"name": "service {n} of {m}", "limits": [{n}, {m}], "on": true}},\n',
}
_FRAME = {"yaml": ("", ""), "toml": ("", ""), "json": ("{", '"end": 0}')}


def measure(
    directory: Path,
    parts: int,
    *,
    every: bool,
    form: str = "yaml",
    rounds: int = 2,
) -> list[LeaseRef]:
    """Reload so many times under a ticking loop."""
    path = directory / f"app.{form}"
    path.write_text(text(0, parts, every=every, form=form))
    live: ReloadCheck[Any] = ReloadCheck(path, **options(max_bytes=8 << 20, patience=60.0))

    async def main() -> list[LeaseRef]:
        await live.astart()
        await live.acheck()
        found = [await _reload(live, path, number) for number in range(1, rounds + 1)]
        await live.aclose()
        return found

    async def _reload(live: ReloadCheck[Any], path: Path, number: int) -> LeaseRef:
        replace(path, text(number, parts, every=every, form=form))
        watch, last = Stopwatch(*WORKING), time.perf_counter()
        cpu = time.process_time()
        reload = asyncio.create_task(live.acheck())
        longest, ended, live_after = 0.0, 0.0, 0.0
        while not ended or last < ended + AFTERWARDS:
            await asyncio.sleep(TICK)
            now, used = time.perf_counter(), time.process_time()
            longest = max(longest, min(now - last - TICK, used - cpu))
            last, cpu = now, used
            if not ended and reload.done():
                ended, live_after = now, watch.seconds
        assert reload.result() is Outcome.RELOADED
        return LeaseRef(longest, live_after)

    return asyncio.run(main())
