"""The three seams of an engine, as words: the feed before, the gates between, what both are told.

Values and protocols only: what stands on either side of a seam knows this, and not each other.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Generic, Protocol, TypeAlias, TypeVar, runtime_checkable

from .types import Diff, Document, KeyPath, Layer, Phase, Place, Problem, Source, Stamp, Trigger

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Referred:
    """What one reference stands for: its text, or why there is none."""

    text: str | None = field(repr=False)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Referring:
    """What the references of a reading stand for, by kind and name; `kinds` are those known."""

    kinds: tuple[str, ...]
    found: Mapping[tuple[str, str], Referred] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """One consistent set of bytes: the documents of each source, and their digest.

    `remarks` is what the sources would have an operator know, `places` where each was found.
    `referring` is what the references in the documents stand for, None where none are used; `refer`
    gives it for other documents, in the reader thread.
    """

    documents: tuple[tuple[Document, ...], ...]
    digest: str
    remarks: tuple[str, ...]
    places: tuple[Place, ...]
    referring: Referring | None = field(default=None, repr=False)
    refer: Callable[[Sequence[Sequence[Document]]], Referring] | None = field(
        default=None, repr=False
    )


@dataclass(frozen=True, slots=True)
class Loaded(Generic[C]):
    """A configuration that is good as far as can be told without building what depends on it."""

    config: C = field(repr=False)
    tree: Mapping[str, Any] = field(repr=False)
    digest: str
    source_digest: str
    layers: tuple[Layer, ...]


class Feed(Protocol):
    """What an engine reads: its sources as one set. Both methods run in its reader thread."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the sources, in the order in which they are laid over one another."""
        ...

    def look(self) -> tuple[Stamp, ...]:
        """Return the present stamps without reading any content; raise `SourceError`."""
        ...

    def read(self, stamps: Sequence[Stamp], max_bytes: int) -> Reading:
        """Read what the stamps stand for; raise `TornError` if it changed meanwhile."""
        ...


@dataclass(frozen=True, slots=True)
class Proposal:
    """One edit, as a gate is asked about it; `old` is None at the first load.

    `plan` names the resources that it would build. `at` is wall-clock time in seconds since the
    epoch. `versions` are the numbers that it would have and that serves. `overridden`: somebody
    broke the glass for it, which skips trials; `actor` and `reason` are of who gave leave.
    `phases` are the steps so far, with their seconds. `is_back`: its content served before, in this
    process or by the history, and was not taken back since. A gate changes nothing of it and keeps
    nothing of it once it has answered.
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
        """Tell the others what was counted here."""
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


@dataclass(frozen=True, slots=True)
class Request:
    """A request as it can be made again; `path` is the whole one, `target` what is below `root`.

    `headers` are names in lower case and values; `client` is the address that it came from, `home`
    the event loop that it was served in.
    """

    method: str
    path: str
    target: str
    root: str = ""
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    client: tuple[str, int] | None = field(default=None, repr=False)
    home: Any = field(default=None, repr=False, compare=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer to a request that was made again; `headers` are names in lower case and values.

    `error` is the name of the exception that came in its place; `status` is 500 then.
    """

    status: int
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    error: str | None = None

    def header(self, name: str) -> str | None:
        """Return the value of a header, by its name in lower case; None where there is none."""
        return next((value for key, value in self.headers if key == name), None)


LARGEST: Final = 1 << 20
"""Bytes of an answer's body; a larger one is not compared."""


class Repeat:
    """A request that is made again, and its answer as it comes; both doors fill it in."""

    __slots__ = ("body", "headers", "request")

    def __init__(self, request: Request) -> None:
        self.request = request
        self.headers: tuple[tuple[str, str], ...] = ()
        self.body = bytearray()

    def take(self, part: bytes) -> None:
        """Take the next part of the body; raise `OverflowError` where it is too large."""
        self.body += part
        if len(self.body) > LARGEST:
            raise OverflowError


