"""A journal of what was built and closed, over all processes of a server.

Resources write a line when they open and when they close; tests read it afterwards. A line is
appended by one write, so that processes do not mix theirs.
"""

import json
import os
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

__all__ = ["Entry", "closed_once", "most_open", "read", "still_open", "write"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened: `event` is `built` or `closed`, `at` is monotonic seconds."""

    event: str
    pid: int
    serial: int
    number: int
    at: float


def write(path: str, event: str, serial: int, number: int) -> None:
    """Add what happened just now in this process."""
    line = json.dumps(asdict(Entry(event, os.getpid(), serial, number, time.monotonic())))
    descriptor = os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o644)
    try:
        os.write(descriptor, f"{line}\n".encode())
    finally:
        os.close(descriptor)


def read(path: Path) -> list[Entry]:
    """Return all entries in the order in which they were written; none when there is no journal.

    A line that is being written while we read may be there in part: it counts once it has its end.
    """
    if not path.exists():
        return []
    whole = path.read_text().rpartition("\n")[0]
    return [Entry(**json.loads(line)) for line in whole.splitlines()]


def most_open(entries: Iterable[Entry]) -> int:
    """Return how many instances were open at once in one process, at the most."""
    now: Counter[int] = Counter()
    most = 0
    for entry in entries:
        now[entry.pid] += 1 if entry.event == "built" else -1
        most = max(most, now[entry.pid])
    return most


def still_open(entries: Iterable[Entry]) -> list[tuple[int, int]]:
    """Return pid and serial of what was built and not closed."""
    opened: dict[tuple[int, int], None] = {}
    for entry in entries:
        if entry.event == "built":
            opened[entry.pid, entry.serial] = None
        else:
            opened.pop((entry.pid, entry.serial), None)
    return list(opened)


def closed_once(entries: Iterable[Entry]) -> bool:
    """Return whether nothing was built twice, closed twice, or closed without having been built."""
    seen: Counter[tuple[str, int, int]] = Counter()
    for entry in entries:
        key = (entry.pid, entry.serial)
        seen[entry.event, *key] += 1
        if seen[entry.event, *key] > 1 or not seen["built", *key]:
            return False
    return True
