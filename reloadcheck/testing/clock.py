"""Time that is let pass by a test; nothing here sleeps."""

import threading
import time

__all__ = ["FakeClock"]


class FakeClock:
    """A clock for `ReloadCheck(…, clock=FakeClock())` that moves only when told; thread-safe.

    Both clocks advance together; `set_wall` moves the wall clock alone, as an operator would.
    """

    def __init__(self, wall: float | None = None) -> None:
        self._now = 1_000.0
        self._wall = time.time() if wall is None else wall
        self._lock = threading.Lock()
        self._waiting: set[threading.Condition] = set()

    def monotonic(self) -> float:
        """Return the seconds on the monotonic clock."""
        return self._now

    def wall(self) -> float:
        """Return the seconds since the epoch on the wall clock."""
        return self._wall

    def advance(self, seconds: float) -> None:
        """Let time pass, and wake whoever waits for it."""
        with self._lock:
            self._now += seconds
            self._wall += seconds
            waiting = list(self._waiting)
        for condition in waiting:
            with condition:
                condition.notify_all()

    def set_wall(self, seconds: float) -> None:
        """Set the wall clock; the monotonic one does not notice."""
        self._wall = seconds

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        """Wait until woken; the caller looks at the time again."""
        with self._lock:
            self._waiting.add(condition)
        # Short, because time may have been let pass between the caller's look and this line.
        condition.wait(None if timeout is None else 0.02)
