"""From a contract's bytes to nodes that know where they stand: a YAML parser of a kind of its own.

Takes bytes, gives mappings, lists and scalars with line and column. Scalars stay as they are
written until somebody asks for a number, a switch or a text, so that `on`, `off` and times mean
what a person meant. No anchors, no tags, no duplicate keys; nothing is ever executed.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

from .._load.problems import bounded
from ..exceptions import ConfigError, ContractError
from ..parsers import parse, parse_scalar
from ..types import Document, Problem, no_pause, printable

MOST_BYTES: Final = 256 * 2**10
DEEPEST: Final = 12
MOST_QUOTED: Final = 80
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def quoted(text: str) -> str:
    """Return what is written somewhere as messages show it: printable, and not too much of it."""
    if len(text) > MOST_QUOTED:
        text = f"{text[:MOST_QUOTED]}…"
    return printable(text) or "''"


def of_those(name: str, known: Iterable[str]) -> str:
    """Return which was meant of the names that there are, or which those are, after a sentence."""
    from difflib import get_close_matches  # which only a mistake needs

    names = [one for one in known if one]
    close = get_close_matches(name, names, 1)
    if close:
        return f"; did you mean {quoted(close[0])}?"
    return f"; there is {quoted(', '.join(names))}" if names else ""


@dataclass(frozen=True, slots=True)
class Scalar:
    """A scalar as it is written; `plain` where no quotes stand around it. Lines are from 1."""

    text: str
    plain: bool
    line: int
    column: int

    @property
    def value(self) -> object:
        """Return what YAML makes of it; text stays text."""
        if not self.plain:
            return self.text
        try:
            return parse_scalar(self.text, "contract")
        except ConfigError:
            return self.text


@dataclass(frozen=True, slots=True)
class Items:
    """A list."""

    items: "tuple[Node, ...]"
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Entries:
    """A mapping, in the order in which it is written; each key with its own place."""

    entries: "dict[str, tuple[Scalar, Node]]"
    line: int
    column: int


Node = Scalar | Items | Entries


@dataclass(slots=True)
class Faults:
    """What is wrong with one file, collected, so that all of it is told at once."""

    name: str
    problems: list[Problem] = field(default_factory=list[Problem])

    def add(self, node: Node, reason: str) -> None:
        """Take note of what is wrong at a node."""
        self.problems.append(Problem(reason, self.name, node.line, node.column))

    def check(self) -> None:
        """Raise `ContractError` if anything is wrong, in the order of the file."""
        if self.problems:
            self.problems.sort(key=lambda one: (one.line or 0, one.column or 0))
            raise ContractError(*bounded(self.problems))


class _TooDeepError(Exception):
    """A line and a column at which nothing more is read."""


class _SecondError(Exception):
    """A line and a column at which a second document begins, which nobody would read."""


def read_document(data: bytes, name: str) -> Entries:
    """Return the mapping that the bytes hold; raise `ContractError` with the place."""
    if len(data) > MOST_BYTES:
        raise ContractError(Problem(f"is larger than {MOST_BYTES // 1024} KiB", name))
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ContractError(*_refused(data, name, Problem("is not UTF-8", name))) from None
    faults = Faults(name)
    try:
        events = _events(text)
        node = _node(events, faults)
        for _ in events:  # whatever comes after it would be read by nobody
            pass
    except _SecondError as error:
        problem = Problem("begins a second document: a contract is one", name, *error.args)
    except _TooDeepError as error:
        problem = Problem(f"is nested deeper than {DEEPEST} levels", name, *error.args)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = (None, None) if mark is None else (mark.line + 1, mark.column + 1)
        problem = Problem("is not valid YAML from here", name, *place)
        raise ContractError(*_refused(data, name, problem)) from None
    else:
        faults.check()
        if isinstance(node, Entries):
            return node
        problem = Problem("must be a mapping that begins with `reloadcheck: 1`", name, 1, 1)
    raise ContractError(problem)


def _refused(data: bytes, name: str, else_: Problem) -> tuple[Problem, ...]:
    """Return what the configuration's own parser says of such bytes, in its words and places."""
    try:
        parse(Document(name, data, "yaml"), no_pause)
    except ConfigError as error:
        return error.problems
    return (else_,)


def _events(text: str) -> Iterator[Any]:
    depth, documents = 0, 0
    for event in yaml.parse(text, Loader=_Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
            if depth > DEEPEST:
                mark: Any = event.start_mark
                raise _TooDeepError(mark.line + 1, mark.column + 1)
        depth -= isinstance(event, yaml.CollectionEndEvent)
        if not isinstance(
            event,
            yaml.StreamStartEvent
            | yaml.StreamEndEvent
            | yaml.DocumentStartEvent
            | yaml.DocumentEndEvent,
        ):
            yield event
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
            if documents > 1:
                again: Any = event.start_mark
                raise _SecondError(again.line + 1, again.column + 1)


def _node(events: Iterator[Any], faults: Faults, event: Any = None) -> Node | None:
    """Build one node; the depth is bounded by the events."""
    if event is None:
        event = next(events, None)
    if event is None:
        return None
    place = event.start_mark.line + 1, event.start_mark.column + 1
    if isinstance(event, yaml.AliasEvent) or event.anchor is not None or _is_tagged(event):
        node = Scalar("", False, *place)
        words = "put text that begins with &, * or ! in quotes"
        faults.add(node, f"anchors, aliases and tags have no place in a contract: {words}")
        if isinstance(event, yaml.AliasEvent):
            return node
    if isinstance(event, yaml.ScalarEvent):
        return Scalar(str(event.value), not event.style, *place)
    if isinstance(event, yaml.SequenceStartEvent):
        items: list[Node] = []
        while not isinstance(inner := next(events), yaml.SequenceEndEvent):
            if (item := _node(events, faults, inner)) is not None:
                items.append(item)
        return Items(tuple(items), *place)
    entries: dict[str, tuple[Scalar, Node]] = {}
    while not isinstance(inner := next(events), yaml.MappingEndEvent):
        key, value = _node(events, faults, inner), _node(events, faults)
        if not isinstance(key, Scalar):
            faults.add(key or Scalar("", False, *place), "a key must be a text")
        elif key.text in entries:
            faults.add(key, f"the key {quoted(key.text)} stands here twice")
        elif value is not None:
            entries[key.text] = key, value
    return Entries(entries, *place)


def _is_tagged(event: Any) -> bool:
    return getattr(event, "tag", None) not in (None, "", "!")
