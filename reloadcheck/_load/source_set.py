"""The feed of an engine: its sources, looked at and read as one set.

How several files are read at one moment is `sources/_one_moment`'s. Gives stamps and one consistent
reading; never parses. What stands before an engine, such as an older edition that is held, is a
feed around this one.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from .._config.digest import source_digest
from ..sources import raised_by, read_set, take_stamps
from ..types import Place, Problem, Source, Stamp

if TYPE_CHECKING:
    from ..seams.feed import Reading
    from .references import ReferenceSet


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


@runtime_checkable
class Keeping(Protocol):
    """A source, or a feed, that keeps what is served for a start without it."""

    def keep(self) -> None:
        """Keep what was read last, which went live; runs in the reader thread."""
        ...


class SourceSet:
    """The sources of one engine as one feed."""

    def __init__(self, sources: Sequence[Source], references: ReferenceSet | None = None) -> None:
        self.sources = tuple(sources)
        self.references = references

    def look(self) -> tuple[Stamp, ...]:
        """Return each source's stamp, and that of what they refer to.

        The error names every source that has none.
        """
        stamps = take_stamps(self.sources)
        return stamps if self.references is None else (*stamps, self.references.stamp())

    def keep(self) -> None:
        """Let each source that can keep what it gave last; what it raises stops nothing."""
        for source in self.sources:
            if isinstance(source, Keeping):
                with suppress(BaseException):
                    source.keep()

    def read(self, stamps: Sequence[Stamp], max_bytes: int) -> Reading:
        """Read what the stamps stand for, as one set; raise `TornError` if it changed meanwhile."""
        from ..seams.feed import Reading  # which every engine thread has

        documents = read_set(self.sources, stamps[: len(self.sources)], max_bytes)
        sets = tuple(tuple(group) for group in documents)
        remarks = tuple(text for one in self.sources for text in remarks_of(one))
        places = tuple(place_of(one) for one in self.sources)
        own = [one for group in sets for one in group]
        if self.references is None:
            return Reading(sets, source_digest(own), remarks, places)
        from .references import documents_of

        referring = self.references.read(sets, stamps[-1])
        digest = source_digest([*own, *documents_of(referring)])
        return Reading(sets, digest, remarks, places, referring, self.references.refer)


def remarks_of(source: Source) -> list[str]:
    """Return what a source would have an operator know, a sentence each."""
    try:
        told = source.remarks() if isinstance(source, Remarking) else ()
        return [str(Problem(remark, source.name)) for remark in told]
    except BaseException as error:
        return [str(raised_by(source, error))]


def place_of(source: Source) -> Place:
    """Return where a source is found."""
    if not isinstance(source, Placed):
        return Place(source.name)
    with suppress(BaseException):
        return source.place()
    return Place(source.name, confidential=True)  # it may be, and cannot say so
