"""Build a tree from YAML events, iteratively, and refuse what a configuration may not hold.

Parts that aliases and merge keys repeat are shared, not copied, as `yaml.safe_load` shares them.

Long because it is one machine: an event in, at most one value out.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any, Final, cast

from yaml.events import AliasEvent, CollectionStartEvent, Event, MappingStartEvent, ScalarEvent

from .._config.untrack import exempt
from ..types import Key, KeyPath, printable
from ._limits import (
    DUPLICATE,
    MAX_ADDED,
    MAX_CONTAINERS,
    MAX_DEPTH,
    NOT_A_MAPPING,
    TOO_DEEP,
    TOO_MANY,
)
from ._offsets import Container, Offsets, parts_of
from ._text import Refusal
from ._yaml_dialect import index_of
from ._yaml_scalars import Marker, Scalar, foreign, plain, quoted, tagged

_MEMO_LENGTH: Final = 64
_MAPPING_TAGS: Final = frozenset({None, "tag:yaml.org,2002:map"})
_LIST_TAGS: Final = frozenset({None, "tag:yaml.org,2002:seq"})
_KINDS: Final[dict[type, str]] = {
    bool: "true or false",
    float: "a number",
    type(None): "null",
}
_MERGE_TAKES: Final = "a merge key takes a mapping, or a list of mappings"


@dataclass(slots=True)
class _Open:
    """A collection whose end has not been seen."""

    value: Container
    anchor: str | None
    size_before: int
    key: Key | Marker | None = None
    merged: list[dict[Any, object]] | None = None

    def next_key(self) -> Key | None:
        """Return the key of the part that comes next, for the key path of an error."""
        if isinstance(self.value, list):
            return len(self.value)
        return self.key.value if isinstance(self.key, Marker) else self.key

    def open_key(self) -> Key | None:
        """Return the key of the part that is open, which its container has got already."""
        return len(self.value) - 1 if isinstance(self.value, list) else self.next_key()


@dataclass(frozen=True, slots=True)
class _Anchored:
    """What an anchor stands for, and the number of nodes that an alias to it adds."""

    value: object
    size: int


class Builder:
    """Takes the events of one document in turn; `offsets` is filled when it is given."""

    __slots__ = (
        "_added",
        "_anchors",
        "_containers",
        "_is_building",
        "_memo",
        "_offsets",
        "_open",
        "_size",
        "root",
    )  # fmt: skip

    _in_one_go = True
    """Whether ordinary scalars skip the steps that a subclass may listen at."""

    def __init__(self, offsets: Offsets | None = None) -> None:
        self.root: dict[Any, object] | None = None
        self._offsets = offsets
        self._is_building = False  # inside the root, and nobody asks for offsets
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored | None] = {}
        self._memo: dict[str, Scalar] = {}
        self._size = 0
        self._added = 0
        self._containers = 0

    def take(self, event: Event) -> None:
        """Take the next event; refuse it with its place and key path."""
        try:
            if type(event) is ScalarEvent:
                if event.tag is None and event.anchor is None and self._is_building:
                    self._take_ordinary(event)
                else:
                    self._take_scalar(event)
            elif isinstance(event, CollectionStartEvent):
                self._start(event)
            elif isinstance(event, AliasEvent):
                self._take_alias(event)
            else:
                self._end()
        except Refusal as refusal:
            if refusal.index is None:
                refusal.index = index_of(event)
                refusal.key_path = self._key_path() + refusal.key_path
            raise

    def _take_scalar(self, event: ScalarEvent) -> None:
        self._size += 1
        value = self._scalar(event)
        if event.anchor is not None:
            if isinstance(value, Marker):
                raise Refusal(f"an anchor may not stand before {value.value}")
            self._declare(event.anchor, _Anchored(value, 1))
        self._put(value, event)

    def _take_ordinary(self, event: ScalarEvent) -> None:
        """Do what is done with any scalar, in one go for what nearly all of them are."""
        self._size += 1
        text: str = event.value
        value: Scalar
        if not event.implicit[0]:
            value = text if text.isascii() else quoted(text)
        elif text in self._memo:
            value = self._memo[text]
        else:
            value = self._plain(text)
        parent = self._open[-1]
        container, key = parent.value, parent.key
        if isinstance(value, Marker) or key is Marker.MERGE:
            self._put(value, event)
        elif isinstance(container, list):
            container.append(value)
        elif key is not None:  # a word or a number, as no marker comes here
            container[key] = value
            parent.key = None
        else:
            parent.key = _checked_key(parent, value)

    def _scalar(self, event: ScalarEvent) -> Scalar:
        text = event.value
        if not event.implicit[0]:
            return quoted(text) if event.tag is None else tagged(event.tag, text)
        if event.tag is not None:
            # A lone "!", which the two parsers of PyYAML read differently.
            raise foreign(event.tag)
        return self._memo[text] if text in self._memo else self._plain(text)

    def _plain(self, text: str) -> Scalar:
        value = plain(text)
        if len(text) <= _MEMO_LENGTH:
            self._memo[text] = value
        return value

    def _start(self, event: CollectionStartEvent) -> None:
        if len(self._open) == MAX_DEPTH:
            raise Refusal(TOO_DEEP)
        self._containers += 1
        if self._containers > MAX_CONTAINERS:
            raise Refusal(TOO_MANY)
        value: Container
        if isinstance(event, MappingStartEvent):
            value, tags = {}, _MAPPING_TAGS
        else:
            value, tags = [], _LIST_TAGS
        if event.tag not in tags:
            raise foreign(str(event.tag))
        if event.anchor is not None:
            self._declare(event.anchor, None)
        opened = _Open(value, event.anchor, self._size)
        self._size += 1
        # Into its parent at once, so that offsets are known of a text that breaks off later.
        if not self._open:
            self._put_root(value, event)
        elif self._open[-1].key is not Marker.MERGE:
            self._put_part(self._open[-1], value, event)
        self._open.append(opened)
        self._is_building = self._in_one_go and self._offsets is None

    def _end(self) -> None:
        done = self._open.pop()
        if done.merged and isinstance(done.value, dict):
            self._merge(done.value, done.merged)
        exempt(done.value, parts_of(done.value))
        if done.anchor is not None:
            self._anchors[done.anchor] = _Anchored(done.value, self._size - done.size_before)
        if not self._open:
            self._is_building = False
            return
        parent = self._open[-1]
        if parent.key is Marker.MERGE:
            parent.merged = _merge_sources(done.value)
        parent.key = None

    def _take_alias(self, event: AliasEvent) -> None:
        name = str(event.anchor)
        if name not in self._anchors:
            # Without its name: a password that begins with * is read as an alias.
            raise Refusal("there is no such anchor before this alias; put text in quotes")
        anchored = self._anchors[name]
        if anchored is None:
            raise Refusal(f"the anchor &{printable(name)} contains itself")
        # Spent before anything is built from it: a merge below copies what was counted here.
        self._added += anchored.size
        if self._added > MAX_ADDED:
            raise Refusal(f"aliases and merge keys add more than {MAX_ADDED:,} nodes")
        self._size += anchored.size
        self._put(anchored.value, event)

    def _declare(self, anchor: str, anchored: _Anchored | None) -> None:
        if anchor in self._anchors:
            # Without its name: a password that begins with & is read as an anchor.
            raise Refusal("this anchor is declared twice; put text that begins with & in quotes")
        self._anchors[anchor] = anchored

    def _put(self, value: object, event: Event) -> None:
        if not self._open:
            self._put_root(value, event)
            return
        parent = self._open[-1]
        if parent.key is None and isinstance(parent.value, dict):
            parent.key = _checked_key(parent, value)
            return
        if isinstance(value, Marker):
            raise Refusal(f"{value.value} means something only as a key; put it in quotes")
        if parent.key is Marker.MERGE:
            parent.merged = _merge_sources(value)
        else:
            self._put_part(parent, value, event)
        parent.key = None

    def _put_root(self, value: object, event: Event) -> None:
        if isinstance(value, dict):
            self.root = value
            if self._offsets is not None:
                self._offsets.root = (value, index_of(event))
        elif not _is_nothing(event):
            raise Refusal(f"{NOT_A_MAPPING}, each key with a colon and a space after it")

    def _put_part(self, parent: _Open, value: object, event: Event) -> None:
        container = parent.value
        if isinstance(container, list):
            key: Key = len(container)
            container.append(value)
        elif isinstance(parent.key, str | int):
            key = parent.key
            container[key] = value
        else:
            raise Refusal("a key must be a single word or text; put text with { or [ in quotes")
        if self._offsets is not None:
            self._offsets.note(container, key, index_of(event))

    def _merge(self, target: dict[Any, object], sources: list[dict[Any, object]]) -> None:
        # The order of `yaml.safe_load`: what is merged stands first, own entries win.
        own = dict(target)
        target.clear()
        for source in sources:
            target.update(source)
        target.update(own)
        if self._offsets is not None:
            self._offsets.inherit(target, sources)

    def _key_path(self) -> KeyPath:
        keys = [opened.open_key() for opened in self._open[:-1]]
        keys += [opened.next_key() for opened in self._open[-1:]]
        return tuple(key for key in keys if key is not None)


def _checked_key(parent: _Open, value: object) -> Key | Marker:
    if (type(value) is str or type(value) is int) and value not in parent.value:
        return value
    if value is Marker.MERGE:
        if parent.merged is not None:
            raise Refusal("there is more than one merge key; merge a list of mappings instead")
        return value
    key = value.value if value is Marker.VALUE else value
    if type(key) is not int and not isinstance(key, str):
        kind = _KINDS.get(type(key), "a date" if isinstance(key, date) else "no text")
        raise Refusal(f"this key is read as {kind}; put it in quotes")
    if key in parent.value:
        raise Refusal(DUPLICATE, key_path=(key,))
    return key


def _merge_sources(value: object) -> list[dict[Any, object]]:
    """Return the mappings to merge in the order of updating: the first in the text comes last."""
    if isinstance(value, dict):
        return [cast(dict[Any, object], value)]
    if not isinstance(value, list):
        raise Refusal(_MERGE_TAKES)
    parts = cast(list[object], value)
    sources = [cast(dict[Any, object], part) for part in parts if isinstance(part, dict)]
    if len(sources) < len(parts):
        raise Refusal(_MERGE_TAKES)
    return sources[::-1]


def _is_nothing(event: Event) -> bool:
    """Return whether the root was left out, which an explicit null was not."""
    return isinstance(event, ScalarEvent) and not (
        event.value or event.style or event.tag or event.anchor
    )
