"""Sources that cannot be read, where an edition that was kept is wanted anyway.

A file that is gone says nothing of what an order wants: its documents are the edition's. What is
never kept, a secret or the environment, has no stand-in, and stays an error.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from .._load.source_set import SourceSet, place_of, remarks_of
from ..exceptions import SourceError, TornError
from ..seams.feed import Feed
from ..types import Document, Layer, Pause, Place, Source, Stamp
from .content import kept_of

__all__ = ["Gap", "around"]


@dataclass(frozen=True, slots=True)
class Gap:
    """Stands for the stamp of what cannot be seen."""

    reason: str


def around(feed: Feed, wall: Callable[[], float]) -> SourceSet:
    """Return the sources of a feed as a set in which what may be kept may be missing."""
    sources = feed.sources
    kept = kept_of(sources, [place_of(source) for source in sources])
    lenient = [
        _Lenient(source, wall) if number in kept else source
        for number, source in enumerate(sources)
    ]
    return SourceSet(lenient, feed.references if isinstance(feed, SourceSet) else None)


class _Lenient:
    """A source that gives no documents for as long as it cannot be read."""

    def __init__(self, source: Source, wall: Callable[[], float]) -> None:
        self._source, self._wall = source, wall
        self._gap = Gap("")
        self._since_ns = 0

    @property
    def name(self) -> str:
        """Return the source's name."""
        return self._source.name

    def stamp(self) -> Stamp:
        """Return the source's stamp, or one that is as young as the error is new."""
        try:
            return self._source.stamp()
        except TornError:
            raise
        except SourceError as error:
            gap = Gap(str(error))
        if gap != self._gap:
            self._gap, self._since_ns = gap, int(self._wall() * 1e9)
        return Stamp(gap, self._since_ns)

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Read it, or give nothing where it cannot be read."""
        if isinstance(stamp.value, Gap):
            return ()
        try:
            return self._source.read(stamp, max_bytes)
        except TornError:
            raise
        except SourceError:
            return ()

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse what was read."""
        return self._source.layer(documents, below, pause)

    def place(self) -> Place:
        """Return where it is found."""
        return place_of(self._source)

    def remarks(self) -> Sequence[str]:
        """Return what an operator should know about it."""
        return remarks_of(self._source)
