"""Say what came of a check: to the log and to the listeners, once for each cause.

Key paths and places, never values.
"""

import logging
import traceback
from collections.abc import Sequence
from typing import Any

from ._desk import Desk
from ._diff import Diff
from ._events import ReloadEvent
from ._listeners import Listeners
from ._log import log
from ._snapshot import Snapshot
from .exceptions import ConfigError, ReloadCheckError, SourceError
from .types import Outcome, key_path_text

SHOWN_PATHS = 20
"""How many changed key paths one log line names."""


class Report:
    """The voice of one engine; remembers what it complained of last."""

    def __init__(self, desk: Desk[Any], listeners: Listeners) -> None:
        self._desk = desk
        self._listeners = listeners
        self._complaint: str | None = None

    def forget(self) -> None:
        """Take note that there is something new, of which nothing is known to be wrong."""
        self._complaint = None

    def heal(self) -> None:
        """Say, if there was a complaint, that its cause is gone and what served serves on."""
        if self._complaint is not None and self._desk.current is not None:
            version = self._desk.current.snapshot.version
            log(logging.INFO, "configuration as it was: version %d serves on", version)
        self._complaint = None

    def complain(self, error: ReloadCheckError, *, again: bool = False) -> None:
        """Warn once of each cause, until there is another or none; `again` for another edit."""
        if not self._is_new(error) and not again:
            return
        outcome = Outcome.DEFERRED if isinstance(error, SourceError) else Outcome.REJECTED
        current = self._desk.current
        held = "nothing is loaded yet" if current is None else "the last good one serves on"
        log(logging.WARNING, "configuration %s, %s: %s", outcome, held, error)
        if isinstance(error, ConfigError) and outcome is Outcome.REJECTED:
            version = None if current is None else current.snapshot.version
            digest = None if current is None else current.snapshot.digest
            self._tell(ReloadEvent(outcome, version, digest, Diff(), error=error))

    def defer(self, error: ReloadCheckError) -> None:
        """Mention once that an edit waits for something that is nobody's mistake."""
        if self._is_new(error):
            log(logging.INFO, "configuration deferred: %s", error)

    def announce(
        self,
        snapshot: Snapshot[Any],
        changes: Diff,
        built: Sequence[str],
        seconds: Sequence[tuple[str, float]],
    ) -> None:
        """Tell that a version is live."""
        paths = [*changes.changed, *changes.added, *changes.removed]
        log(
            logging.INFO,
            "configuration version %d is live, digest %s; changed: %s; built: %s",
            snapshot.version,
            snapshot.digest[:12],
            ", ".join(key_path_text(path) for path in paths[:SHOWN_PATHS]) or "-",
            ", ".join(built) or "-",
        )
        self._tell(
            ReloadEvent(
                Outcome.RELOADED,
                snapshot.version,
                snapshot.digest,
                changes,
                tuple(built),
                seconds=tuple(seconds),
            )
        )

    def _is_new(self, error: ReloadCheckError) -> bool:
        before, self._complaint = self._complaint, str(error)
        return before != self._complaint

    def _tell(self, event: ReloadEvent) -> None:
        self._listeners.tell(event, self._desk.home, self._desk.post)


def report_failure_inside(error: BaseException) -> None:
    """Report a mistake of our own, without its text, which might quote a value."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    name = f"{type(error).__name__} at {where.filename}:{where.lineno}"
    log(
        logging.ERROR,
        "reloadcheck failed inside with %s; the last good configuration serves on",
        name,
    )
