"""How late a machine wakes who sleeps, and lets run who would: what a time is to be judged with."""

import contextlib
import math
import os
import threading
import time
from collections.abc import Callable, Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["Lateness", "Stopwatch", "least", "watched"]

TASKS = Path("/proc/self/task")

STEP = 0.01

HOPS = 5
"""How often somebody has to wake until all workers know a verdict: who counts, its store thread,
each other's, who asks the trial there, and the test that looks."""


@dataclass(slots=True)
class Lateness:
    """Wakes a hundred times a second; `most` is by how many seconds it was ever late."""

    most: float = 0.0
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def excuses(self) -> float:
        """Return the seconds by which what passes from worker to worker may be later for it."""
        return HOPS * self.most

    def run(self) -> None:
        """Sleep and look until told to stop."""
        while not self._over.is_set():
            begun = time.monotonic()
            time.sleep(STEP)
            self.most = max(self.most, time.monotonic() - begun - STEP)

    def stop(self) -> None:
        """Let it end."""
        self._over.set()


@contextmanager
def watched() -> Generator[Lateness]:
    """Watch it for the length of a block."""
    lateness = Lateness()
    thread = threading.Thread(target=lateness.run, daemon=True)
    thread.start()
    try:
        yield lateness
    finally:
        lateness.stop()
        thread.join()


class Stopwatch:
    """Counts seconds, but for those in which a thread here was ready to run and no CPU was free.

    What is promised of a time is promised of what this process does with a processor. On Linux
    alone the kernel says how long it made threads wait; elsewhere nothing is taken off. `names`
    are the threads that count, of all by default: those that do the work one after another, for
    what two wait for at the same time would be taken off twice.
    """

    def __init__(self, *names: str) -> None:
        self._names = names
        self._begun, self._queued = time.perf_counter(), _queued(names)

    @property
    def seconds(self) -> float:
        """Return how many there have been since it was made."""
        now = _queued(self._names)
        waited = sum(most - self._queued.get(thread, 0) for thread, most in now.items())
        return max(0.0, time.perf_counter() - self._begun - waited / 1e9)


def least(work: Callable[[], object], enough: float) -> float:
    """Return the seconds of a processor that the work takes this thread, at best of a few times.

    The first time pays for what no cache has yet, and any for what else a shared machine does. It
    ends with the first that takes less than `enough`.
    """
    best = math.inf
    for _ in range(5):
        begun = time.thread_time()
        work()
        best = min(best, time.thread_time() - begun)
        if best < enough:
            break
    return best


def _queued(names: tuple[str, ...]) -> dict[int, int]:
    """Return the nanoseconds that each thread has waited for a processor."""
    found: dict[int, int] = {}
    if not TASKS.is_dir():
        return found
    named = [one.native_id for one in threading.enumerate() if one.name in names]
    for task in named if names else map(int, os.listdir(TASKS)):
        with contextlib.suppress(OSError):  # it has just ended
            found[task or 0] = int((TASKS / str(task) / "schedstat").read_bytes().split()[1])
    return found
