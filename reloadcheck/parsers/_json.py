"""Read JSON text token by token, iteratively, within the limits of every format.

What is accepted means what `json.loads` says. A reader of our own because the library's recurses,
keeps the last of two equal keys and holds the interpreter lock from start to end.
"""

import json
import re
from collections.abc import Callable
from contextlib import suppress
from typing import Final, TypeAlias, cast

from .._config.untrack import exempt
from ..types import Key, KeyPath, Pause
from ._limits import (
    DUPLICATE,
    MAX_CONTAINERS,
    MAX_DEPTH,
    NOT_A_MAPPING,
    TOO_DEEP,
    TOO_MANY,
    finite,
    short,
    whole,
)
from ._offsets import Container, Offsets, parts_of
from ._patterns import compiled
from ._text import SMALL, Empty, Refusal, refuse_surrogates

TOKEN: Final = compiled(
    r"[ \t\n\r]*+(?:"
    r'(?P<text>"[^"\\\x00-\x1f]*+(?:\\.[^"\\\x00-\x1f]*+)*+")'
    r"|(?P<fraction>-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++(?:[eE][-+]?[0-9]++)?+|[eE][-+]?[0-9]++))"
    r"|(?P<integer>-?(?:0|[1-9][0-9]*+))"
    r"|(?P<mark>[\[\]{},:])"
    r"|(?P<word>-?[A-Za-z]++)"
    r"|(?P<end>\Z)"
    r"|(?P<flaw>))"
)
_WORDS: Final[dict[str, object]] = {"true": True, "false": False, "null": None}
_NO_NUMBERS: Final = frozenset({"NaN", "Infinity", "-Infinity"})
_TOKENS_BETWEEN_PAUSES: Final = 200

_Token: TypeAlias = re.Match[str]
_Step: TypeAlias = Callable[[_Token], "_Step | None"]


def read(text: str, pause: Pause) -> dict[str, object]:
    """Return the tree that the text describes."""
    reader = _Reader()
    reader.run(text, pause if len(text) > SMALL else _no_pause)
    return reader.root


def finder(text: str, pause: Pause) -> Callable[[KeyPath], int | None]:
    """Return what tells where the value at a key path begins, or its nearest parent that exists."""
    offsets = Offsets()
    with suppress(Refusal):  # What came before the flaw can be located all the same.
        _Reader(offsets).run(text, pause)
    return offsets.find


