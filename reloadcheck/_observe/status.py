"""What an operator may know about an engine: one frozen value, with nothing secret in it.

Filled by `_engine/collect`; its JSON is `_page/as_json`'s.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import cast

from .._config.freeze import FrozenDict
from ..seams.gates import Waiting
from ..seams.store import StoreStatus
from ..types import Code, Outcome, Place, ProbeOutcome, TrialStatus
from .history import Attempt


class Standing(StrEnum):
    """How things are, in one word: green, amber, red."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


class _Counts(FrozenDict):
    """Numbers by version; nothing in it is of the configuration, so its repr shows them."""

    def __repr__(self) -> str:
        return repr(dict(self))


def counted(leases: Mapping[int, int]) -> Mapping[int, int]:
    """Freeze counts by version."""
    return cast("Mapping[int, int]", _Counts(leases))


@dataclass(frozen=True, slots=True)
class ProbeStatus:
    """What a resource's probe came to when it was asked; `seconds` is how long it took.

    `error` quotes no value of the configuration. A resource without a probe is `not probed`.
    `still running`: an earlier call did not return in time and hangs; it is not called again.
    """

    outcome: ProbeOutcome
    error: str | None = None
    seconds: float | None = None


@dataclass(frozen=True, slots=True)
class ResourceStatus:
    """One resource: how many instances are open, and since which version the newest serves.

    `builds` counts the ones that were built, so that it is the generation of the newest; `version`
    is the first that it served. `leases` are the units of work that may use any instance of it.
    `forced_closes` were at the drain deadline, under those who still used them. `probe` is there
    when the status was asked for with `probe=True`. `key_paths` are what it is built from, and
    `needs` the resources; neither: all of the configuration.
    """

    name: str
    instances: int
    builds: int
    closes: int
    version: int | None = None
    leases: int = 0
    failed_builds: int = 0
    forced_closes: int = 0
    probe: ProbeStatus | None = None
    key_paths: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    @property
    def paths(self) -> tuple[str, ...]:
        """Return the key paths, by the name that they had before, for one release."""
        import warnings

        words = "paths of a resource's status are called key_paths now"
        warnings.warn(words, DeprecationWarning, stacklevel=2)
        return self.key_paths