class Repeats(Protocol):
    """Who makes a request again in process, on the version that serves and on the candidate."""

    def request(self, scope: Mapping[str, Any]) -> Request | None:
        """Return how to make it again, from its scope or environ; None where that cannot be."""
        ...

    def start(
        self,
        request: Request,
        order: Sequence[bool],
        came: Callable[[Sequence[Answered] | None], None],
    ) -> None:
        """Make it once for each of `order`, which says whether on the candidate; never blocks.

        `came` is called once, in another thread, with the answers, or None where there are none to
        compare. Raise where it cannot begin; `came` is not called then.
        """
        ...


class UnitTicket(Protocol):
    """One unit of work, as it is told while an edit is tried; may be called in any thread.

    `on_candidate`: it is on the new version. Whoever cannot have it there says so by setting this.
    """

    on_candidate: bool

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
class TrialTerms:
    """What is said elsewhere of how one edit is tried: options of a trial, by their names.

    `whole` is said of every edit, `keys` of keys that this one changes, None where nothing is;
    `signals` are names of marks by which those are judged, most of all.
    """

    whole: Mapping[str, object] | None = None
    keys: tuple[Mapping[str, object], ...] = ()
    signals: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Reject:
    """Refuse the edit until the sources hold something else; `code` is the stable name of why."""

    problems: tuple[Problem, ...]
    code: str


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
class Agreed:
    """What the workers of one server keep until a restart: values by key path.

    `left` are key paths whose values are not written down, as they are nowhere to be read.
    """

    kept: tuple[tuple[KeyPath, Any], ...] = field(repr=False)
    left: tuple[KeyPath, ...] = ()


class Beside(Protocol):
    """What a store knows that a contract asks for; never blocks."""

    def statements(self, kind: str) -> Sequence[tuple[str, bytes]]:
        """Return the statements of a kind that are in the store, each with a name."""
        ...

    def running(self, who: str) -> Agreed | None:
        """Return what the siblings of this process keep; None where this is the first of them.

        `who` tells apart those who ask: the code and the contract.
        """
        ...

    def run_with(self, who: str, source_digest: str, agreed: Agreed) -> None:
        """Let siblings to come know what was read, as far as it may be kept."""
        ...


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


@dataclass(frozen=True, slots=True)
class Together:
    """How workers act as one, for `ReloadCheck(…, together=Together())`; times in seconds.

    `need` says how many members must have an edit ready before it goes live: `all`, or a `quorum`,
    which is more than half. After `deadline` without enough of them it is refused; None stands for
    30 on a host, 120 in a fleet. While the store is away nothing is activated; with `alone_after`
    this worker goes on alone once it has been away for so long.
    """

    need: str = "all"
    deadline: float | None = None
    alone_after: float | None = None


@dataclass(frozen=True, slots=True)
class RoundStatus:
    """One try of the workers to activate an edit together; `content` is the edit's digest.

    `by` is the member that opened it, `votes` what each member says: `prepared`, `failed`,
    `failed for good`, or None so far. `attempt` counts from 0.
    """

    content: str
    by: str | None
    votes: Mapping[str, str | None]
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class StoreStatus:
    """What people are told of the store; `code` is `store` while it is away, and `error` why.

    `since` is when that began, in seconds since the epoch, `edition` the number of what serves,
    `hold` the kind of the order in force, `order` its code. `in_step`: what serves is what all
    should serve, as was read last; None before that. `rounds`, `round_seconds` and `refusals` count
    the tries to activate together that this worker has seen, `last_rounds` are the seconds of the
    newest.
    `together` is how many must be ready, None where each worker goes by itself; `round` is the one
    that is open.
    """

    name: str
    code: str | None = None
    error: str | None = None
    since: float | None = None
    edition: int | None = None
    hold: str | None = None
    order: str | None = None
    in_step: bool | None = None
    rounds: int = 0
    round_seconds: float = 0.0
    refusals: int = 0
    last_rounds: tuple[float, ...] = ()
    together: str | None = None
    round: RoundStatus | None = None


class Companion(Protocol):
    """What lives beside an engine: ended with it, asked by its status."""

    def close(self) -> None:
        """End; the engine has closed everything."""
        ...

    def retry(self) -> None:
        """Let what was undone be tried again, here at once and elsewhere soon; never blocks."""
        ...

    def status(self) -> StoreStatus:
        """Return what people are told of it; never blocks."""
        ...
