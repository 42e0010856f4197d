"""Read YAML text event by event, under budgets; never through a YAML loader.

What is accepted means what `yaml.safe_load` says. Nesting, aliases and merge keys are bounded
before anything is built from them, and the interpreter lock is never held for long.
"""

from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import islice
from typing import Final, Protocol, cast

import yaml
from yaml.error import YAMLError
from yaml.events import (
    DocumentEndEvent,
    DocumentStartEvent,
    Event,
    ScalarEvent,
    StreamEndEvent,
    StreamStartEvent,
)

from ..types import KeyPath, Pause
from ._offsets import Offsets
from ._text import SMALL, Empty, Refusal
from ._yaml_build import Builder
from ._yaml_dialect import checked, index_of, suspect
from ._yaml_reasons import end_by_depth, refusal_of
from ._yaml_scalars import Marker, Scalar, plain, quoted

_EVENTS_BETWEEN_PAUSES: Final = 100
_CHARACTERS_AT_ONCE: Final = 4096
_TAG_DIRECTIVES: Final = 16
_EVENTS_OF_ONE_SCALAR: Final = 5
_FRAME: Final = frozenset({StreamStartEvent, DocumentStartEvent, DocumentEndEvent, StreamEndEvent})
_SPACE: Final = " \t\r\n"
_STYLES: Final = frozenset({None, "", "'", '"'})
_LOADER: Final = yaml.CSafeLoader if yaml.__with_libyaml__ else yaml.SafeLoader
"""Only ever asked for events; without libyaml the same events come more slowly."""


def read(text: str, pause: Pause) -> dict[str, object]:
    """Return the tree that the text describes."""
    builder = Builder()
    feed(builder, text, pause if len(text) > SMALL else _no_pause)
    if builder.root is None:
        raise Empty("is empty; write {} if no configuration is meant")
    return builder.root


def finder(text: str, pause: Pause) -> Callable[[KeyPath], int | None]:
    """Return what tells where the value at a key path begins, or its nearest parent that exists."""
    offsets = Offsets()
    with suppress(Refusal):  # What came before the flaw can be located all the same.
        feed(Builder(offsets), text, pause)
    return offsets.find


def read_scalar(text: str) -> object:
    """Return the value of a text that is one scalar, plain or in quotes; else the text itself."""
    if not text:
        return None
    scalar = None if text[0] in _SPACE or text[-1] in _SPACE else _only_scalar(text)
    if scalar is None:
        return text
    if scalar.style:
        return quoted(scalar.value)
    # A plain scalar that is not the whole text was followed by a comment, or folded.
    value: Scalar = plain(text) if scalar.value == text else text
    return text if isinstance(value, Marker) else value


class _Parser(Protocol):
    index: int  # of the next character; libyaml's has none

    def get_event(self) -> Event | None: ...


class _Portions:
    """A text that the parser fetches bit by bit, with a pause before each further bit.

    A comment or a block of text of a megabyte is a single event.
    """

    def __init__(self, text: str, pause: Pause) -> None:
        self._text = text
        self._pause = pause
        self._position = 0

    def read(self, size: int = _CHARACTERS_AT_ONCE, /) -> str:
        """Return the next bit, empty at the end."""
        start = self._position
        if start:
            self._pause()
        self._position = start + min(size, _CHARACTERS_AT_ONCE)
        return self._text[start : self._position]


def feed(builder: Builder, text: str, pause: Pause) -> None:
    """Let the builder take the events of the text, in portions."""
    # libyaml compares each tag directive with all others, and no configuration needs one.
    if text.count("\n%TAG") > _TAG_DIRECTIVES:
        raise Refusal("has too many %TAG directives", text.index("\n%TAG") + 1)
    feeding = _Feeding(builder, pause)
    flaw = feeding.run(text)
    if flaw is not None and (end := end_by_depth(flaw)) is not None:
        # From 0.2.6 on libyaml stops at a depth of its own, up to a kilobyte ahead of the events
        # that it has given: the first level too many for us, or an earlier flaw, is among the rest.
        flaw = feeding.run(text[:end]) or flaw
    if flaw is not None:
        raise refusal_of(flaw, text)


class _Feeding:
    """Hands events to a builder, and counts them, so that another run goes on behind them."""

    def __init__(self, builder: Builder, pause: Pause) -> None:
        self._builder = builder
        self._pause = pause
        self._documents = 0
        self._taken = 0

    def run(self, text: str) -> YAMLError | None:
        """Let the builder take the events that are new to it; return what the parser raised."""
        try:
            self._take(islice(_events(text, self._pause), self._taken, None))
        except YAMLError as error:
            return error
        return None

    def _take(self, events: Iterator[Event]) -> None:
        """Take the events of the one document; refuse a second one."""
        take, pause = self._builder.take, self._pause
        taken = self._taken
        try:
            for event in events:
                if type(event) not in _FRAME:
                    take(event)
                elif type(event) is DocumentStartEvent:
                    self._documents += 1
                    if self._documents > 1:
                        raise Refusal("holds more than one document", index_of(event))
                taken += 1
                if not taken % _EVENTS_BETWEEN_PAUSES:
                    pause()
        finally:
            self._taken = taken


def _events(text: str, pause: Pause) -> Iterator[Event]:
    """Return the parser's events one by one; whoever takes them gets its `YAMLError` too."""
    parser = cast(_Parser, _LOADER(_Portions(text, pause)))
    if not issubclass(_LOADER, yaml.SafeLoader):
        events = iter(parser.get_event, None)
        return checked(events, text) if suspect(text) else events
    return checked(_without_libyaml(parser), text)


def _without_libyaml(parser: _Parser) -> Iterator[Event]:
    """Return the events of a parser that lets out what `int` and `chr` raise."""
    while True:
        try:
            event = parser.get_event()
        except (ValueError, OverflowError):
            raise Refusal("is not valid YAML from here", parser.index) from None
        if event is None:
            return
        yield event


def _only_scalar(text: str) -> ScalarEvent | None:
    """Return the event of a text that is one scalar from its first to its last character."""
    try:
        events = list(islice(_events(text, _no_pause), _EVENTS_OF_ONE_SCALAR + 1))
    except (Refusal, YAMLError):
        return None
    if len(events) != _EVENTS_OF_ONE_SCALAR:
        return None
    scalar = events[2]
    if not isinstance(scalar, ScalarEvent) or scalar.tag or scalar.anchor:
        return None
    end = scalar.end_mark.index if scalar.end_mark else 0
    return (
        scalar if index_of(scalar) == 0 and end == len(text) and scalar.style in _STYLES else None
    )


def _no_pause() -> None:
    pass
