"""Shows who served what when: rows to text of at most 80 columns, or to JSON. Pure."""

import json
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace

from .._state.ledger import Entry

__all__ = ["Cell", "FleetRow", "as_json", "as_text"]

WIDTH = 80


@dataclass(frozen=True, slots=True)
class Cell:
    """What one worker serves at the end of a step, and how many seconds after its begin it did."""

    edition: int | None
    seconds: float


@dataclass(frozen=True, slots=True)
class FleetRow:
    """What one step came to; `wanted` are greetings by application, `cells` its workers by pid."""

    step: str
    wanted: Mapping[str, str]
    cells: Mapping[str, Mapping[int, Cell]] = field(default_factory=dict[str, dict[int, Cell]])
    requests: int = 0
    failed: int = 0
    broken: tuple[str, ...] = ()

    def with_broken(self, reason: str) -> "FleetRow":
        """Return the same with one more promise that was not kept."""
        return replace(self, broken=(*self.broken, reason))


def as_text(rows: Sequence[FleetRow], history: Mapping[str, Sequence[Entry]]) -> str:
    """Lay out the table, the histories of the applications below it, and the verdict."""
    apps = [*history]
    head = f"{'':<26}" + "".join(f"{app:>15}" for app in apps)
    names = f" {'step':<25}" + f"{'worker':>8}{'worker':>7}" * len(apps) + f"{'failed':>8}"
    lines = ["Who served which edition, after how many seconds:", head, names, "-" * WIDTH]
    lines += [_line(row, apps) for row in rows]
    lines.append("-" * WIDTH)
    for app in apps:
        told = "; ".join(_told(entry) for entry in history[app])
        lines += textwrap.wrap(f"{app}: {told}", WIDTH, subsequent_indent="    ")
    requests, failed = sum(row.requests for row in rows), sum(row.failed for row in rows)
    kept = sum(not row.broken for row in rows)
    met = f"{failed} failed (the bad edit)" if failed else "none failed"
    lines.append(f"{kept} of {len(rows)} steps as promised on etcd; {requests} requests, {met}.")
    for row in rows:
        for reason in row.broken:
            words = f"NOT AS PROMISED: {row.step}: {reason}"
            lines += textwrap.wrap(words, WIDTH, subsequent_indent="    ")
    return "\n".join(lines)


def as_json(rows: Sequence[FleetRow], history: Mapping[str, Sequence[Entry]]) -> str:
    """Return the same as JSON."""
    return json.dumps(
        {
            "kept": not any(row.broken for row in rows),
            "requests": sum(row.requests for row in rows),
            "failed": sum(row.failed for row in rows),
            "steps": [asdict(row) for row in rows],
            "history": {app: [asdict(entry) for entry in found] for app, found in history.items()},
        },
        indent=2,
    )


def _line(row: FleetRow, apps: Sequence[str]) -> str:
    mark = "!" if row.broken else " "
    cells = ""
    for app in apps:
        served = [_cell(cell) for _, cell in sorted(row.cells.get(app, {}).items())]
        first, second, *_ = [*served, "-", "-"]
        cells += f"{first:>8}{second:>7}"
    return f"{mark}{row.step:<25.25}{cells}{row.failed:>8}"


def _cell(cell: Cell) -> str:
    edition = "?" if cell.edition is None else cell.edition
    return f"{edition} {cell.seconds:.1f}" if cell.seconds >= 0.05 else f"{edition}"


def _told(entry: Entry) -> str:
    number = "-" if entry.edition is None else str(entry.edition)
    if entry.of is not None:
        number += f" = {entry.of} again"
    code = f" ({entry.code})" if entry.code else ""
    words = entry.cause if entry.edition is not None else f"{entry.outcome}{code}"
    by = f" by {entry.actor}" if entry.actor else ""
    return f"{number} {words}{by}"