@dataclass(frozen=True, slots=True)
class Draining:
    """An old instance of a resource that units of work still use, or that an edit waits for.

    `version` is the last that it served and `leases` the number of its users. It was replaced
    `seconds` ago, so none of them is younger, and closes under them in `closes_in` seconds.
    `holders` says what they are called, once it has taken some seconds. Where it is `unread`, they
    have not read it and may yet.
    """

    resource: str
    version: int
    leases: int
    seconds: float
    closes_in: float
    holders: tuple[str, ...] = ()
    unread: bool = False


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an engine in this process.

    `state` is one of `idle` (not started), `loading` (no good configuration yet), `serving`,
    `closing` and `closed`. `age` is the seconds since the present version was swapped in,
    `loaded_at` the wall-clock time of that in seconds since the epoch, `checked` the seconds since
    the last check began. `outcome`, `error` and `code` are those of the last check: an error is
    there for as long as its cause is; `is_edit` is false where it is of a resource that was to be
    built anew without an edit. `history` are the last things that happened, the oldest
    first. `reloads` counts the swaps, the first load too, `edits` those that an edit caused,
    `rejections` the edits refused, `undone` those that a trial took back, `rebuilds` the builds
    without an edit. `seconds` holds, by phase, how often it ran for any of them and how long in
    all. `waiting` is an edit that is good and not yet allowed, `pending_restart` the key paths that
    keep their running value until the process starts anew. `trial` is the trial or the watch that
    is on, `last_trial` the one before. `leases` maps the version of each live snapshot to the units
    of work that hold it; `draining` are the old resources that some of them still use.
    """

    state: str
    enabled: bool
    version: int | None = None
    digest: str | None = None
    source_digest: str | None = None
    age: float | None = None
    outcome: Outcome | None = None
    error: str | None = None
    code: str | None = None
    checks: int = 0
    reloads: int = 0
    forced_closes: int = 0
    resources: tuple[ResourceStatus, ...] = ()
    leases: Mapping[int, int] = field(default_factory=lambda: counted({}))
    remarks: tuple[str, ...] = ()
    unknown_keys: int = 0
    loaded_at: float | None = None
    checked: float | None = None
    edits: int = 0
    rebuilds: int = 0
    rejections: int = 0
    undone: int = 0
    sources: tuple[Place, ...] = ()
    history: tuple[Attempt, ...] = ()
    seconds: tuple[tuple[str, int, float], ...] = ()
    waiting: Waiting | None = None
    pending_restart: tuple[str, ...] = ()
    store: StoreStatus | None = None
    trial: TrialStatus | None = None
    last_trial: TrialStatus | None = None
    draining: tuple[Draining, ...] = ()
    is_edit: bool = True

    @property
    def phase(self) -> str:
        """Return the state, by the name that it had before, for one release."""
        import warnings

        warnings.warn("status.phase is called status.state now", DeprecationWarning, stacklevel=2)
        return self.state

    @property
    def attempt(self) -> Attempt | None:
        """Return the last thing that happened to the configuration."""
        return self.history[-1] if self.history else None

    @property
    def standing(self) -> Standing:
        """Return whether all that is written serves, and edits of it will be seen.

        It fails where an edit was rejected or undone or nothing can be served, and warns of all
        else that is not so: an edit that waits or is tried, a remark on a source, reloading
        switched off, no start yet, a store that is away.
        """
        unserved = self.error is not None and self.version is None
        undone = self.outcome is Outcome.UNDONE and self.error is not None
        if self.is_rejected or undone or unserved or self.failed_probes:
            return Standing.FAIL
        return Standing.WARN if any(self._reasons()) else Standing.OK

    @property
    def is_rejected(self) -> bool:
        """Return whether the last edit was rejected, also while it waits to be tried again."""
        if self.outcome is Outcome.REJECTED:
            return self.code not in (None, Code.DRAIN)
        return self.outcome is Outcome.DEFERRED and self.code in _BACKING_OFF

    @property
    def reasons(self) -> tuple[str, ...]:
        """Return why the standing is not `ok`, a sentence each, what is worst first."""
        return tuple(self._reasons())

    def _reasons(self) -> Iterator[str]:
        waiting = self.waiting
        is_told = waiting is not None and waiting.why == self.code
        if self.error is not None and not is_told:
            yield _LEADS.get(self.code or "", _lead(self)) + self.error
        elif self.state == "idle":
            yield "this worker has had no request yet, so that nothing is loaded"
        elif self.state in ("closing", "closed"):
            yield f"the engine is {self.state}"
        elif self.version is None:
            yield "the first load is under way"
        if self.trial is not None and self.trial.phase == "trying":
            yield _tried(self.trial)
        if waiting is not None:
            said = self.error if is_told and self.error is not None else waiting.sentence
            opens = "" if waiting.opens is None else f"; opens {_moment(waiting.opens)}"
            yield f"edit waits ({waiting.why}): {said}{opens}"
        frozen = None if self.store is None else self.store.frozen
        if frozen is not None and (waiting is None or waiting.why != Code.FROZEN):
            yield frozen
        if self.pending_restart:
            yield f"a restart is needed before it is live: {', '.join(self.pending_restart)}"
        for name in self.failed_probes:
            yield f"the probe of {name} did not pass"
        if not self.enabled:
            yield f"reloading is switched off ({_OFF}): edits need a restart"
        if self.store is not None and self.store.error is not None:
            yield f"the store is away, and nothing is written to it: {self.store.error}"
        yield from self.remarks

    @property
    def failed_probes(self) -> tuple[str, ...]:
        """Name the resources whose probe was asked and did not pass: ready means `()`."""
        asked = [(one.name, one.probe) for one in self.resources if one.probe is not None]
        return tuple(name for name, probe in asked if probe.error is not None)


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def _tried(trial: TrialStatus) -> str:
    """Say who has how much of what, and how a trial stands."""
    bad = ", ".join(
        f"{one.on_candidate} of the {one.bad} {one.name} on it (luck: {one.luck:.2g})"
        for one in trial.signals
    )
    return (
        f"an edit is tried: version {trial.version} has {trial.share:.0%} of the units of work, "
        f"{trial.units} so far; {bad or 'none failed'}; {trial.ends}"
    )


def _lead(status: Status) -> str:
    if status.outcome is Outcome.UNDONE:  # the sentence of a verdict begins with `undone` itself
        return "edit " if (status.error or "").startswith("undone") else "edit undone: "
    if not status.is_edit:
        return "not built anew (will be tried again): "
    if not status.is_rejected:
        return "edit not taken yet (will be tried again): "
    again = " (will be tried again)" if status.code in _BACKING_OFF else ""
    return f"edit rejected{again}: "


_OFF = "RELOAD_CHECK_ENABLED or enabled=False"
_BACKING_OFF = frozenset({Code.FACTORY, Code.PROBE, Code.TIMEOUT, Code.RESOURCE})
"""What is tried again with growing pauses, and said to be `deferred` during them."""
_LEADS = {str(Code.DRAIN): "edit waits for the resources in use: "}
