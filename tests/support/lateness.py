"""How late a machine wakes who sleeps: what a time seen in other processes is to be judged with."""

import threading
import time
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field

__all__ = ["Lateness", "watched"]

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
