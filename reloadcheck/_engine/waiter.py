"""One unit of work that waits for a check, and what a check came to."""

from __future__ import annotations

import math
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING

from .._runtime.event_loops import wake
from ..exceptions import ReloadCheckError
from ..types import Outcome

if TYPE_CHECKING:
    import asyncio


LAST_RESORT, LONGEST = 5.0, 1e6
"""Seconds, on the real clock, after which nobody waits for an engine thread that does not answer;
and the longest time that the platform's locks can be told to wait."""

LEAST_START = 1.0
"""Seconds that a start takes if it must, however little patience requests have."""


@dataclass(frozen=True, slots=True)
class Conclusion:
    """What a check came to. `settling`: the file is not quiet yet, the engine will look again.

    `closed`: it came to nothing, the engine was closed meanwhile. `is_edit`: the error is of an
    edit, and not of a resource that was to be built anew without one.
    """

    outcome: Outcome
    error: ReloadCheckError | None = None
    settling: bool = False
    closed: bool = False
    is_edit: bool = True


class Waiter:
    """One unit of work (or a call of `start` or `check`) that waits for a conclusion.

    It is answered by the first check that begins after check number `after`, or at `deadline`
    (monotonic seconds) by what there is then. `through_build`: once the file is settled, wait for
    it to be read and its resources to be built, however long they take; `late` when the deadline
    has passed meanwhile. `paused`: it is the first after an idle time, or came
    while that one waits; `asked`: it was asked for by name, and waits however long the file has
    been unsettled. Should the engine thread never answer, a waiter goes on `LAST_RESORT` seconds
    after its patience.
    """

    def __init__(
        self, after: int, deadline: float, *, through_build: bool, patience: float = math.inf
    ) -> None:
        self.after = after
        self.deadline = deadline
        self.through_build = through_build
        self.paused = False
        self.asked = False
        self.late = False
        self._last_resort = None if through_build else min(patience + LAST_RESORT, LONGEST)
        self._handle: asyncio.TimerHandle | None = None
        self.conclusion: Conclusion | None = None
        self._event = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._future: asyncio.Future[None] | None = None

    def bind(self) -> None:
        """Be awaitable in the running loop; call before the waiter is handed to the admission."""
        import asyncio

        self._loop = asyncio.get_running_loop()
        self._future = self._loop.create_future()
        if self._last_resort is not None:
            self._handle = self._loop.call_later(self._last_resort, wake, self._future)

    def answer(self, conclusion: Conclusion) -> None:
        """Let the one who waits go on; called once, by the engine thread."""
        self.conclusion = conclusion
        self._event.set()
        if self._loop is None or self._future is None:
            return
        try:
            self._loop.call_soon_threadsafe(wake, self._future)
        except RuntimeError:  # that loop is closed, and nobody waits any more
            return

    def wait(self, most: float | None = None) -> Conclusion:
        """Block until answered; at most `most` seconds on the real clock, if given."""
        self._event.wait(self._last_resort if most is None else most)
        return self._answer()

    async def wait_async(self, most: float | None = None) -> Conclusion:
        """Wait in the loop that `bind` was called in; at most `most` seconds, if given."""
        try:
            if self._future is not None and most is None:
                await self._future
            elif self._future is not None:
                import asyncio

                await asyncio.wait([self._future], timeout=most)
        finally:
            if self._handle is not None:
                self._handle.cancel()
        return self._answer()

    def _answer(self) -> Conclusion:
        return self.conclusion or Conclusion(Outcome.DEFERRED)
