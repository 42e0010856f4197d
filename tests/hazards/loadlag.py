"""Latency under load while a megabyte of YAML is rewritten each second, against the same run idle.

`python -m tests.hazards.loadlag --seconds 20` prints the p99 of each phase at 400 requests a second
and its ratio to the idle phases before and after it, whose own ratio (the control) says what this
machine's other work does to such numbers.
"""

import argparse
import asyncio
import http.client
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import quantiles

from tests.hazards.hold import text
from tests.hazards.rig import replace
from tests.rig.servers import serving

__all__ = ["Phase", "Report", "run"]

RATE = 400
CONNECTIONS = 8
PARTS = 14_000
SETTLING = 2.5
"""Seconds after a phase in which what it wrote last is still being taken up."""

REQUEST = b"GET / HTTP/1.1\r\nHost: lag\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Phase:
    """One phase: p50 and p99 in milliseconds, the longest hold of the loop, the reloads in it."""

    name: str
    p50: float
    p99: float
    hold: float
    reloads: int


@dataclass(frozen=True, slots=True)
class Report:
    """Idle, one value rewritten each second, idle again, all rewritten, idle once more."""

    phases: tuple[Phase, ...]

    @property
    def control(self) -> float:
        """Give the ratio of the worst to the best idle phase."""
        idle = [phase.p99 for phase in self.phases if phase.name == "idle"]
        return max(idle) / min(idle)

    def ratio(self, name: str) -> float:
        """Give a phase's p99 over the mean of the idle phases beside it."""
        at = [phase.name for phase in self.phases].index(name)
        before, phase, after = self.phases[at - 1 : at + 2]
        return phase.p99 / ((before.p99 + after.p99) / 2)


def run(seconds: float, directory: Path, kinds: Sequence[str] = ("one", "all")) -> Report:
    """Serve, ask and rewrite for so many seconds, with idle phases of half of that around."""
    names = ["idle", *(name for kind in kinds for name in (kind, "idle"))]
    path = directory / "app.yaml"
    path.write_text(text(0, PARTS, every=True))
    command = [sys.executable, "-m", "uvicorn", "tests.hazards.lagging_app:app", "--port", "0"]
    with serving([*command, "--no-access-log"], {"LAG_CONFIG": str(path)}, directory) as server:
        phases = [_phase(server.port, name, seconds, path) for name in names]
    return Report(tuple(phases))


def _phase(port: int, name: str, seconds: float, path: Path) -> Phase:
    numbers = () if name == "idle" else range(int(time.time()), int(time.time() + seconds))
    # Made beforehand: making them would hold up this process, which measures.
    texts = [text(number, PARTS, every=name == "all") for number in numbers]
    settling = SETTLING if name == "idle" else 0.5
    asyncio.run(_ask(port, settling, path, []))
    before = _told(port)
    times = asyncio.run(_ask(port, seconds if texts else seconds / 2, path, texts))
    after = _told(port)
    cuts = [1000 * cut for cut in quantiles(times, n=100)]
    return Phase(name, cuts[49], cuts[98], after["hold"], int(after["version"] - before["version"]))


def _told(port: int) -> dict[str, float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    connection.request("GET", "/hold", headers={"Connection": "close"})
    told: dict[str, float] = json.loads(connection.getresponse().read())
    connection.close()
    return told


async def _ask(port: int, seconds: float, path: Path, texts: Sequence[str]) -> list[float]:
    """Ask at a steady rate on several connections; give each answer's seconds."""
    ends = time.perf_counter() + seconds
    writer = asyncio.create_task(_rewrite(path, texts))
    asked = [_connection(port, ends, n / RATE) for n in range(CONNECTIONS)]
    times = [one for all_of_one in await asyncio.gather(*asked) for one in all_of_one]
    await writer
    return times


async def _connection(port: int, ends: float, offset: float) -> list[float]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times: list[float] = []
    due = time.perf_counter() + offset
    while due < ends:
        await asyncio.sleep(max(0.0, due - time.perf_counter()))
        begun = time.perf_counter()
        writer.write(REQUEST)
        head = await reader.readuntil(b"\r\n\r\n")
        length = head.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
        await reader.readexactly(int(length))
        times.append(time.perf_counter() - begun)
        due += CONNECTIONS / RATE
    writer.close()
    await writer.wait_closed()
    return times


async def _rewrite(path: Path, texts: Sequence[str]) -> None:
    """Rewrite the file each second."""
    for one in texts:
        await asyncio.to_thread(replace, path, one)
        await asyncio.sleep(1.0)


def main() -> None:
    """Run as a program; the exit status says whether all stayed in its bounds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20.0)
    with tempfile.TemporaryDirectory() as directory:
        report = run(parser.parse_args().seconds, Path(directory))
    for phase in report.phases:
        print(
            f"{phase.name:5} p50 {phase.p50:6.2f} ms  p99 {phase.p99:6.2f} ms  "
            f"hold {1000 * phase.hold:5.1f} ms  {phase.reloads} reloads"
        )
    one, every = report.ratio("one"), report.ratio("all")
    print(f"one value {one:.2f} x, all values {every:.2f} x, control {report.control:.2f} x")
    longest = max(phase.hold for phase in report.phases)
    raise SystemExit(not (one <= 2.0 and every <= 3.5 and longest <= 0.02))


if __name__ == "__main__":
    main()
