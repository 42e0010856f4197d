"""Which processes there are, by the kernel's word: they may end while it is asked."""

import os
from contextlib import suppress
from pathlib import Path

__all__ = ["children_of", "group_runs"]


def children_of(pid: int) -> list[int]:
    """Return what a process has started and not yet taken leave of; nothing once it has ended."""
    found: list[int] = []
    with suppress(OSError):
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):
                text = Path(f"/proc/{pid}/task/{thread}/children").read_text()
                found += map(int, text.split())
    return found


def group_runs(group: int) -> bool:
    """Return whether any process of a group runs; the dead stay where none takes leave."""
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return any(_runs_in(group, name) for name in os.listdir("/proc") if name.isdecimal())


def _runs_in(group: int, pid: str) -> bool:
    try:
        state, _, of, *_ = Path("/proc", pid, "stat").read_text().rpartition(")")[2].split()
    except OSError:
        return False
    return int(of) == group and state not in "ZX"
