"""A clock that a test lets pass in small steps, each only once the engine has done its part."""

import threading
import time

from reloadcheck.testing import FakeClock

__all__ = ["SteppingClock"]


class SteppingClock(FakeClock):
    """Knows when the engine thread has nothing to do but wait."""

    def __init__(self) -> None:
        super().__init__()
        self.waits = 0

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        """Wait for a moment; the caller looks at the time again."""
        self.waits += 1
        condition.wait(0.001)

    def step(self, seconds: float) -> None:
        """Let time pass, then let the engine thread turn until it has come to wait again."""
        self.advance(seconds)
        enough, deadline = self.waits + 3, time.monotonic() + 30
        while self.waits < enough:
            assert time.monotonic() < deadline, "the engine thread does not turn"
            time.sleep(0.0002)
