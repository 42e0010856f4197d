"""One look at the sources: is there something new, is it quiet, is it good?

Gives a verdict and remembers what it has read: `loading` makes a configuration of that, `reloader`
acts on the verdict. Runs in the engine thread and has all I/O done by the reader.
"""

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, TypeVar

from .._load.source_set import Keeping
from .._runtime.clock import Clock
from .._runtime.jobs import OverdueError
from .._runtime.pause import nap
from .._schema.schema import Schema
from ..exceptions import (
    ConfigError,
    HangingError,
    SourceError,
    TornError,
)
from ..seams.feed import Choosing, Feed, Loaded, Reading
from ..sources import newest_of
from ..types import KeyPath, Outcome, Place, Problem, Source, Stamp
from .loading import Loading, Runner, forget_frames
from .options import LEAST_READ, Options
from .phases import Phases
from .settle import Quiet

C = TypeVar("C")
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Same:
    """The sources hold what is running."""


@dataclass(frozen=True, slots=True)
class Settling:
    """Something changed and is not quiet yet."""

    error: SourceError | None = None


@dataclass(frozen=True, slots=True)
class Unusable:
    """The sources hold nothing that can be used for the moment."""

    error: SourceError


@dataclass(frozen=True, slots=True)
class Bad:
    """The sources hold what cannot be used until it is edited; `new` the first time."""

    error: ConfigError
    new: bool
    outcome: Outcome = Outcome.REJECTED


@dataclass(frozen=True, slots=True)
class Good(Generic[C]):
    """The sources hold a good configuration that is not running yet; `new` the first time."""

    loaded: Loaded[C]
    new: bool


