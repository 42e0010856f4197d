"""Read, parse, merge and validate once, as an engine would, and keep every problem on the way.

Takes inputs, gives what is known of them; where a part cannot be used, the others are still read.
"""

import sys
from collections.abc import Mapping, Sequence
from contextlib import redirect_stdout
from dataclasses import dataclass, field
from typing import Any

from .._load.load import validate
from .._load.merge import Parsed, parse
from .._load.references import ReferenceSet
from .._load.resolved_layers import unread
from .._schema.schema import Schema
from ..exceptions import ConfigError
from ..types import Document, Problem, Source, no_pause

__all__ = ["Fault", "Known", "known_of", "unread_of", "validated"]


@dataclass(frozen=True, slots=True)
class Fault:
    """A problem, how bad it is (`error` or `warning`) and the code of its kind."""

    severity: str
    code: str
    problem: Problem


@dataclass(frozen=True, slots=True)
class Known:
    """What was read; `parsed` is None when some of it cannot be used."""

    documents: Mapping[str, Document]
    parsed: Parsed | None
    faults: tuple[Fault, ...] = ()
    sources: tuple[Source, ...] = field(default=(), repr=False)


def known_of(
    sources: Sequence[Source],
    max_bytes: int,
    annotation: object = Any,
    references: ReferenceSet | None = None,
) -> Known:
    """Read and parse all sources, whatever is wrong with some of them.

    What a reference stands for need not be on this machine: that is a warning, and it stands for
    itself.
    """
    faults: list[Fault] = []
    readable: list[Source] = []
    sets: list[tuple[Document, ...]] = []
    for source in sources:
        try:
            documents = tuple(source.read(source.stamp(), max_bytes))
        except ConfigError as error:
            faults += faults_of(error)
            continue
        readable.append(source)
        sets.append(documents)
    by_name = {document.name: document for documents in sets for document in documents}
    parsed: Parsed | None = None
    missing: list[Problem] = []
    try:
        referring = None if references is None else references.now(sets)
        parsed = parse(readable, sets, no_pause, annotation, referring, lenient=True)
        if referring is not None:
            missing = list(unread(parsed.layers, referring))
    except ConfigError as error:
        faults += faults_of(error)
    told = [Fault("warning", "reference", problem) for problem in missing]
    return Known(by_name, None if faults else parsed, (*faults, *told), tuple(readable))


def unread_of(known: Known) -> list[Fault]:
    """Return the warnings of references that could not be read here."""
    return [one for one in known.faults if one.code == "reference"]


def validated(schema: Schema[Any], parsed: Parsed, previous: Any = None) -> Any:
    """Return the frozen configuration; raises `ConfigError` with every problem at its place."""
    with redirect_stdout(sys.stderr):  # a schema may be a function that prints
        return validate(schema, parsed, previous, no_pause)


def faults_of(error: ConfigError) -> list[Fault]:
    """Take an error apart."""
    return [Fault("error", error.code, problem) for problem in error.problems]
