"""Look at several sources as one set, and read them so that all belong to one moment.

Takes sources, gives their stamps and documents, or one error with every problem found. It must
never give documents of which some were replaced before the last one was read.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from ..exceptions import SourceError, TornError
from ..types import Document, Problem, Source, Stamp
from ._generation import one_look
from ._read import torn

__all__ = ["newest_of", "read_set", "take_stamps"]

_T = TypeVar("_T")


def take_stamps(sources: Sequence[Source]) -> tuple[Stamp, ...]:
    """Take each source's stamp; the error names every source that has none."""
    with one_look():
        return _each([source.stamp for source in sources])


def newest_of(stamps: Sequence[Stamp]) -> int | None:
    """Give the newest time in a set of stamps, in nanoseconds; None where there is none."""
    return max((each.newest_ns for each in stamps if each.newest_ns is not None), default=None)


def read_set(
    sources: Sequence[Source], max_bytes: int, stamps: Sequence[Stamp] | None = None
) -> tuple[tuple[Stamp, ...], tuple[Sequence[Document], ...]]:
    """Read all sources and give their stamps, from before the read, and each one's documents.

    `stamps` are those found quiet; without them they are taken here. `TornError` when any source
    changed until after the last was read.
    """
    before = take_stamps(sources) if stamps is None else tuple(stamps)

    def reading(source: Source, stamp: Stamp) -> Callable[[], Sequence[Document]]:
        return lambda: source.read(stamp, max_bytes)

    documents = _each([reading(*pair) for pair in zip(sources, before, strict=True)])
    for source, stamp in zip(sources, before, strict=True):
        if source.stamp().value != stamp.value:
            raise torn(source.name)
    return before, documents


def _each(calls: Sequence[Callable[[], _T]]) -> tuple[_T, ...]:
    """Make every call, then raise what went wrong with all of its problems, or give the results."""
    results: list[_T] = []
    problems: list[Problem] = []
    moving = False
    for call in calls:
        try:
            results.append(call())
        except SourceError as error:
            problems.extend(error.problems)
            moving = moving or isinstance(error, TornError)
    if problems:
        raise (TornError if moving else SourceError)(*problems)
    return tuple(results)
