"""One look at the sources: is there something new, is it quiet, is it good?

Gives a verdict and remembers what it has read; never builds a resource and never swaps. Runs in the
engine thread and has all I/O done by the reader.

Long because one look has many ends, and each is told here as a verdict.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any, Generic, Protocol, TypeVar, cast

from .._config.digest import tree_digest
from .._config.freeze import FrozenDict, freeze
from .._config.plain import teach_dumpers
from .._config.release import Leaving
from .._load.layers import frozen_layers
from .._load.merge import Parsed, parse, with_values_of
from .._load.remarks import Remarks, remarks_on
from .._load.source_set import Keeping
from .._load.validate import validate
from .._runtime.clock import Clock
from .._runtime.jobs import OverdueError
from .._runtime.log import log
from .._runtime.pause import nap
from .._schema.schema import Schema
from ..exceptions import (
    ConfigError,
    ConfigSyntaxError,
    HangingError,
    SchemaError,
    SourceError,
    TornError,
)
from ..seams.feed import Choosing, Feed, Loaded, Reading
from ..sources import newest_of
from ..types import KeyPath, Layer, Outcome, Pause, Place, Problem, Source, Stamp, no_pause
from .options import LEAST_READ, Options
from .phases import Phases, timed
from .settle import Quiet

C = TypeVar("C")
T = TypeVar("T")

VALIDATION_TIMEOUT = 10.0
"""Seconds that a schema may take."""


class Runner(Protocol):
    """How the engine thread has work done elsewhere while it goes on."""

    def read(self, work: Callable[[], T]) -> T:
        """Run in the reader thread; `OverdueError` after `patience` without an answer."""
        ...

    def load(self, work: Callable[[], T]) -> T:
        """Run in the reader thread for as long as it takes."""
        ...

    def call(self, name: str, work: Callable[[], T], timeout: float) -> T:
        """Run foreign code in a call thread; `OverdueError` after `timeout`."""
        ...


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
        self._feed = feed
        self._sources = feed.sources
        self._schema = schema
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
        self._leaving = Leaving()
        self._seen: tuple[Stamp, ...] | None = None
        self.moving: tuple[str, ...] = ()
        self.phases = Phases()
        self._source_remarks: tuple[str, ...] = ()
        self._remarks = Remarks()
        self._beside: tuple[str | None, tuple[str, ...]] = (None, ())
        self.places: tuple[Place, ...] = ()
        self.running: Loaded[C] | None = None
        self.running_read: Reading | None = None
        self._newest_read: Reading | None = None

    def follow(self, feed: Feed) -> None:
        """Read from another feed from now on; called in the engine thread, between two looks."""
        self._feed, self._sources = feed, feed.sources
        self._seen, self.moving = None, ()

    def look(self) -> Same | Settling | Unusable | Bad | Good[C]:
        """Look once; everything that can go wrong comes back as a verdict."""
        if self._leaving.is_ready():
            with suppress(OverdueError):  # the reader hangs: they stay until it is back
                self._run.load(lambda: self._leaving.let_go(nap))
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
    def remarks(self) -> tuple[str, ...]:
        """Return what an operator should know of sources and configuration, a sentence each."""
        return (*self._source_remarks, *self._remarks.sentences)

    @property
    def unknown_keys(self) -> int:
        """Return how many keys of the configuration its schema does not know."""
        return self._remarks.unknown

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
            self._leaving.add(self.running.config, self.running.tree)
        self.running = loaded
        newest = self._newest_read
        is_newest = newest is not None and newest.digest == loaded.source_digest
        self.running_read = newest if is_newest else None
        self._verdict = Same()
        self._has_adopted = True

    def load_again(self, reading: Reading, kept: Sequence[KeyPath]) -> Loaded[C]:
        """Return what was read before, with the running values at `kept`; raise `ConfigError`."""
        loaded = self._load(reading)
        self._newest_read = reading
        return self.keep(loaded, kept) if kept else loaded

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
        """Return the configuration with the running values at `paths`, validated again.

        At the first load they are those of the tree `values`. Raise `ConfigError` where the two do
        not fit together.
        """
        running, pause = self.running, nap
        kept = values if running is None else running.tree
        if kept is None:
            return loaded
        other = kept

        def mixing() -> tuple[FrozenDict, str]:
            before = None if running is None else running.tree
            tree = freeze(with_values_of(loaded.tree, other, paths), before, pause)
            return tree, tree_digest(tree, pause)

        tree, digest = self._run.load(mixing)
        if running is not None and tree is running.tree:
            return replace(running, source_digest=loaded.source_digest, layers=loaded.layers)
        parsed = Parsed(tree, loaded.layers)
        config = cast("C", tree) if self._schema.is_plain else self._validated(parsed, pause)
        return Loaded(config, tree, digest, loaded.source_digest, loaded.layers)

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
        work = self._timed("read", lambda: self._feed.read(stamps, self._options.max_bytes))
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
        remarks = (*reading.remarks, *self._held_back(reading.beside))
        self._remark(remarks)
        self._source_remarks = remarks
        self.places = reading.places
        self._newest_read = reading
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

    def _remark(self, remarks: Sequence[str]) -> None:
        for remark in remarks:
            if remark not in self.remarks:
                log(logging.WARNING, "configuration is used, with a warning: %s", remark)

    def _look_over(self, layers: Sequence[Layer], tree: FrozenDict, pause: Pause) -> None:
        """Look at a good configuration for what is odd about it all the same."""
        before = () if self.running is None else self.running.layers
        wanted = self._options.unknown != "ignore"
        remarks = self._run.load(
            lambda: remarks_on(self._schema, layers, tree, before, pause, wanted)
        )
        self._remark(remarks.sentences)
        self._remarks = remarks

    def _judge(self, reading: Reading) -> Same | Bad | Good[C]:
        running = self.running
        if running is not None and reading.digest == running.source_digest:
            return Same()
        try:
            loaded = self._load(reading)
        except SourceError:
            raise
        except ConfigError as error:
            return Bad(error, new=True)
        if running is not None and loaded.config is running.config:
            self.running, self.running_read = loaded, reading
            return Same()
        return Good(loaded, new=True)

    def _held_back(self, reading: Reading | None) -> tuple[str, ...]:
        """Say what is wrong with what the sources hold while an order has something else served."""
        known, said = self._beside
        digest = None if reading is None else reading.digest
        if reading is not None and known != digest:
            said = ()
            try:
                parsed, *_ = self._parsed(reading, nap)
                if not self._schema.is_plain:
                    self._validated(parsed, nap)
            except ConfigError as error:
                said = (f"what the sources hold would be rejected: {error}",)
                forget_frames(error)
        self._beside = digest, said if reading is not None else ()
        return self._beside[1]

    def _parsed(self, reading: Reading, pause: Pause) -> tuple[Parsed, FrozenDict, str]:
        running, schema = self.running, self._schema

        def parsing() -> tuple[Parsed, FrozenDict, str]:
            referring = reading.referring
            parsed = parse(self._sources, reading.documents, pause, schema.annotation, referring)
            tree = freeze(parsed.tree, None if running is None else running.tree, pause)
            try:
                return parsed, tree, tree_digest(tree, pause)
            except TypeError as error:  # it names a class that a foreign source has made
                raise ConfigSyntaxError(Problem(str(error))) from None

        found = self._run.load(self._timed("parse", parsing))
        self._leaving.add(found[0].tree, *(layer.tree for layer in found[0].layers))
        return found

    def _load(self, reading: Reading) -> Loaded[C]:
        running, schema = self.running, self._schema
        pause = nap if sum(len(d.data) for g in reading.documents for d in g) > 8192 else no_pause
        parsed, tree, digest = self._parsed(reading, pause)
        if running is not None and tree is running.tree:  # other comments, another order
            layers = self._run.load(lambda: frozen_layers(parsed.layers, tree, pause))
            self._look_over(layers, tree, pause)
            return replace(running, source_digest=reading.digest, layers=layers)
        config = cast("C", tree) if schema.is_plain else self._validated(parsed, pause)
        teach_dumpers()
        layers = self._run.load(lambda: frozen_layers(parsed.layers, tree, pause))
        self._look_over(layers, tree, pause)
        return Loaded(config, tree, digest, reading.digest, layers)

    def _validated(self, parsed: Parsed, pause: Pause) -> C:
        schema = self._schema
        previous = None if self.running is None else self.running.config
        reject = self._options.unknown == "reject"
        work = self._timed("validate", lambda: validate(schema, parsed, previous, pause, reject))
        try:
            return self._run.call("schema", work, VALIDATION_TIMEOUT)
        except ConfigError:
            raise
        except OverdueError:
            reason = f"the schema did not return within {VALIDATION_TIMEOUT:g} s"
        except Exception as error:
            if type(error).__module__.startswith("reloadcheck"):
                raise
            reason = f"the schema raised {type(error).__name__}"
        except BaseException as error:  # a SystemExit in a validator ends no app
            reason = f"the schema raised {type(error).__name__}"
        raise SchemaError(Problem(reason))

    def _timed(self, phase: str, work: Callable[[], T]) -> Callable[[], T]:
        return timed(phase, work, self.phases, self._clock)


def _overdue(sources: Sequence[Source], patience: float) -> SourceError:
    name = sources[0].name if len(sources) == 1 else None
    seconds = max(patience, LEAST_READ)
    reason = f"reading has not returned for {seconds:g} s; is its disk hanging?"
    return HangingError(Problem(reason, name))


def forget_frames(error: BaseException) -> None:
    """Drop what would keep our frames alive, whose local variables hold the configuration."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
