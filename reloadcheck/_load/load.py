"""Validate a merged tree by its schema, and name its problems at their places, misspelt keys first.

When and in which thread is `_engine/loading`'s; the libraries stand behind `_schema/schema`. Each
step is a function of what the step before gave, so that the engine can run it where it belongs.
Nothing here keeps state or touches what serves.
"""

from collections.abc import Sequence
from typing import TypeVar

from .._schema.schema import Schema
from .._schema.unknown_keys import UNKNOWN, Unknown, unknown_keys
from ..exceptions import ConfigError, SchemaError
from ..types import KeyPath, Pause, Problem
from .merge import Parsed
from .problems import located

C = TypeVar("C")


def validate(
    schema: Schema[C],
    parsed: Parsed,
    previous: C | None,
    pause: Pause,
    refuse_unknown: bool = False,
) -> C:
    """Convert the merged tree to the schema's type and freeze it, sharing what did not change.

    Its problems get their file and line here. A text that means nothing to its field is told in
    the words of the field's type, whatever the schema says of it.
    """
    misfits = {problem.key_path: problem for problem in parsed.misfits}
    problems = list(misfits.values())
    kind: type[ConfigError] = SchemaError
    good: list[C] = []
    try:
        good.append(schema.convert(parsed.tree, previous, pause))
    except ConfigError as error:
        kind = type(error)
        problems += [one for one in error.problems if one.key_path not in misfits]
    if problems or refuse_unknown:
        unknown = list(unknown_keys(schema.annotation, parsed.tree, pause))
        problems = _with_meanings(problems, unknown, refuse_unknown)
    if problems:
        raise located(kind(*problems), parsed.layers, pause)
    return good[0]


def _with_meanings(
    problems: Sequence[Problem], unknown: Sequence[Unknown], refuse_unknown: bool
) -> list[Problem]:
    """Name a misspelt key before the one that is missing in its place, and what it was meant for.

    With `refuse_unknown` each unknown key is a problem.
    """
    in_place_of: dict[KeyPath, Unknown] = {
        (*one.path[:-1], one.meant): one for one in unknown if one.meant is not None
    }
    reasons = {one.path: one.reason for one in unknown}
    told: list[Problem] = []
    named: set[KeyPath] = set()

    def name(path: KeyPath) -> None:
        if path not in named:
            named.add(path)
            told.append(Problem(reasons[path], key_path=path))

    for problem in problems:
        if problem.key_path in in_place_of:
            name(in_place_of[problem.key_path].path)
        if problem.reason == UNKNOWN and problem.key_path in reasons:
            name(problem.key_path)
        else:
            told.append(problem)
    for one in unknown if refuse_unknown else ():
        name(one.path)
    return told
