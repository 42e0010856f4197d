"""Have an edit tried in a test, with draws that the test has chosen.

Puts a `FakeDraw` in place of chance and takes it away again; the judge is the real one.
"""

import random
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any

from .._engine.api import ReloadCheck, engine_of
from ..exceptions import OptionError, UsageError
from ..types import Outcome, TrialStatus
from .clock import FakeClock
from .memory import MemorySource
from .pushing import push

__all__ = ["FakeDraw", "Tried", "trial"]


class FakeDraw(random.Random):
    """Draws of which exactly `share` fall on a candidate, evenly; those in `next` come first."""

    def __init__(self, share: float = 1.0) -> None:
        if not 0 <= share <= 1:
            raise OptionError("FakeDraw: share must be between 0 and 1")
        super().__init__(1)
        self.share = share
        self.next: list[bool] = []
        self._due = 0.0

    def random(self) -> float:
        """Return what falls on any share, or on none."""
        if self.next:
            falls = self.next.pop(0)
        else:
            self._due += self.share
            falls = self._due > 1 - 1e-9
            self._due -= falls
        return 0.0 if falls else 1 - 2**-53


class Tried:
    """The trial of one edit; `draw` says who has it."""

    def __init__(self, live: ReloadCheck[Any], draw: FakeDraw) -> None:
        self._live = live
        self.draw = draw

    @property
    def outcome(self) -> Outcome | None:
        """Return what has become of it by now: `trying`, `undone` or `reloaded`; asks the judge."""
        return self._live.check()

    @property
    def status(self) -> TrialStatus:
        """Return what was counted, also once it has ended."""
        status = self._live.status()
        found = status.trial or status.last_trial
        if found is None:
            raise UsageError("no edit was tried in this process")
        return found


@contextmanager
def trial(
    live: ReloadCheck[Any],
    source: MemorySource,
    content: str | bytes | Mapping[str, Any],
    *,
    share: float = 1.0,
    clock: FakeClock | None = None,
) -> Generator[Tried]:
    """Try an edit on exactly `share` of the requests in this block; blocks until it is.

    A trial that is on at the end of the block is undone. Raises `UsageError` where the engine has
    no trial, or tries the edit no more than any other: one that is rejected, or served before.
    """
    gate = engine_of(live).trial
    if gate is None:
        raise UsageError("this engine has no trial: make it with ReloadCheck(…, trial=True)")
    draw, before = FakeDraw(share), gate.draw
    gate.draw = lambda: draw
    try:
        outcome = push(live, source, content, clock=clock)
        if outcome is not Outcome.TRYING:
            error = live.status().error
            raise UsageError(f"the edit is not tried: {outcome}{f': {error}' if error else ''}")
        yield Tried(live, draw)
    finally:
        gate.draw = before
        run = gate.run
        if run is not None and run.promoted_at is None:
            live.undo(reason="the test has ended")