class _Reader:
    """Each step takes one token and gives the step that takes the next."""

    __slots__ = ("_containers", "_key", "_keys", "_offsets", "_open", "root")

    def __init__(self, offsets: Offsets | None = None) -> None:
        self.root: dict[str, object] = {}
        self._offsets = offsets
        self._open: list[Container] = []
        self._keys: list[Key] = []
        self._key = ""
        self._containers = 0

    def run(self, text: str, pause: Pause) -> None:
        """Take all tokens of the text; refuse one with its place and key path."""
        match = TOKEN.match
        position = 0
        countdown = _TOKENS_BETWEEN_PAUSES
        step: _Step | None = self._begin
        while step is not None:
            token = cast(_Token, match(text, position))  # The last alternative always matches.
            position = token.end()
            try:
                step = step(token)
            except Refusal as refusal:
                refusal.index = _start(token)
                refusal.key_path = (*self._keys, *refusal.key_path)
                raise
            countdown -= 1
            if not countdown:
                countdown = _TOKENS_BETWEEN_PAUSES
                pause()

    def _begin(self, token: _Token) -> _Step:
        if token["mark"] == "{":
            return self._open_one(self.root, token, self._first_key)
        if token.lastgroup == "end":
            raise Empty("is empty; write {} if no configuration is meant")
        if token.lastgroup == "flaw" or token["mark"] not in {None, "["}:
            raise Refusal("is not JSON: a mapping in { } is expected")
        raise Refusal(NOT_A_MAPPING)

    def _first_key(self, token: _Token) -> _Step:
        return self._close() if token["mark"] == "}" else self._take_key(token)

    def _take_key(self, token: _Token) -> _Step:
        if token.lastgroup != "text":
            raise _expected(token, "a key in double quotes")
        key = _unquoted(token["text"])
        if key in self._open[-1]:
            raise Refusal(DUPLICATE, key_path=(key,))
        self._key = key
        return self._colon

    def _colon(self, token: _Token) -> _Step:
        if token["mark"] != ":":
            raise _expected(token, "a colon")
        return self._value

    def _first_item(self, token: _Token) -> _Step:
        return self._close() if token["mark"] == "]" else self._value(token)

    def _value(self, token: _Token) -> _Step:
        kind = token.lastgroup
        if kind == "mark":
            if token["mark"] == "{":
                return self._open_one({}, token, self._first_key)
            if token["mark"] == "[":
                return self._open_one([], token, self._first_item)
        try:
            value = _scalar(token, kind)
        except Refusal as refusal:
            refusal.key_path = (self._next_key(),)
            raise
        self._put(value, token)
        return self._next

    def _next(self, token: _Token) -> _Step:
        mark = token["mark"]
        container = self._open[-1]
        if isinstance(container, dict):
            if mark == ",":
                return self._take_key
            if mark == "}":
                return self._close()
            raise _expected(token, "a comma or }")
        if mark == ",":
            return self._value
        if mark == "]":
            return self._close()
        raise _expected(token, "a comma or ]")

    def _after(self, token: _Token) -> None:
        if token.lastgroup != "end":
            raise Refusal("there is something after the end of the mapping")

    def _open_one(self, container: Container, token: _Token, then: _Step) -> _Step:
        if len(self._open) == MAX_DEPTH:
            raise Refusal(TOO_DEEP)
        self._containers += 1
        if self._containers > MAX_CONTAINERS:
            raise Refusal(TOO_MANY)
        if self._open:
            self._keys.append(self._next_key())
            self._put(container, token)
        elif self._offsets is not None:
            self._offsets.root = (container, _start(token))
        self._open.append(container)
        return then

    def _close(self) -> _Step:
        done = self._open.pop()
        exempt(done, parts_of(done))
        if not self._open:
            return self._after
        self._keys.pop()
        return self._next

    def _put(self, value: object, token: _Token) -> None:
        container = self._open[-1]
        if self._offsets is not None:
            self._offsets.note(container, self._next_key(), _start(token))
        if isinstance(container, dict):
            container[self._key] = value
        else:
            container.append(value)

    def _next_key(self) -> Key:
        container = self._open[-1]
        return self._key if isinstance(container, dict) else len(container)


def _start(token: _Token) -> int:
    return token.start(token.lastgroup or 0)


def _scalar(token: _Token, kind: str | None) -> object:
    if kind == "text":
        return _unquoted(token["text"])
    if kind == "integer":
        return whole(int(short(token["integer"])))
    if kind == "fraction":
        return finite(float(short(token["fraction"])))
    if kind == "word":
        return _word(token["word"])
    raise _expected(token, "a value")


def _unquoted(text: str) -> str:
    if "\\" not in text:
        return text[1:-1]
    try:
        value: str = json.loads(text)
    except ValueError:
        raise Refusal("an escape that JSON does not know") from None
    return refuse_surrogates(value)


def _word(word: str) -> object:
    if word in _WORDS:
        return _WORDS[word]
    if word in _NO_NUMBERS:
        return finite(float(word.lower().replace("infinity", "inf")))
    raise Refusal("a value is expected here, in quotes if it is text")


def _expected(token: _Token, what: str) -> Refusal:
    if token.lastgroup == "end":
        return Refusal(f"breaks off here, where {what} is expected")
    if token.string.startswith('"', token.end()):
        return Refusal("the text that begins here does not end, or holds a control character")
    return Refusal(f"{what} is expected here")


def _no_pause() -> None:
    pass
