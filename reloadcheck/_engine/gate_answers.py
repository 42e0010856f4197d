"""What the gates have said of the newest edit, remembered: that it waits, that keys of it wait.

Asking is `gates`', carrying out `permission`'s. Remembers and tells; decides nothing. Written by
the engine thread, read by whoever looks.
"""

from dataclasses import dataclass
from typing import Final, Generic, TypeVar

from .._resources.build import Built
from ..seams.feed import Loaded
from ..seams.gates import Go, Keep, Wait, Waiting
from ..types import Diff, KeyPath, key_path_text

C = TypeVar("C")

LEAST_LOOK: Final = 0.05
"""Seconds between two questions to a gate about one edit that waits, at the least."""


@dataclass(frozen=True, slots=True)
class Prepared(Generic[C]):
    """An edit that is built and probed and may not be swapped in yet; `read` is as it was read."""

    read: Loaded[C]
    loaded: Loaded[C]
    changes: Diff
    built: Built
    is_rehearsed: bool = False

    @property
    def is_whole(self) -> bool:
        """Return whether all that it needs is still there."""
        return not any(one.dropped or one.closed for one in self.built.instances)


@dataclass(frozen=True, slots=True)
class Given:
    """The leave by which an edit goes live: whose, why, and whether the glass was broken."""

    actor: str
    reason: str | None
    is_override: bool


class Permit(Generic[C]):
    """What is known about the newest edit of one engine beside its content.

    `waits_in` is the source digest of what waits.
    """

    def __init__(self) -> None:
        self.waiting: Waiting | None = None
        self.waits_in = ""
        self.pending_restart: tuple[str, ...] = ()
        self.of_gates: tuple[str, ...] = ()
        self.remarks: tuple[str, ...] = ()
        self.leave: Given | None = None
        self.prepared: Prepared[C] | None = None
        self._pending_in: str | None = None

    def wait(self, answer: Wait, read: Loaded[C], at: float) -> bool:
        """Take note that an edit waits; say whether that is news. `at` is wall-clock seconds."""
        before, digest = self.waiting, read.digest
        self.waits_in = read.source_digest
        since = before.since if before is not None and before.digest == digest else at
        keys = tuple(key_path_text(path) for path in answer.keys)
        self.waiting = Waiting(digest, since, answer.code, answer.why, answer.opens, keys)
        return before != self.waiting

    def let_through(self, answer: Go | Keep) -> None:
        """Take note of what was said of an edit that may go on: it waits no longer."""
        self.waiting = None
        self.remarks, self.leave = answer.remarks, None
        if answer.actor is not None:
            self.leave = Given(answer.actor, answer.reason, answer.override)

    def keep(self, source_digest: str, paths: tuple[KeyPath, ...]) -> None:
        """Take note that keys of what the sources hold keep their running value."""
        self.pending_restart = tuple(sorted({key_path_text(path) for path in paths}))
        self._pending_in = source_digest

    def is_pending_in(self, source_digest: str) -> bool:
        """Return whether the keys are pending in what the sources hold."""
        return self._pending_in == source_digest

    def decided(self, source_digest: str | None = None) -> None:
        """Take note that nothing waits any more; `source_digest` is of what is running."""
        self.waiting = None
        if source_digest is not None and source_digest != self._pending_in:
            self.pending_restart, self._pending_in = (), None

    def let_go(self) -> None:
        """Leave what was prepared to the drain, which closes the newest first."""
        prepared, self.prepared = self.prepared, None
        if prepared is not None:
            for instance in prepared.built.fresh:
                instance.closable = True


def look_after(answer: Wait, wall: float) -> float:
    """Return after how many seconds an edit that waits is asked about again."""
    until = answer.look if answer.opens is None else answer.opens - wall
    return max(LEAST_LOOK, min(answer.look, until))
