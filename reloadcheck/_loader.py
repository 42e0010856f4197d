"""From sources to a frozen configuration: read ▸ digest ▸ parse ▸ merge ▸ validate ▸ freeze.

Each step is a function of what the step before gave, so that the engine can run it where it
belongs. Nothing here keeps state or touches what serves.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from ._digest import source_digest
from ._frozen import FrozenDict, freeze
from ._frozen_types import is_dict, is_list
from ._schema import Schema
from .exceptions import ConfigError, MergeError, ResourceError, SourceError
from .parsers import locating_many
from .sources import read_set
from .types import Document, KeyPath, Layer, Origin, Pause, Place, Problem, Source, Stamp, Tree

C = TypeVar("C")
E = TypeVar("E", bound=ConfigError)

_KEYS_A_PAUSE = 500
MOST_PROBLEMS = 50
"""How many problems one error tells; it says how many more there are."""


@runtime_checkable
class Remarking(Protocol):
    """A source that can say what an operator should know about it."""

    def remarks(self) -> Sequence[str]:
        """Give a sentence each; runs in the reader thread."""
        ...


@runtime_checkable
class Placed(Protocol):
    """A source that can say where it is found."""

    def place(self) -> Place:
        """Tell where it is at present; runs in the reader thread."""
        ...


@dataclass(frozen=True, slots=True)
class Reading:
    """One consistent set of bytes: the documents of each source, and their digest.

    `remarks` is what the sources would have an operator know, `places` where each was found.
    """

    documents: tuple[tuple[Document, ...], ...]
    digest: str
    remarks: tuple[str, ...]
    places: tuple[Place, ...]


@dataclass(frozen=True, slots=True)
class Parsed:
    """The layers of all sources, merged."""

    tree: Tree = field(repr=False)
    layers: tuple[Layer, ...]

    def origin(self, path: KeyPath) -> Origin | None:
        """Tell where the value at `path`, or its nearest parent, comes from."""
        return origin_of(self.layers, path)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[C]):
    """A configuration that is good as far as can be told without building what depends on it."""

    config: C = field(repr=False)
    tree: Mapping[str, Any] = field(repr=False)
    digest: str
    source_digest: str
    layers: tuple[Layer, ...]


def read(sources: Sequence[Source], stamps: Sequence[Stamp], max_bytes: int) -> Reading:
    """Read what the stamps stand for, as one set; raises `TornError` if it changed meanwhile."""
    documents = read_set(sources, stamps, max_bytes)
    sets = tuple(tuple(group) for group in documents)
    remarks = [
        str(Problem(remark, one.name))
        for one in sources
        if isinstance(one, Remarking)
        for remark in one.remarks()
    ]
    digest = source_digest([one for group in sets for one in group])
    places = [one.place() if isinstance(one, Placed) else Place(one.name) for one in sources]
    return Reading(sets, digest, tuple(remarks), tuple(places))


def parse(
    sources: Sequence[Source], documents: Sequence[Sequence[Document]], pause: Pause
) -> Parsed:
    """Parse each source's documents and merge them in order; an error names all that is wrong."""
    layers: list[Layer] = []
    tree: Tree = {}
    errors: list[ConfigError] = []
    for source, own in zip(sources, documents, strict=True):
        try:
            layer = source.layer(own, tree, pause)
            tree = _merged(tree, layers, layer, pause)
            layers.append(layer)
        except ConfigError as error:
            errors.append(error)
    if errors:
        raise _together(errors)
    return Parsed(tree, tuple(layers))


def _together(errors: Sequence[ConfigError]) -> ConfigError:
    """Make one error of several; what may heal by itself is waited for."""
    waiting = [error for error in errors if isinstance(error, SourceError)]
    kind = type((waiting or errors)[0])
    return kind(*_bounded([problem for error in errors for problem in error.problems]))


def frozen_layers(layers: Sequence[Layer], tree: FrozenDict, pause: Pause) -> tuple[Layer, ...]:
    """Give the layers with their trees frozen, sharing with `tree`, which they were merged to."""
    if len(layers) == 1:
        return (replace(layers[0], tree=tree),)
    return tuple(replace(layer, tree=freeze(layer.tree, tree, pause)) for layer in layers)


