"""What a worker's store thread has done, counted, so that tests need not guess it by the clock."""

from collections.abc import Iterable

from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import MemoryStore
from tests.support.rig import until

__all__ = ["SteppedFile", "SteppedMemory", "all_step"]


class SteppedFile(SQLiteStore):
    """A file of a host; `steps` were taken to their end."""

    steps = 0

    def wait(self, seconds: float) -> None:
        """Count the step that has just ended, and wait for the next."""
        self.steps += 1
        super().wait(seconds)


class SteppedMemory(MemoryStore):
    """A board in memory; `steps` were taken to their end."""

    steps = 0

    def wait(self, seconds: float) -> None:
        """Count the step that has just ended, and wait for the next."""
        self.steps += 1
        super().wait(seconds)


def all_step(stores: Iterable[SteppedFile | SteppedMemory]) -> None:
    """Wait until each has taken a step that began after this call: what was written is known."""
    due = [(store, store.steps + 2) for store in stores]  # the next to end may be under way
    until(lambda: all(store.steps >= steps for store, steps in due))
