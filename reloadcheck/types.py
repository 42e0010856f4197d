"""The words that every stage shares: key paths, documents, layers, stamps, sources, outcomes.

Plain values and protocols; nothing here does I/O or holds state.

Long because the words that every stage shares are in one place, and none of them does anything.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol, TypeAlias, TypeVar, runtime_checkable

Key: TypeAlias = str | int
KeyPath: TypeAlias = tuple[Key, ...]
Tree: TypeAlias = dict[str, Any]
Pause: TypeAlias = Callable[[], None]

C = TypeVar("C")


class Outcome(StrEnum):
    """What a check came to."""

    UNCHANGED = "unchanged"
    RELOADED = "reloaded"
    DEFERRED = "deferred"
    REJECTED = "rejected"
    WAITING = "waiting"
    TRYING = "trying"
    UNDONE = "undone"
    REBUILT = "rebuilt"


class ProbeOutcome(StrEnum):
    """What asking a resource's probe came to."""

    PASSED = "passed"
    FAILED = "failed"
    TIMEOUT = "timeout"
    RUNNING = "still running"
    NOT_PROBED = "not probed"


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells without reading that nothing changed; compared with `!=`, never by age.

    The value alone tells. `newest_ns` is the newest wall-clock time in it, in nanoseconds; None
    when the source has no times, as an environment has none. Such a stamp counts as quiet at once.
    """

    value: object
    newest_ns: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source was read: its path, where that leads, and the generation of a volume there.

    `generation` is the name of the directory that a Kubernetes projection's `..data` stood for;
    None elsewhere. `confidential`: no value of it is ever shown.
    """

    name: str
    path: str | None = None
    resolved: str | None = None
    generation: str | None = None
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of one document of a source, and the name that errors call it by."""

    name: str
    data: bytes
    format: str

    def __repr__(self) -> str:
        return f"Document({self.name!r}, {len(self.data)} bytes, {self.format})"


class Untyped(str):
    """Text of a source that knows no types, as a variable: what it means, its field's type says.

    Never stripped, never unquoted. Without a schema it is read as one YAML scalar.
    """

    __slots__ = ()


class Verbatim(Untyped):
    """Untyped text that stays text where there is no schema either, as a secret's file."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a value came from: a file with line and column (both from 1), or a variable's name.

    `key` is line and column of the key before it, where that is known.
    """

    name: str
    line: int | None = None
    column: int | None = None
    key: tuple[int, int] | None = field(default=None, compare=False, repr=False)

    def __str__(self) -> str:
        place = printable(self.name)
        for number in (self.line, self.column):
            if number is None:
                break
            place += f":{number}"
        return place


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong with a configuration; never quotes a value of it."""

    reason: str
    path: str | None = None
    line: int | None = None
    column: int | None = None
    key_path: KeyPath = ()

    def __str__(self) -> str:
        parts: list[str] = []
        if self.path is not None:
            parts.append(str(Origin(self.path, self.line, self.column)))
        if self.key_path:
            parts.append(key_path_text(self.key_path))
        parts.append(printable(self.reason))
        return ": ".join(parts)


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source contributes: a tree, and a way to find out where a key of it came from.

    `origin` is called only when an error or a person asks, so that locating costs a running app
    nothing. It answers for the nearest known parent where the key path itself is not found.
    `untyped`: some of the tree may be `Untyped` text. `referred` are the key paths whose values
    stand elsewhere, with the texts that refer to them; those values are shown nowhere.
    """

    tree: Tree
    origin: Callable[[KeyPath], Origin]
    untyped: bool = False
    referred: Mapping[KeyPath, str] = field(default_factory=dict[KeyPath, str])

    def __repr__(self) -> str:
        return f"Layer({len(self.tree)} keys)"


@runtime_checkable
class Source(Protocol):
    """Where configuration bytes come from.

    All methods run in the engine's reader thread and may block; they raise `SourceError` for what
    may heal by itself and `ConfigSyntaxError` for content that cannot be used.
    """

    @property
    def name(self) -> str:
        """Return the name that messages use for the whole source."""
        ...

    def stamp(self) -> Stamp:
        """Return the present stamp without reading any content."""
        ...

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Read the documents that `stamp` stands for; raise `TornError` if they changed meanwhile.

        `max_bytes` bounds each document.
        """
        ...

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse what `read` gave. `below` is what the earlier sources merged to.

        `pause` is called between small portions of work and lets other threads run.
        """
        ...


@runtime_checkable
class References(Protocol):
    """What values such as `${file:db/password}` stand for: where texts of one kind are read.

    Both methods run in the engine's reader thread and may block. They raise `SourceError` for what
    may heal by itself, which holds the last good configuration.
    """

    @property
    def kind(self) -> str:
        """Return the word before the colon, in lower case: `file`, `env`, `vault`."""
        ...

    def stamp(self, name: str) -> Stamp:
        """Return the present stamp of what a name stands for; another one is an edit."""
        ...

    def read(self, name: str, stamp: Stamp, max_bytes: int) -> str:
        """Return the text that the stamp stands for; raise `TornError` if it changed meanwhile.

        An `Untyped` text is read as a scalar where no field's type says what it means, others stay
        text. It is shown nowhere.
        """
        ...


@dataclass(frozen=True, slots=True)
class Diff:
    """The key paths that changed their value, came and went; false when nothing differs."""

    changed: tuple[KeyPath, ...] = ()
    added: tuple[KeyPath, ...] = ()
    removed: tuple[KeyPath, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.changed or self.added or self.removed)


@dataclass(frozen=True, slots=True)
class Phase:
    """One step of a check: `read`, `parse`, `validate` or `build`.

    `begun` is wall-clock time in seconds since the epoch, `seconds` how long it took.
    """

    name: str
    begun: float
    seconds: float


@dataclass(frozen=True, slots=True)
class Trigger:
    """What had a check made: a `request`, a `lease`, a `call` by name, or the engine's own `timer`.

    `link` is what a tracer knows the request by; None where it knows none.
    """

    kind: str
    link: object = None


TIMER: Final = Trigger("timer")


def printable(text: str) -> str:
    """Escape what could forge a line or steer a terminal: control and bidi characters."""
    if text.isprintable():
        return text
    return "".join(
        char if char.isprintable() else char.encode("unicode_escape", "surrogatepass").decode()
        for char in text
    )


_LONGEST_KEY = 200


def key_path_text(path: KeyPath) -> str:
    """Show a key path the way people write it: `database.hosts[2]."a.b"`, escaped.

    A key of more than 200 characters is cut: one of megabytes would fill the log and the history.
    """
    text = ""
    for key in path:
        if isinstance(key, int):
            text += f"[{key}]"
            continue
        if len(key) > _LONGEST_KEY:
            key = key[:_LONGEST_KEY] + "…"
        plain = key != "" and all(char.isalnum() or char in "_-" for char in key)
        shown = key if plain else '"' + printable(_escaped(key)) + '"'
        text += f".{shown}" if text else shown
    return text


def _escaped(key: str) -> str:
    return key.replace("\\", "\\\\").replace('"', '\\"')


def no_pause() -> None:
    """Go on at once."""


@dataclass(frozen=True, slots=True)
class SignalStatus:
    """One signal of a trial: how many bad units fell on the candidate, of how many in all.

    `luck` bounds the chance that a harmless candidate ever looks this bad.
    """

    name: str
    on_candidate: int
    bad: int
    luck: float


@dataclass(frozen=True, slots=True)
class ShadowStatus:
    """What became of the requests of a trial that were made again on both versions.

    `compared` were judged, `dropped` came while another one was, `unjudged` had no answers to
    compare. On `differing` the candidate alone gave another answer; `first` says which was the
    first, `error` what `compare=` has raised.
    """

    compared: int
    differing: int
    dropped: int
    unjudged: int
    first: str | None = None
    error: str | None = None


@dataclass(frozen=True, slots=True)
class TrialStatus:
    """A trial as people are told of it; `phase` is `trying` or `watching`.

    `share` is the candidate's, between 0 and 1; `left` the seconds of the phase; `units` and
    `baseline_units` what ended on either side, `missing` how many the candidate must have yet.
    `explanation` is there once there is a verdict, `shadow` where requests are made again.
    """

    phase: str
    digest: str
    version: int
    share: float
    left: float
    units: int
    baseline_units: int
    signals: tuple[SignalStatus, ...]
    explanation: str | None
    shadow: ShadowStatus | None = None
    missing: int = 0

    @property
    def ends(self) -> str:
        """Say when the phase is over: it lasts as long as too few units of work came by."""
        if self.left < 1.0 and self.missing:
            return f"it lasts until {self.missing} more have come by"
        return f"{self.left:.0f} s left"


class Code(StrEnum):
    """Why an edit did not go live, or what went wrong around one."""

    SOURCE_UNREADABLE = "source-unreadable"
    TORN = "torn"
    UNSETTLED = "unsettled"
    HANGING = "hanging"
    SYNTAX = "syntax"
    MERGE = "merge"
    SCHEMA = "schema"
    FACTORY = "factory"
    PROBE = "probe"
    TIMEOUT = "timeout"
    RESOURCE = "resource"
    DRAIN = "drain"
    CONFIG = "config"
    USAGE = "usage"
    INTERNAL = "internal"
    FORCED_CLOSE = "forced-close"
    CLOSE = "close"
    LISTENER = "listener"
    STORE = "store"
    RULE = "rule"
    RULE_ERROR = "rule-error"
    CONTRACT = "contract"
    RANGE = "range"
    REQUIRED = "required"
    WINDOW = "window"
    FREEZE = "freeze"
    APPROVAL = "approval"
    SIGNATURE = "signature"
    RESTART = "restart"
    BANNED = "banned"
    PINNED = "pinned"
    FROZEN = "frozen"
    FALLBACK = "fallback"
    REFUSED = "refused"
    WAITING = "waiting"
    BOOTED_LAST_GOOD = "booted-last-good"
    UNDONE_FAILED = "undone-failed"
    UNDONE_SLOW = "undone-slow"
    UNDONE_MARKED = "undone-marked"
    UNDONE_SHADOW = "undone-shadow"
    UNDONE_BY_HAND = "undone-by-hand"
    UNDONE_BEFORE = "undone-before"
    WORKER_LOST = "worker-lost"
    WATCH = "watch"
    TROUBLE = "trouble"
    REHEARSAL = "rehearsal"
    SUPERSEDED = "superseded"
    UNJUDGED = "unjudged"


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a board: its text, and the revision of the store that wrote it."""

    value: str
    revision: int


