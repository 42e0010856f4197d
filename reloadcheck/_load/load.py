"""From sources to a frozen configuration: read ▸ digest ▸ parse ▸ merge ▸ validate ▸ freeze.

Each step is a function of what the step before gave, so that the engine can run it where it
belongs. Nothing here keeps state or touches what serves.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from .._config.digest import source_digest
from .._schema.schema import Schema
from ..exceptions import ConfigError
from ..sources import read_set
from ..types import Document, Layer, Pause, Place, Problem, Source, Stamp
from .merge import Parsed
from .problems import located

C = TypeVar("C")


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


def validate(schema: Schema[C], parsed: Parsed, previous: C | None, pause: Pause) -> C:
    """Convert the merged tree to the schema's type and freeze it, sharing what did not change.

    Its problems get their file and line here.
    """
    try:
        return schema.convert(parsed.tree, previous, pause)
    except ConfigError as error:
        problem = located(error, parsed.layers, pause)
    raise problem
