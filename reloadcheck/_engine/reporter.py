"""Say what came of a check: to the log, the history and the listeners, once for each cause.

Key paths and places, never values. The history knows at once; the log and the listeners are told
when the check has ended and the status says what it came to.

Long because each thing that a check can come to has its own words, and all of them are said here.
"""

import logging
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, cast

from .._observe.events import ReloadEvent
from .._observe.history import SHOWN_PATHS, History, attempt_of
from .._observe.listeners import Listeners
from .._runtime.clock import Clock
from .._runtime.log import log
from .._snapshots.snapshot import Snapshot
from ..exceptions import ConfigError, RefusedError, ReloadCheckError, SourceError
from ..seams.gates import Wait
from ..types import TIMER, Code, Diff, Outcome, Problem, Trigger, key_path_text
from .admission import Admission
from .gate_answers import Given
from .phases import Phases


class Report:
    """The voice of one engine; remembers what it complained of last.

    `phases` are the steps of the present check, filled by those who take them; `sources` are the
    names of what it reads.
    """

    def __init__(self, admission: Admission[Any], listeners: Listeners, clock: Clock) -> None:
        self.history = History()
        self.phases = Phases()
        self.trigger = TIMER
        self._admission = admission
        self._listeners = listeners
        self._clock = clock
        self.sources: tuple[str, ...] = ()
        self._complaint: str | None = None
        self._untold: list[Callable[[], None]] = []

    def begin(self, trigger: Trigger) -> Phases:
        """Begin a check; gives the list that its phases are to be put into."""
        self.trigger, self.phases = trigger, Phases()
        return self.phases

    def forget(self) -> None:
        """Take note that there is something new, of which nothing is known to be wrong."""
        self._complaint = None

    def heal(self) -> None:
        """Say, if there was a complaint, that its cause is gone and what served serves on."""
        if self._complaint is not None and self._admission.serving.current is not None:
            version, _ = self._serving()
            words = "the configuration is good again; version %d was never interrupted"
            self._say(logging.INFO, words, version, **self._facts(Outcome.UNCHANGED))
            self._note(self._event(Outcome.UNCHANGED))
        self._complaint = None

    def complain(
        self,
        error: ReloadCheckError,
        *,
        again: bool = False,
        is_edit: bool = True,
        outcome: Outcome = Outcome.REJECTED,
    ) -> None:
        """Warn once of each cause, until there is another or none; `again` for another edit.

        `is_edit`: what failed was to take up an edit, and not to build anew without one. `outcome`
        is what it comes to, unless it may heal by itself.
        """
        if not self._is_new(error) and not again:
            return
        outcome = Outcome.DEFERRED if isinstance(error, SourceError) else outcome
        version, _ = self._serving()
        deferred = outcome is Outcome.DEFERRED
        what = "not taken yet (will be tried again)" if deferred else str(outcome)
        facts = self._facts(outcome, error)
        if version is None:
            words = "configuration %s; nothing serves yet: %s"
            self._say(logging.WARNING, words, what, error, **facts)
        elif not is_edit:
            words = "not built anew (will be tried again); version %d goes on serving: %s"
            self._say(logging.WARNING, words, version, error, **facts)
        else:
            words = "edit %s; version %d goes on serving: %s"
            self._say(logging.WARNING, words, what, version, error, **facts)
        event = self._event(outcome, error)
        self._note(event)
        if isinstance(error, ConfigError) and not deferred:
            self._tell(event)

    def defer(self, error: ReloadCheckError, *, is_edit: bool = True) -> None:
        """Mention once that an edit, or a build without one, waits; it is nobody's mistake."""
        if self._is_new(error):
            facts = self._facts(Outcome.DEFERRED, error)
            words = "the edit waits: %s" if is_edit else "the build waits: %s"
            self._say(logging.INFO, words, error, **facts)
            self._note(self._event(Outcome.DEFERRED, error))

    def wait(self, error: ConfigError) -> None:
        """Say, once a reason, that an edit is good and not yet allowed.

        It may be hours until it is, so an operator is warned; on the other workers it waits for
        seconds.
        """
        facts = self._facts(Outcome.WAITING, error)
        level = logging.INFO if error.code == Code.WAITING else logging.WARNING
        self._say(level, "the edit waits: %s", error, **facts)
        self._note_and_tell(self._event(Outcome.WAITING, error))

    def attempt(self, snapshot: Snapshot[Any], changes: Diff) -> None:
        """Say that a version is tried on some units of work."""
        paths = changes.key_paths
        shown = tuple(key_path_text(path) for path in paths[:SHOWN_PATHS])
        words = "configuration version %d is tried on a share of the requests; changed: %s"
        facts = self._facts(Outcome.TRYING)
        self._say(logging.INFO, words, snapshot.version, ", ".join(shown) or "-", **facts)
        event = self._event(Outcome.TRYING)
        self._note(replace(event, diff=changes))
        self._tell(event)

    def undone(self, error: ConfigError, edit: str) -> None:
        """Warn that a version was taken back, and why; `edit` is the source digest of it."""
        self._say(logging.WARNING, "%s", error.reason, **self._facts(Outcome.UNDONE, error))
        self._note_and_tell(replace(self._event(Outcome.UNDONE, error), edit=edit))

    def withdrawn(self, number: int, answer: Wait, edit: str) -> None:
        """Say that a trial ended without a verdict: for another edit, or to wait for its time."""
        reason = f"version {number} is not tried on: {answer.why}"
        outcome = Outcome.UNDONE if answer.code == Code.SUPERSEDED else Outcome.WAITING
        self._end_edit(outcome, reason, answer.code, edit)

    def superseded(self, why: str, edit: str) -> None:
        """Say that an edit waits no longer, as there is another one, or none any more."""
        reason = f"the edit that waited is gone: {why}"
        self._end_edit(Outcome.UNCHANGED, reason, Code.SUPERSEDED, edit)

    def _end_edit(self, outcome: Outcome, reason: str, code: str, edit: str) -> None:
        error = RefusedError(Problem(reason), code=code)
        self._say(logging.INFO, "%s", error.reason, **self._facts(outcome, error))
        self._note_and_tell(replace(self._event(outcome, error), edit=edit))

    def pend(self, error: ConfigError) -> None:
        """Say that an edit changes only what waits for a restart; `error` has its keys."""
        words = "the edit changes only what needs a restart: %s; version %d goes on serving"
        version, _ = self._serving()
        facts = self._facts(Outcome.UNCHANGED, error)
        self._say(logging.WARNING, words, _keys_of(error), version, **facts)
        self._note_and_tell(self._event(Outcome.UNCHANGED, error))

    def pend_rest(self, error: ConfigError) -> None:
        """Say that the rest of an edit is live, and which keys of it wait for a restart."""
        words = "what needs a restart keeps its running value until then: %s"
        facts = self._facts(Outcome.RELOADED, error)
        self._say(logging.WARNING, words, _keys_of(error), **facts)

    def rebuilt(self, built: Sequence[str], why: Mapping[str, str]) -> None:
        """Say that resources were built anew without an edit; `why` says it of those in need."""
        facts = {**self._facts(Outcome.REBUILT), "built": tuple(built)}
        version, _ = self._serving()
        reasons = ", ".join(f"{name} ({words})" for name, words in why.items())
        words = "rebuilt without an edit: %s; built: %s; version %d goes on serving"
        self._say(logging.INFO, words, reasons, ", ".join(built), version, **facts)
        self._note_and_tell(replace(self._event(Outcome.REBUILT), built=tuple(built)))

    def announce(
        self,
        snapshot: Snapshot[Any],
        changes: Diff,
        built: Sequence[str],
        *,
        first: bool,
        newest_ns: int | None,
        leave: Given | None = None,
        why: str | None = None,
    ) -> None:
        """Say that a version is live; `newest_ns` is the newest time of what it was made of.

        `leave` is by whose it is live; that the glass was broken is warned of. `why` is what its
        trial has to say, where nobody gave leave.
        """
        paths = changes.key_paths
        shown = tuple(key_path_text(path) for path in paths[:SHOWN_PATHS])
        actor, reason = (None, why) if leave is None else (leave.actor, leave.reason)
        facts = {**self._facts(Outcome.RELOADED), "changed": shown, "built": tuple(built)}
        facts |= {"actor": actor, "reason": reason}
        version, digest = snapshot.version, snapshot.digest[:12]
        made = ", ".join(built) or "nothing"
        if first:
            words = "configuration version %d is live (first load) from %s; built: %s; digest %s"
            self._say(logging.INFO, words, version, ", ".join(self.sources), made, digest, **facts)
        else:
            words = "configuration version %d is live; changed: %s; built: %s; digest %s"
            changed = _listed(shown, len(paths))
            self._say(logging.INFO, words, version, changed, made, digest, **facts)
        if leave is None and why is not None:
            self._say(logging.INFO, "configuration version %d: %s", version, why, **facts)
        if leave is not None:
            words = "configuration version %d is live by leave of %s: %s"
            if leave.is_override:
                words = "configuration version %d is live by override of %s: %s"
            level = logging.WARNING if leave.is_override else logging.INFO
            self._say(level, words, version, actor, reason, **facts)
        event = self._event(Outcome.RELOADED)
        pickup = None if first or newest_ns is None else max(0.0, event.at - newest_ns / 1e9)
        self._note_and_tell(
            replace(
                event,
                version=snapshot.version,
                digest=snapshot.digest,
                diff=changes,
                built=tuple(built),
                first=first,
                pickup=pickup,
                actor=actor,
                reason=reason,
                is_override=leave is not None and leave.is_override,
            )
        )

    def _serving(self) -> tuple[int | None, str | None]:
        current = self._admission.serving.current
        return (
            (None, None) if current is None else (current.snapshot.version, current.snapshot.digest)
        )

    def _event(self, outcome: Outcome, error: ReloadCheckError | None = None) -> ReloadEvent:
        """Return what comes of this check, now and with what serves."""
        phases, at = tuple(self.phases), self._clock.wall()
        told = cast("ConfigError | None", error)  # what is no such error is noted, not told
        of = (outcome, *self._serving(), Diff(), (), told, phases, at, self.trigger)
        return ReloadEvent(*of)

    def _facts(self, outcome: Outcome, error: ReloadCheckError | None = None) -> dict[str, object]:
        """Return what each record of a reload or a failure carries beside its words."""
        version, digest = self._serving()
        return {
            "outcome": str(outcome),
            "version": version,
            "digest": digest,
            "code": None if error is None else str(error.code),
            "trigger": self.trigger.kind,
            "seconds": {phase.name: phase.seconds for phase in self.phases},
        }

    def _note(self, event: ReloadEvent) -> None:
        self.history.note(attempt_of(event))

    def _note_and_tell(self, event: ReloadEvent) -> None:
        self._note(event)
        self._tell(event)

    def _is_new(self, error: ReloadCheckError) -> bool:
        before, self._complaint = self._complaint, str(error)
        return before != self._complaint

    def _say(self, level: int, words: str, *values: object, **facts: object) -> None:
        self._untold.append(partial(log, level, words, *values, **facts))

    def _tell(self, event: ReloadEvent) -> None:
        self._untold.append(
            lambda: self._listeners.tell(event, self._admission.home, self._admission.post)
        )

    def fail(self, error: BaseException) -> None:
        """Report a mistake of our own."""
        self._untold.append(partial(report_failure_inside, error))

    def tell(self) -> None:
        """Say what there is to tell, in its order: once the status knows of it, and not before."""
        untold, self._untold = self._untold, []
        for telling in untold:
            telling()


def _keys_of(error: ConfigError) -> str:
    paths = [key_path_text(problem.key_path) for problem in error.problems]
    return _listed(paths[:SHOWN_PATHS], len(paths))


def _listed(paths: Sequence[str], count: int) -> str:
    more = f" and {count - len(paths)} more" if count > len(paths) else ""
    return (", ".join(paths) or "nothing") + more


def report_failure_inside(error: BaseException) -> None:
    """Report a mistake of our own, without its text, which might quote a value."""
    *_, (frame, line) = traceback.walk_tb(error.__traceback__)
    name = f"{type(error).__name__} at {frame.f_code.co_filename}:{line}"
    log(
        logging.ERROR,
        "reloadcheck failed inside with %s; the last good version goes on serving; report it",
        name,
        code=str(Code.INTERNAL),
    )
