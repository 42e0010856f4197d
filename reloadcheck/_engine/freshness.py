"""The rule of the window: how long the result of a check counts, and who has to wait for another.

HTTP's stale-while-revalidate, applied to configuration: for a window the result is fresh; for the
next one units of work go on while a check runs behind them; only after that, on an application that
was idle, do they wait. Takes times and gives verdicts; all are monotonic seconds.
"""

import math
from enum import Enum

from .options import Options


class Age(Enum):
    """What the age of the last result means for the unit of work that asks."""

    FOREVER = "there are no checks"
    FRESH = "go on"
    AGEING = "go on, while a check runs behind you"
    IDLE = "wait for a check"
    NEVER = "wait for a check that begins from now on"


class Freshness:
    """The checks of one engine by the clock.

    A result ages from `checked_at`, when its check began; the application counts as idle from
    `concluded_at`, when it ended. `in_flight`: one is under way.
    """

    __slots__ = ("_begun_at", "_enabled", "_window", "checked_at", "concluded_at", "in_flight")

    def __init__(self, options: Options) -> None:
        self._window = options.window
        self._enabled = options.enabled
        self._begun_at = 0.0
        self.checked_at = self.concluded_at = -math.inf
        self.in_flight = False

    def begin(self, now: float) -> None:
        """Take note that a check begins."""
        self._begun_at, self.in_flight = now, True

    def end(self) -> None:
        """Take note that it has ended, whatever it came to."""
        self.in_flight = False

    def renew(self, now: float) -> None:
        """Take note that what it came to counts as a result."""
        self.checked_at, self.concluded_at = self._begun_at, now

    def age(self, now: float) -> Age:
        """Say what a unit of work is to do that comes now and finds something that serves."""
        if not self._enabled:
            return Age.FOREVER
        if self._window == 0:
            return Age.NEVER
        if now - self.checked_at <= self._window:
            return Age.FRESH
        return Age.IDLE if now - self.concluded_at > 2 * self._window else Age.AGEING

    def is_answer(self, now: float) -> bool:
        """Return whether who finds nothing to serve is answered by what the last check came to."""
        return now - self.concluded_at < self._window

    def has_seen(self, now: float) -> bool:
        """Return whether the check under way, if one is, sees what the sources hold now.

        One that began too long ago may not have.
        """
        return self.in_flight and now - self._begun_at <= self._window

    @property
    def lasts(self) -> bool:
        """Return whether a result serves anybody but the one who asked."""
        return self._window > 0 or not self._enabled

    @property
    def until(self) -> float | None:
        """Return until when the last result is fresh; None for: until there is another."""
        return self.checked_at + self._window if self._enabled else None

    def look_after(self, settle: float) -> float:
        """Return after how many seconds an unsettled source is looked at again, by ourselves.

        Often enough for any window, and not so often that it costs anything.
        """
        return max(min(settle, self._window), settle / 8, 0.001)
