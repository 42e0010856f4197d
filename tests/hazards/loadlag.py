"""Requests while a configuration is rewritten each second, against the same server left alone.

The load is open: each request has its time, and its latency counts from then, whether or not the
one before it was answered. Idle phases stand between all others; what they say of each other is the
control.

`python -m tests.hazards.loadlag --seconds 15` does it with a megabyte and judges the ratios and the
longest hold; `python -m tests.benchmarks reloads` does it with more sizes, for longer, and beside
what applications do by themselves.
"""

import argparse
import asyncio
import gc
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from tests.benchmarks.judging import Series
from tests.hazards.hold import text
from tests.hazards.rig import replace
from tests.support.ending import unwind_at_sigterm
from tests.support.servers import serving

__all__ = ["BOUNDS", "LONGEST", "MEGABYTE", "OURS", "Phase", "Phases", "run"]

OURS = "tests.hazards.lagging_app:app"
MEGABYTE = 14_000
"""So many parts are a megabyte of YAML."""

BOUNDS = {"one": 2.0, "all": 3.5}
"""How many times idle's p99 may be while one value changes each second, and while all do."""

LONGEST = 0.020
"""Seconds for which no reload may hold the loop."""

RATE, CONNECTIONS = 400, 8
REQUEST = b"GET / HTTP/1.1\r\nHost: lag\r\n\r\n"
SETTLING = 2.5
"""Seconds before an idle phase in which what was written last is still being taken up."""


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: its latencies in seconds, the longest hold of the loop, the reloads in it."""

    kind: str
    times: Series
    hold: float
    reloads: int

    @property
    def p99(self) -> float:
        """Return the 99th percentile."""
        return self.times.percentile(99)


@dataclass(frozen=True, slots=True)
class Phases:
    """All phases in their order: `idle`, and between two of those `one` or `all`."""

    each: tuple[Phase, ...]

    def of(self, kind: str) -> list[Phase]:
        """Return those of one kind."""
        return [phase for phase in self.each if phase.kind == kind]

    def ratio(self, kind: str) -> float:
        """Return the median of a kind's p99 over the mean of those of the idle phases beside it."""
        return median(
            phase.p99 * 2 / (self.each[at - 1].p99 + self.each[at + 1].p99)
            for at, phase in enumerate(self.each)
            if phase.kind == kind
        )

    @property
    def control(self) -> float:
        """Return what every other idle phase is to the rest of them; 1 on a quiet machine."""
        idle = [phase.p99 for phase in self.of("idle")]
        return median(idle[1::2]) / median(idle[::2])

    @property
    def longest(self) -> float:
        """Return the longest hold of all."""
        return max(phase.hold for phase in self.each)


@dataclass(frozen=True, slots=True)
class Server:
    """What is asked, and the file that it follows."""

    port: int
    path: Path
    parts: int
    seconds: float


def run(
    seconds: float,
    kinds: Sequence[str],
    *,
    app: str = OURS,
    parts: int = MEGABYTE,
    parsing: str = "",
) -> Phases:
    """Serve and ask for so many seconds a phase, with an idle one around each of `kinds`."""
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        path = directory / "app.yaml"
        path.write_text(text(0, parts, every=True))
        variables = {"LAG_CONFIG": str(path), "PARSING": parsing}
        command = [sys.executable, "-m", "uvicorn", app, "--port", "0", "--no-access-log"]
        with serving(command, variables, directory) as server:
            target = Server(server.port, path, parts, seconds)
            order = ["idle", *(each for kind in kinds for each in (kind, "idle"))]
            return Phases(tuple(_phase(target, kind) for kind in order))


def _phase(server: Server, kind: str) -> Phase:
    start = int(time.time())
    numbers = () if kind == "idle" else range(start, start + int(server.seconds))
    # Made beforehand: making them would hold up this process, which measures.
    texts = [text(number, server.parts, every=kind == "all") for number in numbers]
    asyncio.run(_ask(server, SETTLING if kind == "idle" else 0.3, []))
    before = _told(server.port)
    gc.collect()
    gc.disable()
    try:
        times = asyncio.run(_ask(server, server.seconds, texts))
    finally:
        gc.enable()
    after = _told(server.port)
    reloads = int(after["version"] - before["version"])
    return Phase(kind, Series(tuple(times)), after["hold"], reloads)


def _told(port: int) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    connection.request("GET", "/hold", headers={"Connection": "close"})
    told: dict[str, float] = json.loads(connection.getresponse().read())
    connection.close()
    return told


async def _ask(server: Server, seconds: float, texts: Sequence[str]) -> list[float]:
    """Ask at a steady rate on several connections; give each answer's seconds from its time on."""
    begins = time.perf_counter()
    writer = asyncio.create_task(_rewrite(server.path, texts))
    asked = [
        _connection(server.port, begins + number / RATE, begins + seconds)
        for number in range(CONNECTIONS)
    ]
    times = [one for all_of_one in await asyncio.gather(*asked) for one in all_of_one]
    await writer
    return times


async def _connection(port: int, due: float, ends: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: list[float] = []
    while due < ends:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        times.append(time.perf_counter() - due)
        due += CONNECTIONS / RATE
    writer.close()
    await writer.wait_closed()
    return times


async def _rewrite(path: Path, texts: Sequence[str]) -> None:
    for one in texts:
        await asyncio.to_thread(replace, path, one)
        await asyncio.sleep(1.0)


def main() -> None:
    """Run as a program; the exit status says whether all stayed in its bounds."""
    parser = argparse.ArgumentParser(prog="python -m tests.hazards.loadlag", description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0, help="how long each phase lasts")
    found = run(parser.parse_args().seconds, list(BOUNDS))
    for phase in found.each:
        print(
            f"{phase.kind:5} p50 {1e3 * phase.times.percentile(50):6.2f} ms  "
            f"p99 {1e3 * phase.p99:6.2f} ms  hold {1e3 * phase.hold:5.1f} ms  "
            f"{phase.reloads} reloads"
        )
    ratios = {kind: found.ratio(kind) for kind in BOUNDS}
    shown = ", ".join(f"{kind} {ratio:.2f} x" for kind, ratio in ratios.items())
    print(f"p99 over idle: {shown}, control {found.control:.2f} x")
    within = all(ratio <= BOUNDS[kind] for kind, ratio in ratios.items())
    raise SystemExit(not (within and found.longest <= LONGEST))


if __name__ == "__main__":
    unwind_at_sigterm()
    main()