class Checker(Generic[C]):
    """Looks at one set of sources, again and again."""

    def __init__(
        self,
        feed: Feed,
        schema: Schema[C],
        options: Options,
        clock: Clock,
        runner: Runner,
    ) -> None:
        self._feed = self._next = feed
        self._sources = feed.sources
        self._loading: Loading[C] = Loading(feed.sources, schema, options, clock, runner)
        self._options = options
        self._clock = clock
        self._run = runner
        self._quiet = Quiet(options.settle)
        self._stamps: tuple[Stamp, ...] | None = None
        self._trusted = False
        self._has_adopted = False
        self._hashed_at = 0.0
        self._digest: str | None = None
        self._verdict: Same | Bad | Good[C] = Same()
        self._seen: tuple[Stamp, ...] | None = None
        self.moving: tuple[str, ...] = ()
        self.places: tuple[Place, ...] = ()
        self.running_read: Reading | None = None
        self.newest_read: Reading | None = None

    def follow(self, feed: Feed) -> None:
        """Read from another feed from the next look on; one that is under way ends as it began."""
        self._next = feed

    def look(self) -> Same | Settling | Unusable | Bad | Good[C]:
        """Look once; everything that can go wrong comes back as a verdict."""
        leaving = self._loading.leaving
        if leaving.is_ready():
            with suppress(OverdueError):  # the reader hangs: they stay until it is back
                self._run.load(lambda: leaving.let_go(nap))
        if self._next is not self._feed:
            self._feed, self._sources = self._next, self._next.sources
            self._loading.sources = self._sources
            self._seen, self.moving = None, ()
        verdict = self._look()
        if not isinstance(verdict, Same | Good) and verdict.error is not None:
            forget_frames(verdict.error)
        return verdict

    def _look(self) -> Same | Settling | Unusable | Bad | Good[C]:
        now, wall = self._clock.monotonic(), self._clock.wall()
        try:
            stamps = self._run.read(self._stamped)
        except (SourceError, OverdueError) as error:
            return self._missing(error, now, wall)
        quiet = self._quiet.look(stamps, newest_of(stamps), now, wall)
        self._notice_moving(stamps)
        if stamps == self._stamps and not self._must_hash(now):
            return self._verdict
        if not quiet:
            return Settling()
        return self._read(stamps, now, self._quiet.trusted(now, wall))

    def _stamped(self) -> tuple[Stamp, ...]:
        if self._has_adopted:
            self._has_adopted = False
            if isinstance(self._feed, Keeping):
                self._feed.keep()
        return self._feed.look()

    def _notice_moving(self, stamps: tuple[Stamp, ...]) -> None:
        before = self._seen or (None,) * len(stamps)
        if stamps != before:
            names = [source.name for source in self._sources]
            names += ["what it refers to"] * (len(stamps) - len(names))
            pairs = zip(names, before, stamps, strict=True)
            self.moving = tuple(name for name, old, new in pairs if old != new)
        self._seen = stamps

    @property
    def running(self) -> Loaded[C] | None:
        """Return what is running now, as it was loaded."""
        return self._loading.running

    def tell_steps(self, phases: Phases) -> None:
        """Note the steps of the check that begins in `phases`."""
        self._loading.phases = phases

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return what an operator should know of sources and configuration, a sentence each."""
        return self._loading.remarks

    @property
    def unknown_keys(self) -> int:
        """Return how many keys of the configuration its schema does not know."""
        return self._loading.remarks_on_config.unknown

    @property
    def newest_ns(self) -> int | None:
        """Return the newest time, in nanoseconds, of the sources as they were read last."""
        return newest_of(self._stamps or ())

    @property
    def quiet_at(self) -> float:
        """Return when what was seen last will have been quiet for long enough (monotonic)."""
        return self._quiet.first_seen + self._options.settle

    def adopt(self, loaded: Loaded[C]) -> None:
        """Take note that this is running now."""
        if self.running is not None:
            self._loading.leaving.add(self.running.config, self.running.tree)
        self._loading.running = loaded
        newest = self.newest_read
        is_newest = newest is not None and newest.digest == loaded.source_digest
        self.running_read = newest if is_newest else None
        self._verdict = Same()
        self._has_adopted = True

    def load_again(self, reading: Reading, kept: Sequence[KeyPath]) -> Loaded[C]:
        """Return what was read before, with the running values at `kept`; raise `ConfigError`."""
        loaded = self._loading.load(reading)
        self.newest_read = reading
        return self._loading.keep(loaded, kept) if kept else loaded

    def refuse(
        self,
        error: ConfigError,
        read: Loaded[C] | None = None,
        outcome: Outcome = Outcome.REJECTED,
    ) -> None:
        """Take note that what was found good is refused until the sources hold something else.

        `read` is what the error is about, where the sources may hold something else already.
        """
        forget_frames(error)
        if read is None or read.source_digest == self._digest:
            self._verdict = Bad(error, new=False, outcome=outcome)

    def forget_refusal(self) -> None:
        """Judge anew, at the next look, what was refused."""
        if isinstance(self._verdict, Bad):
            self._stamps = self._digest = None

    def keep(
        self,
        loaded: Loaded[C],
        paths: Sequence[KeyPath],
        values: Mapping[str, Any] | None = None,
    ) -> Loaded[C]:
        """Return a configuration with other values at `paths`, as `Loading.keep` does."""
        return self._loading.keep(loaded, paths, values)

    def _must_hash(self, now: float) -> bool:
        if not self._trusted:
            return True
        verify = self._options.verify
        return verify is not None and now - self._hashed_at >= verify

    def _missing(
        self, error: SourceError | OverdueError, now: float, wall: float
    ) -> Settling | Unusable:
        """Treat what cannot be seen like any other state: believed once it lasts."""
        if isinstance(error, OverdueError):
            return Unusable(_overdue(self._sources, self._options.patience))
        quiet = self._quiet.look(str(error), int(wall * 1e9), now, wall)
        return Unusable(error) if quiet else Settling(error)

    def _read(
        self, stamps: tuple[Stamp, ...], now: float, trusted: bool
    ) -> Same | Settling | Unusable | Bad | Good[C]:
        work = self._loading.timed("read", lambda: self._feed.read(stamps, self._options.max_bytes))
        feed = self._feed
        try:
            reading = self._run.read(work)
            if isinstance(feed, Choosing):
                reading = self._chosen(feed, reading)
        except TornError as error:
            return Settling(error)
        except SourceError as error:
            return Unusable(error)
        except OverdueError:
            return Unusable(_overdue(self._sources, self._options.patience))
        remarks = (*reading.remarks, *self._loading.held_back(reading.beside))
        self._loading.remark(remarks)
        self._loading.source_remarks = remarks
        self.places = reading.places
        self.newest_read = reading
        known = reading.digest == self._digest
        if not known:
            try:
                verdict = self._judge(reading)
            except SourceError as error:
                return Unusable(error)
            self._verdict, self._digest = verdict, reading.digest
        self._stamps, self._trusted, self._hashed_at = stamps, trusted, now
        given = self._verdict
        if isinstance(given, Bad):
            self._verdict = replace(given, new=False)
        elif isinstance(given, Good):
            self._verdict = Good(given.loaded, new=False)
        return given

    def _chosen(self, feed: Choosing, read: Reading) -> Reading:
        return self._run.load(lambda: feed.choose(read))

    def _judge(self, reading: Reading) -> Same | Bad | Good[C]:
        running = self.running
        if running is not None and reading.digest == running.source_digest:
            return Same()
        try:
            loaded = self._loading.load(reading)
        except SourceError:
            raise
        except ConfigError as error:
            return Bad(error, new=True)
        if running is not None and loaded.config is running.config:
            self._loading.running, self.running_read = loaded, reading
            return Same()
        return Good(loaded, new=True)


def _overdue(sources: Sequence[Source], patience: float) -> SourceError:
    name = sources[0].name if len(sources) == 1 else None
    seconds = max(patience, LEAST_READ)
    reason = f"reading has not returned for {seconds:g} s; is its disk hanging?"
    return HangingError(Problem(reason, name))