def validate(schema: Schema[C], parsed: Parsed, previous: C | None, pause: Pause) -> C:
    """Convert the merged tree to the schema's type and freeze it, sharing what did not change.

    Its problems get their file and line here.
    """
    try:
        return schema.convert(parsed.tree, previous, pause)
    except ConfigError as error:
        problem = located(error, parsed.layers, pause)
    raise problem


def located(error: E, layers: Sequence[Layer], pause: Pause | None = None) -> E:
    """Give the error again with the place of each problem's key path."""
    with locating_many(pause):
        problems = _bounded(error.problems, lambda problem: _located(problem, layers))
    if isinstance(error, ResourceError):
        return type(error)(*problems, resource=error.resource)
    return type(error)(*problems)


def _located(problem: Problem, layers: Sequence[Layer]) -> Problem:
    if problem.path is not None or (origin := origin_of(layers, problem.key_path)) is None:
        return problem
    return replace(problem, path=origin.name, line=origin.line, column=origin.column)


def _bounded(
    problems: Sequence[Problem], place: Callable[[Problem], Problem] = lambda problem: problem
) -> list[Problem]:
    """Keep and place as many as a person reads; of a large file every value may be wrong."""
    kept = [place(problem) for problem in problems[:MOST_PROBLEMS]]
    more = len(problems) - len(kept)
    return [*kept, Problem(f"and {more} more problems")] if more else kept


def origin_of(layers: Sequence[Layer], path: KeyPath) -> Origin | None:
    """Find the layer that gives the value at `path`, or else its nearest parent, and ask it."""
    for length in range(len(path), -1, -1):
        for layer in reversed(layers):
            if _has(layer.tree, path[:length]):
                return layer.origin(path)
    return None


def layer_of(layers: Sequence[Layer], path: KeyPath) -> int | None:
    """Find by its number the layer that gives exactly the value at `path`; None without one."""
    for number in reversed(range(len(layers))):
        if _has(layers[number].tree, path):
            return number
    return None


def _has(tree: object, path: KeyPath) -> bool:
    if tree == {} and not path:
        return False
    for key in path:
        if is_dict(tree):
            if key not in tree:
                return False
            tree = tree[key]
        elif is_list(tree) and isinstance(key, int) and key < len(tree):
            tree = tree[key]
        else:
            return False
    return True


def _merged(below: Tree, layers: Sequence[Layer], layer: Layer, pause: Pause) -> Tree:
    """Lay a layer over a tree: mappings by key, all else replaced; parsing bounds the depth."""
    clashes: list[Problem] = []
    result = _laid(below, layer.tree, (), layers, layer, pause, clashes)
    if clashes:
        raise MergeError(*clashes)
    return result


def _laid(
    below: Tree,
    above: Tree,
    path: KeyPath,
    layers: Sequence[Layer],
    layer: Layer,
    pause: Pause,
    clashes: list[Problem],
) -> Tree:
    pause()
    result = dict(below)
    for count, (key, value) in enumerate(above.items(), start=1):
        if count % _KEYS_A_PAUSE == 0:
            pause()
        old = result.get(key)
        here = (*path, key)
        if is_dict(old) and is_dict(value):
            result[key] = _laid(old, value, here, layers, layer, pause, clashes)
            continue
        if (
            old is not None
            and value is not None
            and isinstance(old, dict) != isinstance(value, dict)
        ):
            clashes.append(_clash(here, isinstance(old, dict), layers, layer))
        result[key] = value
    return result


def _clash(path: KeyPath, mapping_below: bool, layers: Sequence[Layer], layer: Layer) -> Problem:
    kinds = ("something else", "a mapping") if mapping_below else ("a mapping", "something else")
    below, above = origin_of(layers, path), layer.origin(path)
    reason = f"is {kinds[0]} here and {kinds[1]} in {below}"
    return Problem(reason, above.name, above.line, above.column, path)
