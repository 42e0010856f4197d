"""What a trial is told by those who serve: tickets of units of work, counts, verdicts, stages."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class Counted:
    """What one worker has counted of a trial, in sums, so that no order matters.

    `units` fell on the candidate, `baseline` on what serves. `signals` has for each the bad units,
    those on the candidate, and the sums of its judge; `first` is the first failure in words. Bad
    units of visitors who always fall alike are in `keyed` instead: for each signal and visitor
    whether on the candidate, and at which share, so that each counts once over all workers.
    """

    units: int = 0
    baseline: int = 0
    signals: Mapping[str, tuple[int, int, tuple[float, ...]]] = field(
        default_factory=dict[str, tuple[int, int, tuple[float, ...]]]
    )
    keyed: Mapping[str, Mapping[str, tuple[bool, float]]] = field(
        default_factory=dict[str, Mapping[str, tuple[bool, float]]]
    )
    first: str | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    """How a trial ends for all: `promote`, `undo` or `trouble`, with code and sentence."""

    word: str
    code: str = ""
    sentence: str = ""


class TrialPool(Protocol):
    """The workers that share one trial; every method may be called in a call thread."""

    def begin(self, digest: str) -> None:
        """Take part in the trial of a configuration, by its digest."""
        ...

    def tell(self, counted: Counted) -> None:
        """Publish to the others what was counted here."""
        ...

    @property
    def others(self) -> tuple[Counted, ...]:
        """Return what the others have counted."""
        ...

    @property
    def lost(self) -> str | None:
        """Return the name of a worker whose process ended in the midst of it."""
        ...

    def verdict(self, stage: str = "") -> Verdict | None:
        """Return what was decided, of the trial or of a later stage of it."""
        ...

    def decide(self, verdict: Verdict, stage: str = "") -> Verdict:
        """Decide for all; return what holds. Blocks for half a second at most."""
        ...

    def leave(self) -> None:
        """Take part no longer."""
        ...


class UnitTicket(Protocol):
    """One unit of work, as it is told while an edit is tried; may be called in any thread.

    `on_candidate`: it is on the new version. Whoever cannot have it there says so by setting this.
    `raised` is the name of an exception that the framework answers; it is no failure by itself.
    """

    on_candidate: bool
    raised: str | None

    @property
    def repeats(self) -> bool:
        """Return whether the request is to be made again: say `sent` once its answer is."""
        ...

    def sent(self) -> None:
        """Take note that the whole answer has been handed to the server; never blocks."""
        ...

    def is_bad(self, status: int) -> bool:
        """Return whether an answer with this status is a failure."""
        ...

    def answered(self) -> None:
        """Take note that the answer is complete; what runs on behind it is not slow."""
        ...

    def failed(self, what: str) -> None:
        """Take note of a failure, `POST /checkout → KeyError`: what was asked, what came of it.

        A unit fails once; an exception behind a bad status says it better.
        """
        ...

    def gone(self) -> None:
        """Take note that the client went away: what fails from now on is no failure."""
        ...

    def marked(self, name: str) -> None:
        """Take note that the application itself calls it bad."""
        ...

    def ended(self) -> None:
        """Take note of the end, however it came; twice at worst."""
        ...


class Units(Protocol):
    """Who draws units of work to a candidate and hears what became of them; in any thread.

    `poke` is set by the engine, and called to be asked at once.
    """

    poke: Callable[[], None]

    def draw(self, scope: Mapping[str, Any]) -> UnitTicket:
        """Return the ticket of a request that begins; `scope` is its scope or environ."""
        ...

    def begin(self, on_candidate: bool) -> UnitTicket:
        """Return the ticket of a unit of work that begins and is not drawn."""
        ...

    def over(self) -> None:
        """Take note that nobody is drawn any more, whoever decided that; twice at worst."""
        ...


@dataclass(frozen=True, slots=True)
class TrialTerms:
    """What is said elsewhere of how one edit is tried: options of a trial, by their names.

    `whole` is said of every edit, `keys` of keys that this one changes, None where nothing is;
    `signals` are names of marks by which those are judged, most of all.
    """

    whole: Mapping[str, object] | None = None
    keys: tuple[Mapping[str, object], ...] = ()
    signals: tuple[str, ...] = ()


class Stage(Protocol):
    """One version, for whoever tries something on it before users get it; in a call thread."""

    @property
    def snapshot(self) -> object:
        """Return the version's snapshot."""
        ...

    @property
    def takes_requests(self) -> bool:
        """Return whether requests can be sent to the application in this process."""
        ...

    def run(self, work: Callable[[], Any], timeout: float) -> Any:
        """Run a function or a coroutine on it; raise `TimeoutError`, or what it raises."""
        ...

    def answer(self, method: str, target: str) -> int:
        """Send a request to the application; return the status of the answer."""
        ...
