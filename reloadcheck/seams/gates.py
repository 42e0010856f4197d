"""The second seam: one edit as gates are asked about it, their answers, and what gates can do."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias, runtime_checkable

from ..types import Diff, KeyPath, Outcome, Phase, Problem, Trigger
from .feed import Loaded
from .trial import Stage, Units


@dataclass(frozen=True, slots=True)
class Proposal:
    """One edit, as a gate is asked about it; `old` is None at the first load.

    `plan` names the resources that it would build. `at` is wall-clock time in seconds since the
    epoch. `versions` are the numbers that it would have and that serves. `overridden`: somebody
    broke the glass for it, which skips trials; `actor` and `reason` are of who gave leave.
    `phases` are the steps so far, with their seconds. `is_back`: its content served before, in this
    process or by the history, and was not taken back since. `again`: it is the very edit that was
    held back the last time; before it is let through, all are asked once more without this. A gate
    changes nothing of it and keeps nothing of it once it has answered.
    """

    old: Loaded[Any] | None
    new: Loaded[Any]
    changes: Diff
    plan: tuple[str, ...]
    trigger: Trigger
    at: float
    versions: tuple[int, int] = (0, 0)
    overridden: bool = False
    actor: str | None = None
    reason: str | None = None
    phases: tuple[Phase, ...] = ()
    is_back: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Go:
    """Let the edit through.

    `remarks` are sentences that an operator should read all the same; `actor` is who gave leave,
    `reason` why, `override` that it is past windows and the leave of others. With `watch` the
    version before is kept ready, every unit of work is told there, and the gate is asked on by
    `after`.
    """

    remarks: tuple[str, ...] = ()
    actor: str | None = None
    reason: str | None = None
    watch: Units | None = None
    override: bool = False


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the edit until the sources hold something else; `code` is the stable name of why.

    `outcome` is what the check comes to: `UNDONE` where the edit was live and was taken back.
    """

    problems: tuple[Problem, ...]
    code: str
    outcome: Outcome = Outcome.REJECTED


@dataclass(frozen=True, slots=True)
class Wait:
    """Hold the edit back: it is good and not yet allowed.

    `opens` is when it is allowed, in seconds since the epoch; None where nobody can tell. `keys`
    are the key paths that wait. `look` is after how many seconds, at the latest, it is asked again.
    """

    code: str
    why: str
    opens: float | None = None
    keys: tuple[KeyPath, ...] = ()
    look: float = 30.0


@dataclass(frozen=True, slots=True)
class Keep:
    """Let the edit through, but the values at `paths` stay what they are until a restart.

    At the first load, where nothing serves yet, they are those of the tree `values`.
    """

    paths: tuple[KeyPath, ...]
    remarks: tuple[str, ...] = ()
    actor: str | None = None
    reason: str | None = None
    override: bool = False
    values: Mapping[str, Any] | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Share:
    """Serve the new version to some of the units of work beside the old one; `units` draws them.

    It is asked again after `look` seconds, or when `units` pokes.
    """

    units: Units
    look: float = 0.25


@dataclass(frozen=True, slots=True)
class Waiting:
    """An edit that is good and not yet allowed, as people are told of it.

    `digest` is the snapshot's that it would make. `since` and `opens` are wall-clock times in
    seconds since the epoch, `opens` None where nobody can tell. `why` is the stable name of the
    reason, `sentence` the reason in words, `keys` the key paths that wait.
    """

    digest: str
    since: float
    why: str
    sentence: str
    opens: float | None = None
    keys: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Defer:
    """Put the edit off for what is no fault of it; ask again after `look` seconds.

    `drop`: what was built is not held meanwhile. `again`: nothing is concluded, the sources are
    looked at anew at once, as they may give something else.
    """

    code: str
    why: str
    look: float = 1.0
    drop: bool = False
    again: bool = False


Answer: TypeAlias = Go | Reject | Wait | Keep | Share | Defer


GO: Final = Go()


@runtime_checkable
class Watching(Protocol):
    """A gate that goes on judging what it let through."""

    def after(self, proposal: Proposal) -> Answer:
        """Answer while the version before is kept ready: `Wait`, `Go` to let it end, `Reject`."""
        ...


@runtime_checkable
class Remembering(Protocol):
    """A gate that knows what served before this process did."""

    def served(self, loaded: Loaded[Any]) -> bool:
        """Return whether a configuration served, and was not taken back since; never blocks."""
        ...

    def taken_back(self, loaded: Loaded[Any]) -> None:
        """Take note that one is taken back here, before anybody hears of it; never blocks."""
        ...


@runtime_checkable
class Opening(Protocol):
    """A gate that reads something of its own when the engine starts."""

    def open(self) -> frozenset[str]:
        """Read it, in the reader thread; return names of keys whose values are shown nowhere.

        Raise `ConfigError`; it is tried again at the next check then.
        """
        ...

    def pending(self) -> tuple[str, ...]:
        """Return what of it changed since and waits for a restart; in the reader thread."""
        ...


@runtime_checkable
class Rehearsing(Protocol):
    """A gate that tries an edit by itself when all is built, before anybody gets it."""

    def rehearse(self, proposal: Proposal, new: Stage, old: Stage) -> Answer:
        """Answer as `now` does; `old` is what serves."""
        ...


class Gate(Protocol):
    """What is asked about each edit; runs in a call thread, one question at a time."""

    @property
    def name(self) -> str:
        """Return what messages call it."""
        ...

    @property
    def seconds(self) -> float:
        """Return how long one answer may take, in seconds."""
        ...

    def may(self, proposal: Proposal) -> Answer:
        """Answer before anything is built; `Share` is no answer here."""
        ...

    def now(self, proposal: Proposal) -> Answer:
        """Answer when all is built and probed; `Keep` is no answer here.

        What was built is held meanwhile, should the answer be `Wait`.
        """
        ...
