"""What a trial came to, whether that is good, and the row that it makes in the table.

Pure: takes results, gives sentences and lines.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from .catalog import Kind

__all__ = ["HEAD", "SETTLE", "WINDOW", "Result", "delays", "faults", "problems", "row", "table"]

WINDOW, SETTLE = 0.2, 0.1
"""The options of the engine on trial, in seconds."""

GRACE, STOP_GRACE = 0.5, 0.3
"""Seconds beyond `WINDOW + SETTLE` and beyond the stop of the server without us."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one trial came to, up to the step that failed. Times in seconds.

    `picked_up`: from the edit's last byte to the first answer that shows it, of each worker that
    did; `control`: the longest that the server without us took to answer meanwhile. `failures`:
    requests without a good answer. `streamed`: the configurations that one response showed, which
    was under way from before the edit where workers take several requests, until the stop.
    `same_workers`: those that answered before the edit showed it, and nobody else. `same_signals`:
    every signal leads where it does without us. `stop`, `bare_stop`: from SIGTERM to the exit.
    """

    kind: Kind
    error: str | None = None
    picked_up: tuple[float, ...] = ()
    control: float = 0.0
    failures: tuple[str, ...] = ()
    streamed: frozenset[int] = frozenset()
    same_workers: bool = False
    same_signals: bool = False
    status: int | None = None
    bare_status: int | None = None
    stop: float = 0.0
    bare_stop: float = 0.0
    gone: bool = False
    log: str = field(default="", repr=False)


def problems(result: Result) -> list[str]:
    """Return a sentence for each thing that is not as it must be."""
    return faults(result) + delays(result)


def faults(result: Result) -> list[str]:
    """Return what is wrong however fast or slow the machine is."""
    if result.error is not None:
        return [result.error]
    found = [f"a request failed: {failure}" for failure in result.failures]
    if not result.same_workers:
        found.append(f"the edit reached {len(result.picked_up)} of the workers that were there")
    if result.streamed != frozenset({2 if result.kind.single else 1}):
        found.append(f"one response showed the configurations {sorted(result.streamed)}")
    if not result.same_signals:
        found.append("a signal leads elsewhere than without us")
    if result.status != result.bare_status:
        found.append(f"exit status {result.status}, without us {result.bare_status}")
    if not result.gone:
        found.append("processes are left behind")
    return found


def delays(result: Result) -> list[str]:
    """Return what took too long, which other work on the machine may be the cause of."""
    latest = WINDOW + SETTLE + GRACE + result.control
    found = [f"live after {at:.2f} s" for at in result.picked_up if at > latest]
    if result.stop > result.bare_stop + STOP_GRACE:
        found.append(f"stops in {result.stop:.2f} s, without us in {result.bare_stop:.2f} s")
    return found


def table(results: Iterable[Result]) -> list[str]:
    """Return the lines of the table, at most 80 columns wide."""
    return [HEAD, *(row(result) for result in results)]


def row(result: Result) -> str:
    """Return one server's line of the table."""
    seconds = " ".join(f"{at:.2f} s" for at in result.picked_up)
    return _row(
        result.kind.name,
        str(result.kind.workers),
        seconds or "never",
        f"{result.stop:.2f} s",
        f"{result.bare_stop:.2f} s",
        "-" if result.status is None else str(result.status),
        "NO" if problems(result) else "ok",
    )


def _row(
    name: str, workers: str, live: str, stop: str, bare: str, status: str, verdict: str
) -> str:
    columns = f"{name:26} {workers:>7}  {live:13} {stop:>8} {bare:>10} {status:>4}  {verdict}"
    return columns.rstrip()


HEAD = _row("server", "workers", "live after", "stops in", "without us", "exit", "")
"""The first line of the table."""
