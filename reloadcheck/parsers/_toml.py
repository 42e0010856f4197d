"""Read TOML text with the standard library, within the limits of every format.

What is accepted means what `tomllib.loads` says. The library sees only texts that a scan found to
be neither deep nor full of long numbers, and other threads run while it works.
"""

import re
import tomllib
from collections.abc import Callable, Iterable
from itertools import takewhile
from typing import Final, Self, SupportsIndex, cast

from .._config.untrack import exempt
from ..types import Key, KeyPath, Pause
from ._limits import DUPLICATE, MAX_CONTAINERS, TABLE_TWICE, TOO_MANY, finite, whole
from ._offsets import Container, parts_of
from ._text import SMALL, Empty, Refusal
from ._toml_scan import Found, scan

_READS_BETWEEN_PAUSES: Final = 2000
_FOUND_BETWEEN_PAUSES: Final = 100
_VALUES_BETWEEN_PAUSES: Final = 500
_PLACE: Final = re.compile(r"\(at line ([0-9]+), column ([0-9]+)\)\Z")
_REASONS: Final[tuple[tuple[str, str], ...]] = (
    ("Cannot declare", TABLE_TWICE),
    ("Cannot overwrite", DUPLICATE),
    ("Cannot redefine", DUPLICATE),
    ("Duplicate", DUPLICATE),
    ("Cannot mutate", "a table in one line cannot be added to"),
    ("Invalid date", "is a date or time that does not exist"),
    ("Unterminated", "text in quotes that does not end"),
    ("Escaped character", "an escape stands for half a character (a lone surrogate)"),
    ("Invalid hex", "an escape that TOML does not know"),
    ("Unescaped", "an escape that TOML does not know"),
    ("Invalid value", "a value is expected here, in quotes if it is text"),
    ("Unclosed", "a comma is missing here, or the list or table is not closed"),
    ("Expected newline", "the line should end here"),
)


def read(text: str, pause: Pause) -> dict[str, object]:
    """Return the tree that the text describes."""
    nap = pause if len(text) > SMALL else _no_pause
    for count, _ in enumerate(scan(text), start=1):
        if not count % _FOUND_BETWEEN_PAUSES:
            nap()
    tree = _parsed(text, nap)
    if not tree:
        raise Empty("is empty, and TOML has no way to write an empty configuration that is meant")
    _check(tree, text, nap)
    return tree


def finder(text: str, pause: Pause) -> Callable[[KeyPath], int | None]:
    """Return what tells where the value at a key path begins, or its nearest parent that exists."""
    offsets: dict[KeyPath, int] = {}
    try:
        for count, (path, index) in enumerate(scan(text), start=1):
            if not count % _FOUND_BETWEEN_PAUSES:
                pause()
            for length in range(1, len(path) + 1):
                # A table that is only implied begins where its first part does.
                offsets.setdefault(path[:length], index)
    except Refusal:
        pass  # What came before the flaw can be located all the same.

    def find(key_path: KeyPath) -> int | None:
        if not offsets:
            return None
        lengths = range(len(key_path), 0, -1)
        return next((offsets[key_path[:n]] for n in lengths if key_path[:n] in offsets), 0)

    return find


class _Napping(str):
    """A text that pauses every so many reads: the library's parser has no hook for it."""

    def __new__(cls, text: str, pause: Pause) -> Self:
        """Wrap the text; equal to it in every way."""
        napping = super().__new__(cls, text)
        napping._pause = pause
        napping._countdown = _READS_BETWEEN_PAUSES
        return napping

    _pause: Pause
    _countdown: int

    def __getitem__(self, key: SupportsIndex | slice) -> str:
        """Return a character or a part, and let others run now and then."""
        self._countdown -= 1
        if not self._countdown:
            self._countdown = _READS_BETWEEN_PAUSES
            self._pause()
        return super().__getitem__(key)

    def replace(self, old: str, new: str, count: SupportsIndex = -1, /) -> str:
        """Replace as any text does, but stay one that pauses where there is nothing to replace."""
        return super().replace(old, new, count) if old in self else self


def _parsed(text: str, pause: Pause) -> dict[str, object]:
    try:
        # The library would make a text of its own of one with other line ends.
        return tomllib.loads(_Napping(text.replace("\r\n", "\n"), pause))
    except ValueError as error:
        message = str(error)
    raise _refusal(message, text)


def _refusal(message: str, text: str) -> Refusal:
    """Make the refusal for a sentence of the library, which may quote keys and characters."""
    found = (reason for start, reason in _REASONS if message.startswith(start))
    reason = next(found, "is not valid TOML from here")
    index = _index(message, text)
    before = list(takewhile(lambda part: part[1] <= index, scan(text)))
    if reason not in (DUPLICATE, TABLE_TWICE):
        return Refusal(reason, index, before[-1][0] if before else ())
    # The library names the end of what is there twice; a person looks for its beginning.
    path, start = _latest_repeated(before)
    return Refusal(reason, start, path)


def _latest_repeated(parts: list[Found]) -> Found:
    seen: set[KeyPath] = set()
    latest = parts[-1]
    for part in parts:
        if part[0] in seen:
            latest = part
        seen.add(part[0])
    return latest


def _index(message: str, text: str) -> int:
    """Return the character that a sentence of the library means; it knows only one line end."""
    found = _PLACE.search(message)
    if found is None:
        return len(text)
    start = 0
    for _ in range(int(found[1]) - 1):
        start = text.index("\n", start) + 1
    return start + int(found[2]) - 1


def _check(tree: dict[str, object], text: str, pause: Pause) -> None:
    """Refuse values that not every format can hold, with their key path and place."""
    todo: list[tuple[KeyPath, Container]] = [((), tree)]
    countdown = _VALUES_BETWEEN_PAUSES
    for path, container in todo:
        for key, value in _items(container):
            countdown -= 1
            if not countdown:
                countdown = _VALUES_BETWEEN_PAUSES
                pause()
            if isinstance(value, dict | list):
                todo.append(((*path, key), cast(Container, value)))
                if len(todo) > MAX_CONTAINERS:
                    raise Refusal(TOO_MANY, 0)
                continue
            try:
                _check_value(value)
            except Refusal as refusal:
                refusal.key_path = (*path, key)
                refusal.index = finder(text, pause)(refusal.key_path)
                raise
    for count, (_, container) in enumerate(reversed(todo), start=1):  # the innermost first
        exempt(container, parts_of(container))
        if not count % _VALUES_BETWEEN_PAUSES:
            pause()


def _items(container: dict[str, object] | list[object]) -> Iterable[tuple[Key, object]]:
    return container.items() if isinstance(container, dict) else enumerate(container)


def _check_value(value: object) -> None:
    if type(value) is int:
        whole(value)
    elif isinstance(value, float):
        finite(value)


def _no_pause() -> None:
    pass
