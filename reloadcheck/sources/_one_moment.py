"""Look at several sources as one set, and read them so that all belong to one moment.

Takes sources, gives their stamps and documents, or one error with every problem found. It must
never give documents of which some were replaced before the last one was read.
"""

from collections.abc import Callable, Sequence
from typing import TypeVar

from .._config.containers import is_list, is_tuple
from ..exceptions import ConfigError, SourceError, TornError
from ..types import Document, Problem, Source, Stamp
from ._kubernetes_volume import one_look
from ._read_file import torn

__all__ = ["newest_of", "raised_by", "read_set", "take_stamps"]

_T = TypeVar("_T")


def take_stamps(sources: Sequence[Source]) -> tuple[Stamp, ...]:
    """Take each source's stamp; the error names every source that has none."""
    with one_look():
        return _each(sources, [source.stamp for source in sources], _no_stamp)


def newest_of(stamps: Sequence[Stamp]) -> int | None:
    """Return the newest time in a set of stamps, in nanoseconds; None where there is none."""
    return max((each.newest_ns for each in stamps if each.newest_ns is not None), default=None)


def read_set(
    sources: Sequence[Source], stamps: Sequence[Stamp], max_bytes: int
) -> tuple[Sequence[Document], ...]:
    """Read all sources and give each one's documents.

    `stamps` are those found quiet. `TornError` when any source changed since then, until after the
    last was read.
    """

    def reading(source: Source, stamp: Stamp) -> Callable[[], Sequence[Document]]:
        return lambda: source.read(stamp, max_bytes)

    calls = [reading(*pair) for pair in zip(sources, stamps, strict=True)]
    documents = _each(sources, calls, _no_documents)
    again = _each(sources, [source.stamp for source in sources], _no_stamp)
    for source, stamp, now in zip(sources, stamps, again, strict=True):
        if now.value != stamp.value:
            raise torn(source.name)
    return documents


def _each(
    sources: Sequence[Source],
    calls: Sequence[Callable[[], _T]],
    flaw: Callable[[object], str | None],
) -> tuple[_T, ...]:
    """Make every call, then raise what went wrong with all of its problems, or give the results.

    Whatever a source raises or returns, it is the source that cannot be read, and for the moment
    only; `flaw` says what is wrong with a result.
    """
    results: list[_T] = []
    problems: list[Problem] = []
    moving = False
    for source, call in zip(sources, calls, strict=True):
        try:
            result = call()
            if (wrong := flaw(result)) is not None:
                problems.append(Problem(wrong, source.name))
            results.append(result)
        except ConfigError as error:
            problems.extend(error.problems)
            moving = moving or isinstance(error, TornError)
        except BaseException as error:
            problems.append(raised_by(source, error))
    if problems:
        raise (TornError if moving else SourceError)(*problems)
    return tuple(results)


def _no_stamp(result: object) -> str | None:
    if isinstance(result, Stamp):
        return None
    return f"its stamp() returned {type(result).__name__} instead of a Stamp"


def _no_documents(result: object) -> str | None:
    wanted = "instead of a sequence of Documents"
    if not (is_list(result) or is_tuple(result)):
        return f"its read() returned {type(result).__name__} {wanted}"
    if not all(isinstance(one, Document) for one in result):
        return f"its read() returned {type(result).__name__} {wanted}"
    data: list[object] = [one.data for one in result if isinstance(one, Document)]
    odd = [type(one).__name__ for one in data if not isinstance(one, bytes)]
    return f"its read() returned a Document of {odd[0]} instead of bytes" if odd else None


def raised_by(source: Source, error: BaseException) -> Problem:
    """Say what a source raised, and at which line of it, without words that may quote anything."""
    from .._runtime.foreign import placed

    return Problem(f"its source raised {placed(error)}", source.name)
