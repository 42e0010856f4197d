"""What a person is shown about a document: where its keys stand and how its scalars are written.

Takes a document, gives places up to its first flaw; never runs on the way to a configuration.
"""

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, TypeAlias, cast

from yaml.events import Event, ScalarEvent

from ..types import Document, Key, KeyPath
from ._json import TOKEN
from ._text import Refusal, decode_anyhow
from ._toml_scan import scan
from ._yaml import feed
from ._yaml_build import Builder
from ._yaml_dialect import index_of
from ._yaml_scalars import Marker, Scalar

Span: TypeAlias = tuple[int, int]

_PART: Final = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_ASSIGNED: Final = re.compile(rf"({_PART}(?:[ \t]*\.[ \t]*{_PART})*)[ \t]*=[ \t]*\Z")
_COLON: Final = re.compile(r"[ \t]*:")
_HEADER: Final = re.compile(rf"\[{{1,2}}[ \t]*{_PART}(?:[ \t]*\.[ \t]*{_PART})*[ \t]*\]{{1,2}}")


@dataclass(frozen=True, slots=True)
class Written:
    """A scalar of a YAML document, without quotes and tag: its text, its value and its place.

    `is_key` tells a key; `key_path` is then its own.
    """

    text: str = field(repr=False)
    value: Scalar = field(repr=False)
    index: int
    key_path: KeyPath
    is_key: bool


@dataclass(frozen=True, slots=True)
class Merge:
    """A merge key whose mappings set some of the same keys to different values."""

    index: int
    key_path: KeyPath
    keys: tuple[Key, ...]


@dataclass(frozen=True, slots=True)
class Survey:
    """A document's text, and what is known of it; places count its characters from 0."""

    text: str = field(repr=False)
    keys: tuple[Span, ...]
    scalars: tuple[Written, ...] = ()
    merges: tuple[Merge, ...] = ()


def survey(document: Document) -> Survey:
    """Go through a document of any format; one that is refused is known as far as its flaw."""
    text = decode_anyhow(document.data)
    match document.format:
        case "yaml":
            listening = _Listening()
            with suppress(Refusal):
                feed(listening, text, _no_pause)
            # Without a colon it may be text that a missing sign made a key of.
            keys = (span for span in listening.keys if _COLON.match(text, span[1]))
            return Survey(text, tuple(keys), tuple(listening.scalars), tuple(listening.merges))
        case "json":
            return Survey(text, tuple(_json_keys(text)))
        case "toml":
            return Survey(text, tuple(_toml_keys(text)))
        case _:
            return Survey(text, ())


class _Listening(Builder):
    """Builds as ever, and notes what passes by."""

    __slots__ = ("_given", "_merge_keys", "keys", "merges", "scalars")

    _in_one_go = False

    def __init__(self) -> None:
        super().__init__()
        self.keys: list[Span] = []
        self.scalars: list[Written] = []
        self.merges: list[Merge] = []
        self._merge_keys: dict[int, tuple[int, KeyPath]] = {}
        # What a mapping was given for each key, by its identity, for which it is kept.
        self._given: dict[int, tuple[object, dict[Key, list[object]]]] = {}

    def _scalar(self, event: ScalarEvent) -> Scalar:
        value = super()._scalar(event)
        if event.implicit[0] and not isinstance(value, Marker):
            key, path = self._at_key(), self._key_path()
            own = (*path, value if type(value) is int else str(value)) if key else path
            self.scalars.append(Written(event.value, value, index_of(event), own, key))
        return value

    def _put(self, value: object, event: Event) -> None:
        if self._at_key() and event.end_mark is not None:
            self.keys.append((index_of(event), event.end_mark.index))
            if value is Marker.MERGE:
                position = index_of(event), self._key_path()
                self._merge_keys[id(self._open[-1].value)] = position
        super()._put(value, event)

    def _merge(self, target: dict[Any, object], sources: list[dict[Any, object]]) -> None:
        given: dict[Key, list[object]] = {}
        for source in sources:
            _, of_source = self._given.get(id(source), (None, {}))
            for key, value in source.items():
                for each in of_source.get(key, [value]):
                    _add(given, key, each)
        shared = tuple(key for key, values in given.items() if len(values) > 1)
        index, path = self._merge_keys[id(target)]
        if shared:
            self.merges.append(Merge(index, path, shared))
        for key, value in target.items():
            _add(given, key, value)
        self._given[id(target)] = target, given
        super()._merge(target, sources)

    def _at_key(self) -> bool:
        return bool(self._open) and self._open[-1].key is None and self._in_mapping()

    def _in_mapping(self) -> bool:
        return isinstance(self._open[-1].value, dict)


def _add(given: dict[Key, list[object]], key: Key, value: object) -> None:
    """Add a value that differs from the first of its key; a second one is enough to know."""
    values = given.setdefault(key, [value])
    if len(values) == 1 and (type(value) is not type(values[0]) or value != values[0]):
        values.append(value)


def _json_keys(text: str) -> Iterator[Span]:
    position, before = 0, None
    while True:
        token = cast(
            "re.Match[str]", TOKEN.match(text, position)
        )  # the last alternative always does
        if token.lastgroup in ("end", "flaw"):
            return
        if token["mark"] == ":" and before is not None:
            yield before
        before = token.span("text") if token.lastgroup == "text" else None
        position = token.end()


def _toml_keys(text: str) -> Iterator[Span]:
    with suppress(Refusal):
        for _, index in scan(text):
            header = _HEADER.match(text, index)
            if header is not None and _begins_line(text, index):
                yield header.span()
                continue
            start = text.rfind("\n", 0, index) + 1
            assigned = _ASSIGNED.search(text, start, index)
            if assigned is not None:
                yield assigned.span(1)


def _begins_line(text: str, index: int) -> bool:
    return not text[text.rfind("\n", 0, index) + 1 : index].strip()


def _no_pause() -> None:
    pass
