"""The feed of an engine: its sources, looked at and read as one set.

Gives stamps and one consistent reading; never parses. What stands before an engine, such as an
older edition that is held, is a feed around this one.
"""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from .._config.digest import source_digest
from ..seams import Reading
from ..sources import read_set, take_stamps
from ..types import Place, Problem, Source, Stamp


@runtime_checkable
class Remarking(Protocol):
    """A source that can say what an operator should know about it."""

    def remarks(self) -> Sequence[str]:
        """Return a sentence each; runs in the reader thread."""
        ...


@runtime_checkable
class Placed(Protocol):
    """A source that can say where it is found."""

    def place(self) -> Place:
        """Return where it is at present; runs in the reader thread."""
        ...


class SourceSet:
    """The sources of one engine as one feed."""

    def __init__(self, sources: Sequence[Source]) -> None:
        self.sources = tuple(sources)

    def look(self) -> tuple[Stamp, ...]:
        """Return each source's stamp; the error names every source that has none."""
        return take_stamps(self.sources)

    def read(self, stamps: Sequence[Stamp], max_bytes: int) -> Reading:
        """Read what the stamps stand for, as one set; raise `TornError` if it changed meanwhile."""
        documents = read_set(self.sources, stamps, max_bytes)
        sets = tuple(tuple(group) for group in documents)
        remarks = [
            str(Problem(remark, one.name))
            for one in self.sources
            if isinstance(one, Remarking)
            for remark in one.remarks()
        ]
        digest = source_digest([one for group in sets for one in group])
        places = [
            one.place() if isinstance(one, Placed) else Place(one.name) for one in self.sources
        ]
        return Reading(sets, digest, tuple(remarks), tuple(places))
