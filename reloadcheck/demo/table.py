"""Shows what the steps came to: rows to text of at most 80 columns, or to JSON. Pure."""

import json
import textwrap
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

__all__ = ["Row", "as_json", "as_text", "finished"]

WIDTH = 80
UNDONE = "undone"
HEAD = (
    "                              had it after, s    requests        pools    server",
    " step                          worker worker   sent failed  built closed   conns",
)


@dataclass(frozen=True, slots=True)
class Row:
    """What one step came to.

    `seconds` says for each worker, by process id, how long after the last byte it had the edit, or
    had rejected it. `connections` are the server's at the end, `peak` the most seen on the way;
    both are None where there is no server to ask. `broken` names each promise that was not kept.
    An edit that was undone is one that was meant to fail: its failed requests count apart.
    """

    step: str
    promise: str
    seconds: dict[int, float] = field(default_factory=dict[int, float])
    requests: int = 0
    failed: int = 0
    slowest: float = 0.0
    pools_built: int = 0
    pools_closed: int = 0
    connections: int | None = None
    peak: int | None = None
    cause: str | None = None
    broken: tuple[str, ...] = ()


def as_text(rows: Sequence[Row], database: str) -> str:
    """Lay out the table, the causes of rejections below it, and the verdict."""
    lines = [*HEAD, "-" * WIDTH, *(_line(row) for row in rows), "-" * WIDTH]
    for row in rows:
        if row.cause is not None:
            lines += _wrapped(f"{row.step}: ", row.cause)
    lines.append(finished(rows, database))
    for row in rows:
        for reason in row.broken:
            lines += _wrapped(f"NOT AS PROMISED: {row.step}: ", reason)
    return "\n".join(lines)


def as_json(rows: Sequence[Row], database: str) -> str:
    """Return the same as JSON."""
    return json.dumps(
        {
            "database": database,
            "kept": not any(row.broken for row in rows),
            "requests": sum(row.requests for row in rows),
            "failed": sum(row.failed for row in rows if row.promise != UNDONE),
            "failed_on_trial": sum(row.failed for row in rows if row.promise == UNDONE),
            "steps": [asdict(row) for row in rows],
        },
        indent=2,
    )


def finished(rows: Sequence[Row], database: str) -> str:
    """Say in a sentence how it went."""
    kept = sum(not row.broken for row in rows)
    failed = sum(row.failed for row in rows if row.promise != UNDONE)
    tried = sum(row.failed for row in rows if row.promise == UNDONE)
    undone = f"\n{tried} more failed on the edit that undid itself." if tried else ""
    requests = sum(row.requests for row in rows)
    return (
        f"{kept} of {len(rows)} steps as promised; "
        f"{requests} requests, {failed} failed, on {database}.{undone}"
    )


def _line(row: Row) -> str:
    times = [f"{seconds:.2f}" for _, seconds in sorted(row.seconds.items())]
    first, second, *_ = [*times, "-", "-"]
    mark = "!" if row.broken else " "
    return (
        f"{mark}{row.step:<29.29}{first:>7}{second:>7}"
        f"{row.requests:>7}{row.failed:>7}{row.pools_built:>7}{row.pools_closed:>7}"
        f"{_connections(row):>8}"
    )


def _connections(row: Row) -> str:
    if row.connections is None:
        return "-"
    if row.peak is None or row.peak <= row.connections:
        return str(row.connections)
    return f"{row.connections} ({row.peak})"


def _wrapped(lead: str, text: str) -> list[str]:
    return textwrap.wrap(lead + text, WIDTH, subsequent_indent="    ")
