"""The settle rule: has the writer of a source finished? And does its clock lag? By stamps."""

import math
from typing import Final

OLD_AFTER: Final = 10.0
"""Seconds. More than a file server's clock is usually behind; five ticks of the coarsest one."""

OLD_UNTIL: Final = 10 * 365.25 * 86_400.0
"""Seconds. Beyond it a time says that a clock was never set, not that the file is old."""

AGED_AFTER: Final = 2.0
"""Seconds. The coarsest tick that file systems stamp with; within one, two writes look like one."""

STEP: Final = 1.0
"""Seconds by which the wall clock must leave the monotonic one to count as having been set."""


MOST_LATE: Final = 600.0
"""Seconds by which a clock is remembered to be late; more is seen anew with each edit."""


class Quiet:
    """The settle rule for one set of sources: has its writer finished?

    A set is quiet when its stamps were seen twice, at least `settle` seconds apart on the monotonic
    clock, or at first sight when its newest time is old by the wall clock. For as long as the wall
    clock was set less than ten seconds ago, ages by it say nothing. Nor do they where a file
    server's clock is late: what changed since the last look cannot be older than that.
    """

    __slots__ = (
        "_contradicts", "_late", "_looked_at", "_newest_ns", "_offset", "_set_at", "_stamps",
        "first_seen", "settle",
    )  # fmt: skip

    def __init__(self, settle: float) -> None:
        self.settle = settle
        self.first_seen = math.inf
        """When the present stamps were first seen, on the monotonic clock; inf before any."""
        self._stamps: object = object()
        self._newest_ns: int | None = None
        self._offset: float | None = None
        self._set_at = -math.inf
        self._looked_at: float | None = None
        self._contradicts = False
        self._late = 0.0

    def look(self, stamps: object, newest_ns: int | None, now: float, wall: float) -> bool:
        """Take in the present stamps and say whether they may be read now.

        `now` is on the monotonic clock, `wall` on the wall clock, both in seconds and both read
        before the stamps were taken. `newest_ns` None, for sources without times, is quiet.
        """
        self._watch(now, wall)
        self._newest_ns = newest_ns
        if stamps != self._stamps:
            self._stamps = stamps
            self.first_seen = now
            self._compare_clocks(now, wall)
        self._looked_at = now
        return now - self.first_seen >= self.settle or self._old(now, wall)

    def trusted(self, now: float, wall: float) -> bool:
        """Say whether content read from `now` on may stand for as long as the stamps stay equal.

        False means *racy* (git's racily clean): a write within the same tick of the file system's
        clock would not show, so content must be hashed again at each check, until a read that
        began when this was true.
        """
        return now - self.first_seen >= AGED_AFTER or self._old(now, wall)

    def _watch(self, now: float, wall: float) -> None:
        offset = wall - now
        if self._offset is not None and abs(offset - self._offset) > STEP:
            self._set_at = now
        self._offset = offset

    def _compare_clocks(self, now: float, wall: float) -> None:
        """Take note whether what has changed since the last look claims to be older than that."""
        self._contradicts = False
        if self._newest_ns is None or self._looked_at is None or now - self._set_at < OLD_AFTER:
            return
        late = wall - self._newest_ns / 1e9 - (now - self._looked_at)
        self._contradicts = late > AGED_AFTER
        if self._contradicts and late <= MOST_LATE:
            self._late = max(self._late, late)

    def _old(self, now: float, wall: float) -> bool:
        if self._newest_ns is None:
            return not math.isinf(self.first_seen)
        if now - self._set_at < OLD_AFTER or self._contradicts:
            return False
        return OLD_AFTER + self._late <= wall - self._newest_ns / 1e9 <= OLD_UNTIL
