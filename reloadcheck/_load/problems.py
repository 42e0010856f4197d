"""Add file, line and column to problems: looked up once something is wrong."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import TypeVar

from .._schema.unknown_keys import UNKNOWN
from ..exceptions import ConfigError, RefusedError, ResourceError
from ..parsers import locating_many
from ..types import Layer, Origin, Pause, Problem
from .layers import origin_of

E = TypeVar("E", bound=ConfigError)
MOST_PROBLEMS = 50
"""How many problems one error tells; it says how many more there are."""


def located(error: E, layers: Sequence[Layer], pause: Pause | None = None) -> E:
    """Return the error again with the place of each problem's key path."""
    with locating_many(pause):
        problems = bounded(error.problems, lambda problem: _located(problem, layers))
    if isinstance(error, ResourceError):
        return type(error)(*problems, resource=error.resource)
    if isinstance(error, RefusedError):
        return type(error)(*problems, code=error.code)
    return type(error)(*problems)


def _located(problem: Problem, layers: Sequence[Layer]) -> Problem:
    if problem.path is not None or (origin := origin_of(layers, problem.key_path)) is None:
        return problem
    return at(problem, origin)


def at(problem: Problem, origin: Origin) -> Problem:
    """Return the problem with its place: that of the key, where the key is what is wrong."""
    line, column = origin.line, origin.column
    if origin.key is not None and problem.reason.startswith(UNKNOWN):
        line, column = origin.key
    return replace(problem, path=origin.name, line=line, column=column)


def bounded(
    problems: Sequence[Problem], place: Callable[[Problem], Problem] = lambda problem: problem
) -> list[Problem]:
    """Keep and place as many as a person reads; of a large file every value may be wrong."""
    kept = [place(problem) for problem in problems[:MOST_PROBLEMS]]
    more = len(problems) - len(kept)
    return [*kept, Problem(f"and {more} more problems")] if more else kept
