"""When a failed build is tried again: after growing, jittered pauses, until it works.

A value that only computes; the engine thread asks it.
"""

import random

FIRST, MOST = 1.0, 60.0
"""Seconds before the second try, and at most; each pause is between half of that and all of it."""


class BackOff:
    """The failures of one edit in a row; times are monotonic seconds."""

    def __init__(self) -> None:
        self._failures = 0
        self.retry_at = 0.0

    def fail(self, now: float) -> float:
        """Take note of a failure; give the time of the next try."""
        pause = min(MOST, FIRST * 2.0**self._failures)
        self._failures = min(self._failures + 1, 10)
        self.retry_at = now + pause * (0.5 + 0.5 * random.random())
        return self.retry_at

    def hurry(self) -> None:
        """Let the next try be made at once."""
        self.retry_at = 0.0

    def reset(self) -> None:
        """Begin anew: it worked, or there is another edit."""
        self._failures, self.retry_at = 0, 0.0
