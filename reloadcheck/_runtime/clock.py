"""Time as an argument: the monotonic clock for windows and deadlines, the wall clock for ages.

Whatever waits with a time-out waits through the clock, so that a test can let time pass by itself.
"""

import threading
import time
from typing import Final, Protocol

_FIRST: Final = -62_132_832_000.0
_LAST: Final = 253_386_446_400.0


def dated(at: float) -> float:
    """Return an instant, or the nearest that has a date in every zone, and weeks before and after.

    People write "for ever" as the year that calendars end with.
    """
    return min(max(at, _FIRST), _LAST)


class Clock(Protocol):
    """What the engine asks about time; all values in seconds."""

    def monotonic(self) -> float:
        """Return the time that windows, deadlines and the settle rule are measured in."""
        ...

    def wall(self) -> float:
        """Return the wall-clock time, for display and for the age of a file."""
        ...

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        """Wait on `condition`, which the caller holds, for at most `timeout`.

        May return early; callers look again at what they wait for.
        """
        ...


class SystemClock:
    """The machine's own clocks."""

    def monotonic(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()

    def wall(self) -> float:
        """Return `time.time()`."""
        return time.time()

    def wait(self, condition: threading.Condition, timeout: float | None) -> None:
        """Wait on the condition for real, or for the longest time that a lock can be told."""
        condition.wait(None if timeout is None else min(timeout, threading.TIMEOUT_MAX))
