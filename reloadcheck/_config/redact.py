"""Mask in a sentence that somebody else wrote, a driver or a validator, what it quotes of ours.

What is masked is every value of a configuration, whatever its key is called; what is secret in a
tree of ours is `veil`'s to judge.
"""

import json
import re
from collections.abc import Iterable, Iterator
from itertools import groupby
from operator import itemgetter
from urllib.parse import quote, unquote, urlsplit

from .containers import is_dict, is_frozenset, is_list, is_set, is_tuple
from .mask import MASK
from .model_fields import field_values

__all__ = ["MASK", "Scrubber", "scrub"]

_TEXT_LIMIT = 2_000
_VALUES_LIMIT = 100_000
_CHARS_LIMIT = 1_000_000
_COMPARED_LIMIT = 2_000_000
_STRETCH = 6
_WORD_SIZE = 3
_LONG_NUMBER = 4
_ORDINARY = re.compile(r"[A-Za-z0-9 .,:;/@%_+-]*")  # spelled alike by repr and in JSON


def scrub(text: str, config: object) -> str:
    """Mask in a foreign sentence what it quotes from `config`: a tree, a model, or one value.

    Masked are whole strings of the configuration and the parts of URLs, raw, decoded and escaped;
    each stretch of the sentence that six consecutive characters of one string cover (drivers
    truncate); and numbers of four digits and more. The sentence is cut at 2,000 characters. When
    the configuration is too large to look for each value of it, all of the sentence is masked.
    """
    return Scrubber(config)(text)


class Scrubber:
    """Masks what many foreign sentences quote from one configuration, each as `scrub` does.

    A large one may have a wrong value for each of its values: when the sentences so far have been
    compared with two million characters of it, all of each further one is masked.
    """

    def __init__(self, config: object) -> None:
        self._config = config
        self._quotable: dict[bool, set[str] | None] = {}
        self._left = _COMPARED_LIMIT

    def __call__(self, text: str) -> str:
        """Return the sentence without what it quotes."""
        text = text[:_TEXT_LIMIT]
        quotable = self._strings(encoded="%" in text) if self._left > 0 else None
        if quotable is None:
            return MASK
        covered = bytearray(len(text))
        for string in quotable:
            self._left -= 1 + len(string)
            if string in text:
                _cover(text, string, covered)
        _cover_stretches(text, quotable, covered)
        return _masked(text, covered)

    def _strings(self, *, encoded: bool) -> set[str] | None:
        if encoded not in self._quotable:
            self._quotable[encoded] = _quotable(self._config, encoded)
        return self._quotable[encoded]


def _quotable(config: object, encoded: bool) -> set[str] | None:
    """Return the values worth masking in each form they are quoted in; None when too many."""
    strings: set[str] = set()
    budget = _CHARS_LIMIT
    for count, value in enumerate(_scalars(config)):
        written = value if isinstance(value, str) else str(value)
        budget -= len(written)
        if budget < 0 or count > _VALUES_LIMIT:
            return None
        if not isinstance(value, int | float):
            strings.update(_forms(written, encoded))
        elif sum(map(str.isdigit, written)) >= _LONG_NUMBER:
            strings.add(written)
    strings.discard("")
    return strings


def _scalars(config: object) -> Iterator[object]:
    """Return the values of a tree or model that could be quoted, what its secret types hide too."""
    waiting: list[object] = [config]
    while waiting:
        value = waiting.pop()
        if is_dict(value):
            waiting.extend(value.values())
        elif is_list(value) or is_tuple(value) or is_set(value) or is_frozenset(value):
            waiting.extend(value)
        elif (reveal := getattr(value, "get_secret_value", None)) is not None:
            waiting.append(reveal())
        elif (fields := field_values(value)) is not None:
            waiting.extend(fields.values())
        elif isinstance(value, bytes):
            yield value.decode("utf-8", "replace")
        elif value is not None and not isinstance(value, bool):
            yield value


def _forms(value: str, encoded: bool) -> Iterator[str]:
    """Return the spellings in which a message could quote a value or a part of a URL."""
    for part in (value, *_url_parts(value)):
        for spelled in {part, unquote(part)} if "%" in part else (part,):
            yield spelled
            if encoded:
                yield quote(spelled, safe="")
            if _ORDINARY.fullmatch(spelled) is None:
                yield repr(spelled)[1:-1]
                yield json.dumps(spelled)[1:-1]


def _url_parts(value: str) -> Iterator[str]:
    if "://" not in value:
        return
    try:
        url = urlsplit(value)
        parts = (url.netloc, url.username, url.password, url.hostname, url.query, url.fragment)
        yield from filter(None, (*parts, url.path.strip("/"), str(url.port or "")))
    except ValueError:  # no URL after all
        return


def _cover(text: str, string: str, covered: bytearray) -> None:
    """Mark where a whole string stands: a short one only as a word, a tiny one only in quotes."""
    pattern = re.escape(string)
    if len(string) < _WORD_SIZE:
        pattern = rf"(?<=[\"'`]){pattern}(?=[\"'`])"
    elif len(string) < _STRETCH or string.isdigit():
        pattern = rf"(?<!\w){pattern}(?!\w)"
    for found in re.finditer(pattern, text):
        covered[found.start() : found.end()] = b"\1" * len(string)


def _cover_stretches(text: str, strings: Iterable[str], covered: bytearray) -> None:
    """Mark each window of the text that is also a window of one of the strings."""
    windows: dict[str, list[int]] = {}
    for start in range(len(text) - _STRETCH + 1):
        windows.setdefault(text[start : start + _STRETCH], []).append(start)
    for string in strings:
        for start in range(len(string) - _STRETCH + 1):
            for place in windows.pop(string[start : start + _STRETCH], ()):
                covered[place : place + _STRETCH] = b"\1" * _STRETCH


def _masked(text: str, covered: bytearray) -> str:
    shown: list[str] = []
    for hidden, run in groupby(zip(text, covered, strict=True), key=itemgetter(1)):
        shown.append(MASK if hidden else "".join(char for char, _ in run))
    return "".join(shown)
