"""Requests while a configuration is rewritten each second, against the same server left alone.

The load is open: each request has its time, and its latency counts from then, whether or not the
one before it was answered. Idle phases stand between all others; what they say of each other is the
control.
"""

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

from tests.hazards.hold import text
from tests.hazards.rig import replace
from tests.rig.servers import serving

from .judging import Claim, Report, Row, Series
from .rounds import Size

__all__ = ["run"]

RATE, CONNECTIONS = 400, 8
SIZES = {"10 KB": 140, "200 KB": 2_800, "1 MB": 14_000}
BOUNDS = {"one": (2.0, "one value changed"), "all": (3.5, "all values changed")}
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
        """Give the 99th percentile."""
        return self.times.percentile(99)


@dataclass(frozen=True, slots=True)
class Server:
    """What is asked, and the file that it follows."""

    port: int
    path: Path
    parts: int
    seconds: float


def run(size: Size) -> list[Report]:
    """Measure ours with each size, and what applications do by themselves with the largest."""
    seconds = 3.0 if size.quick else 6.0
    sizes = {"200 KB": SIZES["200 KB"]} if size.quick else SIZES
    rounds = {"1 MB": 3}
    ours = "tests.hazards.lagging_app:app"
    found = [
        _report(f"ours, {name}", ours, parts, seconds, 1 if size.quick else rounds.get(name, 1))
        for name, parts in sizes.items()
    ]
    if not size.quick:
        theirs = "tests.benchmarks.parsing_app:app"
        for where in ("inline", "thread"):
            title = f"CSafeLoader, {where}, 1 MB"
            found.append(_report(title, theirs, SIZES["1 MB"], seconds, 1, parsing=where))
    return found


def _report(
    title: str, app: str, parts: int, seconds: float, rounds: int, parsing: str = ""
) -> Report:
    kinds = ["idle"]
    for number in range(rounds):
        order = ("one", "all") if number % 2 == 0 else ("all", "one")
        kinds += [order[0], "idle", order[1], "idle"]
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        path = directory / "app.yaml"
        path.write_text(text(0, parts, every=True))
        variables = {"LAG_CONFIG": str(path), "PARSING": parsing}
        command = [sys.executable, "-m", "uvicorn", app, "--port", "0", "--no-access-log"]
        with serving(command, variables, directory) as server:
            target = Server(server.port, path, parts, seconds)
            phases = [_phase(target, kind) for kind in kinds]
    rows = [row for kind in ("idle", "one", "all") for row in _rows(phases, kind)]
    claims = () if parsing or parts != SIZES["1 MB"] else tuple(_claims(phases))
    notes = [f"p99 {_ratio(phases, kind):.2f} × idle, {what}" for kind, (_, what) in BOUNDS.items()]
    notes.append(f"control: {_control(phases):.2f}, the median p99 of every other idle phase")
    notes.append(f"{sum(phase.reloads for phase in phases)} reloads")
    return Report(f"During reloads, {title}", tuple(rows), claims, tuple(notes))


def _rows(phases: Sequence[Phase], kind: str) -> list[Row]:
    some = [phase for phase in phases if phase.kind == kind]
    rows = [
        Row.of(
            f"{kind}, p{percent:g}",
            Series(tuple(phase.times.percentile(percent) for phase in some)),
            "ms",
            1e3,
        )
        for percent in (50.0, 99.0, 99.9)
    ]
    holds = Series(tuple(phase.hold for phase in some))
    return [*rows, Row.of(f"{kind}, longest hold of the loop", holds, "ms", 1e3)]


def _claims(phases: Sequence[Phase]) -> list[Claim]:
    control = _control(phases)
    claims = [
        Claim(f"p99 during reloads of 1 MB, {what}", _ratio(phases, kind), bound, control=control)
        for kind, (bound, what) in BOUNDS.items()
    ]
    longest = max(phase.hold for phase in phases) * 1e3
    return [*claims, Claim("longest hold of the loop by reloads of 1 MB", longest, 20.0, "ms")]


def _ratio(phases: Sequence[Phase], kind: str) -> float:
    """Give the median of a phase's p99 over the mean of those of the idle phases beside it."""
    return median(
        phase.p99 * 2 / (phases[at - 1].p99 + phases[at + 1].p99)
        for at, phase in enumerate(phases)
        if phase.kind == kind
    )


def _control(phases: Sequence[Phase]) -> float:
    idle = [phase.p99 for phase in phases if phase.kind == "idle"]
    return median(idle[1::2]) / median(idle[::2])


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
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
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
