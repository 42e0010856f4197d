"""What an engine remembers of its last attempts, in a ring that does not grow.

The history that a store keeps is `_state/ledger`'s. Takes attempts from the engine thread and gives
tuples to whoever looks; texts only, no values and nothing that keeps a configuration alive.
"""

from collections import deque
from dataclasses import dataclass
from typing import Final

from ..types import Code, Outcome, Phase, key_path_text
from .events import ReloadEvent

KEPT: Final = 20
"""How many attempts are remembered."""

SHOWN_PATHS: Final = 20
"""How many changed key paths an attempt, and one log line, names."""


VERDICTS: Final = frozenset(
    {
        Code.UNDONE_FAILED,
        Code.UNDONE_SLOW,
        Code.UNDONE_MARKED,
        Code.UNDONE_SHADOW,
        Code.UNDONE_BY_HAND,
        Code.WORKER_LOST,
        Code.WATCH,
        Code.UNJUDGED,
    }
)
"""Why an edit is taken back for good, rather than not tried on."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One thing that happened to the configuration, as people read it.

    `at` is wall-clock time in seconds since the epoch. `version` and `digest` are what served
    afterwards. `changed` are the first of the key paths that changed, of `changes` in all.
    `outcome` is `unchanged` where a failure ended because the running content was put back.
    `pickup` is how long the sources had been written when they went live, in seconds. `actor` is by
    whose leave they did, if it needed any, and `reason` why.
    """

    at: float
    outcome: Outcome
    version: int | None = None
    digest: str | None = None
    code: str | None = None
    error: str | None = None
    changed: tuple[str, ...] = ()
    changes: int = 0
    built: tuple[str, ...] = ()
    phases: tuple[Phase, ...] = ()
    trigger: str = "timer"
    first: bool = False
    pickup: float | None = None
    actor: str | None = None
    reason: str | None = None

    @property
    def is_undone(self) -> bool:
        """Return whether an edit was taken back; one that was just not tried on was not."""
        back = self.code in VERDICTS or self.code == Code.UNDONE_BEFORE
        return self.outcome is Outcome.UNDONE and back


def attempt_of(event: ReloadEvent) -> Attempt:
    """Return an event as people read it, with the first of its key paths in words."""
    paths = event.diff.key_paths
    return Attempt(
        event.at,
        event.outcome,
        event.version,
        event.digest,
        None if event.code is None else str(event.code),
        None if event.error is None else str(event.error),
        tuple(key_path_text(path) for path in paths[:SHOWN_PATHS]),
        len(paths),
        event.built,
        event.phases,
        event.trigger.kind,
        event.first,
        event.pickup,
        event.actor,
        event.reason,
    )


class History:
    """The last attempts, and counts of all; written by one thread, read by any."""

    def __init__(self) -> None:
        self._ring: deque[Attempt] = deque(maxlen=KEPT)
        self.noted = self.edits = self.rejections = self.rebuilds = self.undone = 0
        self.seconds: dict[str, tuple[int, float]] = {}

    def note(self, attempt: Attempt) -> None:
        """Remember one more; the oldest is forgotten."""
        self._ring.append(attempt)
        self.noted += 1
        if attempt.outcome is Outcome.REJECTED:
            self.rejections += 1
        elif attempt.outcome is Outcome.RELOADED and not attempt.first:
            self.edits += 1
        elif attempt.outcome is Outcome.REBUILT:
            self.rebuilds += 1
        elif attempt.is_undone:
            self.undone += 1
        if attempt.outcome in (Outcome.REJECTED, Outcome.RELOADED, Outcome.REBUILT):
            for phase in attempt.phases:
                count, total = self.seconds.get(phase.name, (0, 0.0))
                self.seconds[phase.name] = count + 1, total + phase.seconds

    @property
    def attempts(self) -> tuple[Attempt, ...]:
        """Return the last attempts, the oldest first."""
        return tuple(self._ring.copy())
