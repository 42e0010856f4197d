"""A fake clock that does not outrun the engine: time passes only while nobody has work to do."""

import os
import threading
import time
from pathlib import Path

from reloadcheck.testing import FakeClock

__all__ = ["SteadyClock", "others_work"]

TASKS = Path("/proc/self/task")

MOST = 1.0
"""Seconds of the machine's own time that others are waited for; what spins would hold a test."""

BUSY = b"RD"
"""The states of a thread that runs, wants to, or waits for a disk."""


def others_work() -> bool:
    """Return whether another thread of this process runs, or would if the machine let it.

    Linux alone tells. Who waits for a lock, a time or a peer has nothing to do.
    """
    mine = str(threading.get_native_id())
    try:
        threads = [one for one in os.listdir(TASKS) if one != mine]
    except OSError:
        return False
    return any(_state(one) in BUSY for one in threads)


def _state(thread: str) -> bytes:
    try:
        # Reading lets go of the interpreter's lock: who waits for that alone is seen to run.
        with (TASKS / thread / "stat").open("rb", buffering=0) as file:
            return file.read(512).rpartition(b") ")[2][:1]
    except OSError:  # it has just ended
        return b"-"


class SteadyClock(FakeClock):
    """Waits, before it lets time pass, until the other threads have done what they are at.

    On a loaded machine a thread may stand still for a second. Were time let pass meanwhile, what it
    is at would be found overdue that took no time at all.
    """

    def advance(self, seconds: float) -> None:
        """Let time pass once nobody has work to do, or after a second."""
        ends = time.monotonic() + MOST
        while others_work() and time.monotonic() < ends:
            time.sleep(0.0005)
        super().advance(seconds)
