"""One configuration beside another: what was read of each, and the digest that statements name.

Takes words and an engine's layers, gives sides; a file that is one of the application's own is laid
over the others as the application does it. Builds nothing.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from .._config.digest import tree_digest
from .._config.freeze import freeze
from .._engine.api import engine_of
from .._load.merge import Parsed, with_values_of
from .._load.resolved_layers import as_written
from ..exceptions import ConfigError, UsageError
from ..seams.feed import Loaded
from ..sources import FileSource
from ..types import KeyPath, Layer, Source, no_pause, printable
from ._inputs import Inputs, layers_of
from ._reading import Fault, Known, faults_of, known_of, unread_of, validated

__all__ = ["Side", "Stand", "kept_of", "loaded_of", "side_of", "sides", "stand_of"]


@dataclass(frozen=True, slots=True)
class Side:
    """One of two configurations; `config` is None where it cannot be used."""

    known: Known
    faults: tuple[Fault, ...]
    tree: Any = None
    config: Any = None

    @property
    def layers(self) -> Sequence[Layer]:
        """Return its layers, none where it cannot be used."""
        return () if self.known.parsed is None else self.known.parsed.layers

    @property
    def digest(self) -> str:
        """Return the digest of its tree, which a snapshot made of it has.

        Where a reference cannot be read here it is that of the tree as it is written, which
        statements may name too.
        """
        if any(fault.code == "reference" for fault in self.known.faults):
            return tree_digest(as_written(self.tree, self.layers))
        return tree_digest(self.tree)


@dataclass(frozen=True, slots=True)
class Stand:
    """A file in the place of the one that it stands for, `file`, among the sources.

    `own` are the application's sources as they are; None where the file is one of them.
    """

    sources: tuple[Source, ...]
    file: str
    own: tuple[Source, ...] | None


def side_of(inputs: Inputs, sources: Sequence[Source], previous: Side | None) -> Side:
    """Read, merge and validate one side; parts that are as in the `previous` one are the same."""
    known = known_of(sources, *inputs.reading)
    if known.parsed is None:
        return Side(known, known.faults)
    before = previous or Side(known, ())
    tree = known.parsed.tree
    try:
        config = validated(inputs.schema, known.parsed, before.config)
    except ConfigError as error:
        return Side(known, (*unread_of(known), *faults_of(error)), tree)
    return Side(known, (), tree, config)


def kept_of(inputs: Inputs, old: Side, new: Side, paths: Sequence[KeyPath]) -> Side:
    """Return a side with the old values at the key paths, which wait for a restart."""
    if not paths or new.known.parsed is None:
        return new
    tree = with_values_of(new.tree, old.tree, paths)
    try:
        config = validated(inputs.schema, Parsed(tree, new.known.parsed.layers), old.config)
    except ConfigError as error:
        return Side(new.known, tuple(faults_of(error)), tree)
    return Side(new.known, (), tree, config)


def loaded_of(side: Side, previous: Loaded[Any] | None) -> Loaded[Any]:
    """Return a usable side as gates are asked about it; what did not change is the same object."""
    tree = freeze(side.tree, None if previous is None else previous.tree, no_pause)
    return Loaded(side.config, tree, side.digest, "", tuple(side.layers))


def sides(inputs: Inputs, old: str, new: str) -> tuple[tuple[Source, ...], tuple[Source, ...]]:
    """Return the layers of both; the app's own, where one of its files is being compared."""
    layers = () if inputs.live is None else engine_of(inputs.live).sources
    of_old, of_new = inputs.sources[:1], inputs.sources[1:]
    for place, layer in enumerate(layers):
        if any(_same_path(layer.name, word) for word in (old, new)):
            before, after = layers[:place], layers[place + 1 :]
            return (*before, *of_old, *after), (*before, *of_new, *after)
    return of_old, of_new


def stand_of(inputs: Inputs, word: str, format: str) -> Stand:
    """Return a file in its place; raise `UsageError` where nobody can tell which it stands for."""
    (given,) = layers_of([word], format)
    own = () if inputs.live is None else engine_of(inputs.live).sources
    if not own:
        return Stand((given,), word, None)
    if any(_same_path(one.name, word) for one in own):
        return Stand(own, next(one.name for one in own if _same_path(one.name, word)), None)
    files = [one.name for one in own if isinstance(one, FileSource)]
    alike = [name for name in files if os.path.basename(name) == os.path.basename(word)]
    meant = files if len(files) == 1 else alike
    if len(meant) != 1:
        known = ", ".join(printable(name) for name in files) or "none"
        raise UsageError(
            f"{printable(word)} stands for none of the application's files ({known}): give it the "
            "name of one of them, in another directory"
        )
    sources = tuple(given if one.name == meant[0] else one for one in own)
    return Stand(sources, meant[0], own)


def _same_path(one: str, other: str) -> bool:
    return os.path.realpath(one) == os.path.realpath(other)