@dataclass(frozen=True, slots=True)
class Board:
    """All records below a prefix, as one look found them.

    `revision` counts up with each change of the store; one that goes back tells that the store was
    replaced. `stamp` is the store's own, compared with `==` alone.
    """

    revision: int
    records: Mapping[str, Record]
    stamp: object = None

    def __repr__(self) -> str:
        return f"Board({len(self.records)} records, revision {self.revision})"


@dataclass(frozen=True, slots=True)
class Retention:
    """How much a store keeps: so many editions, so many bytes of content; or no content at all.

    `content` None: only content in which nothing looks secret.
    """

    editions: int = 100
    size: int = 64 * 2**20
    content: bool | None = True


@runtime_checkable
class Store(Protocol):
    """A revisioned board that several processes share.

    Every call may block for some seconds, so that one thread alone makes them. They raise
    `StoreLostError` where nothing was written and `StoreUnsureError` where something may have been.
    A store may also offer `wake()`, which ends a `wait` from any thread, and `count(prefix)`, how
    many records there are, for who starts in a crowd and is to read none of what it says.
    """

    @property
    def name(self) -> str:
        """The name that messages use for the store; it shows no credentials."""
        ...

    @property
    def retention(self) -> Retention:
        """How much is kept."""
        ...

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Return the records below `prefix`; None where they are those that `seen` has."""
        ...

    def put(
        self,
        records: Mapping[str, str | None],
        *,
        same: Mapping[str, int] | None = None,
        none_since: tuple[str, int] | None = None,
        mortal: bool = False,
    ) -> int | None:
        """Write all records or none, and return the new revision; None takes a record away.

        Nothing is written, and None returned, unless each key of `same` still has that revision (0:
        does not exist), and no record below the prefix of `none_since` is newer than its revision.
        `mortal` records vanish when this store is closed, or has not beaten for its time to live.
        """
        ...

    def beat(self) -> bool:
        """Keep what is mortal alive; False where some of it had vanished: all of it is let go."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait so long, or less where the store tells of a change by itself."""
        ...

    def content(self, digest: str) -> bytes | None:
        """Return what was kept under a digest, or None."""
        ...

    def keep(self, digest: str, data: bytes | None) -> None:
        """Keep content under its digest; None: keep it no longer."""
        ...

    def close(self) -> None:
        """Take away what is mortal and let go of the store; a later call opens it anew."""
        ...
