"""Parse, freeze and validate what was read, compare it with what runs, say once what is odd in it.

Each step is a function of `_load`; here they are run where they belong, in the reader or in a call
thread, and share what did not change with the configuration that runs. When to read at all, and
what a bad one comes to, is the checker's.
"""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, Generic, Protocol, TypeVar, cast

from .._config.digest import tree_digest
from .._config.freeze import FrozenDict, freeze
from .._config.plain import teach_dumpers
from .._config.release import Leaving
from .._load.layers import frozen_layers
from .._load.load import validate
from .._load.merge import Parsed, parse, with_values_of
from .._load.remarks import Remarks, remarks_on
from .._runtime.clock import Clock
from .._runtime.jobs import OverdueError
from .._runtime.log import log
from .._runtime.pause import nap
from .._schema.schema import Schema
from ..exceptions import ConfigError, ConfigSyntaxError, SchemaError
from ..seams.feed import Loaded, Reading
from ..types import KeyPath, Layer, Pause, Problem, Source, no_pause
from .options import Options
from .phases import Phases, timed

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


class Loading(Generic[C]):
    """Loads one engine's configurations; the next one shares its parts with what is `running`."""

    def __init__(
        self,
        sources: Sequence[Source],
        schema: Schema[C],
        options: Options,
        clock: Clock,
        runner: Runner,
    ) -> None:
        self.sources = sources
        self.running: Loaded[C] | None = None
        self.leaving = Leaving()
        self.phases = Phases()
        self.source_remarks: tuple[str, ...] = ()
        self.remarks_on_config = Remarks()
        self._schema = schema
        self._options = options
        self._clock = clock
        self._run = runner
        self._beside: tuple[str | None, tuple[str, ...]] = (None, ())

    @property
    def remarks(self) -> tuple[str, ...]:
        """Return what an operator should know of sources and configuration, a sentence each."""
        return (*self.source_remarks, *self.remarks_on_config.sentences)

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

    def remark(self, remarks: Sequence[str]) -> None:
        """Log what is odd, once for as long as it is so."""
        for remark in remarks:
            if remark not in self.remarks:
                log(logging.WARNING, "configuration is used, with a warning: %s", remark)

    def _look_over(
        self, layers: Sequence[Layer], tree: FrozenDict, pause: Pause, reading: Reading
    ) -> None:
        """Look at a good configuration for what is odd about it all the same."""
        kinds = () if reading.referring is None else reading.referring.kinds
        like = any(b"${" in one.data for group in reading.documents for one in group)
        before = () if self.running is None else self.running.layers
        wanted = self._options.unknown != "ignore"
        remarks = self._run.load(
            lambda: remarks_on(
                self._schema, layers, tree, before, pause, wanted, kinds if like else None
            )
        )
        self.remark(remarks.sentences)
        self.remarks_on_config = remarks

    def held_back(self, reading: Reading | None) -> tuple[str, ...]:
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
            parsed = parse(self.sources, reading.documents, pause, schema.annotation, referring)
            tree = freeze(parsed.tree, None if running is None else running.tree, pause)
            try:
                return parsed, tree, tree_digest(tree, pause)
            except TypeError as error:  # it names a class that a foreign source has made
                raise ConfigSyntaxError(Problem(str(error))) from None

        found = self._run.load(self.timed("parse", parsing))
        self.leaving.add(found[0].tree, *(layer.tree for layer in found[0].layers))
        return found

    def load(self, reading: Reading) -> Loaded[C]:
        """Return what a reading holds, parsed and validated; raise `ConfigError`."""
        running, schema = self.running, self._schema
        pause = nap if sum(len(d.data) for g in reading.documents for d in g) > 8192 else no_pause
        parsed, tree, digest = self._parsed(reading, pause)
        if running is not None and tree is running.tree:  # other comments, another order
            layers = self._run.load(lambda: frozen_layers(parsed.layers, tree, pause))
            self._look_over(layers, tree, pause, reading)
            return replace(running, source_digest=reading.digest, layers=layers)
        config = cast("C", tree) if schema.is_plain else self._validated(parsed, pause)
        teach_dumpers()
        layers = self._run.load(lambda: frozen_layers(parsed.layers, tree, pause))
        self._look_over(layers, tree, pause, reading)
        return Loaded(config, tree, digest, reading.digest, layers)

    def _validated(self, parsed: Parsed, pause: Pause) -> C:
        schema = self._schema
        previous = None if self.running is None else self.running.config
        reject = self._options.unknown == "reject"
        work = self.timed("validate", lambda: validate(schema, parsed, previous, pause, reject))
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

    def timed(self, phase: str, work: Callable[[], T]) -> Callable[[], T]:
        """Return work whose time counts for a phase of the check."""
        return timed(phase, work, self.phases, self._clock)


def forget_frames(error: BaseException) -> None:
    """Drop what would keep our frames alive, whose local variables hold the configuration."""
    error.__traceback__ = error.__context__ = error.__cause__ = None
