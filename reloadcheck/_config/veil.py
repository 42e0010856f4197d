"""The one judge of what an operator may see of one configuration: by names, looks and links.

Learns a configuration once, then says of each value whether it is hidden, and gives texts with
their secret parts masked. Page, command line and error messages ask it, so that they agree.
"""

import re
from base64 import b64decode
from collections.abc import Callable, Collection, Iterator
from contextlib import suppress
from decimal import Decimal
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from ..types import Key, KeyPath, Pause, no_pause
from .containers import is_dict, is_frozenset, is_list, is_set, is_tuple
from .key_path import lookup, path_key
from .mask import MASK
from .model_fields import field_values
from .secret_looks import asks_for_secret, masked
from .secret_names import Names, Reach, counts, names_place

__all__ = ["Veil", "parts_of", "written"]

_SHORT: Final = 3
_LONG: Final = 6
_DIGITS: Final = 4
_LONGEST_USER: Final = 64
_DEEPEST: Final = 100
_VALUES_A_PAUSE: Final = 1_000
_BASE64: Final = re.compile(r"[A-Za-z0-9+/_-]{8,}={0,2}")
_HEX: Final = re.compile(r"[0-9A-Fa-f]{12,}")
_NUMBER: Final = re.compile(r"(?<![\w.])\d{4,}(?![\w.])")
_WRITTEN_MODULES: Final = frozenset({
    "datetime", "decimal", "fractions", "ipaddress", "pathlib", "uuid", "zoneinfo",
})  # fmt: skip


def written(value: object) -> str | None:
    """Return how a value is written that is no JSON: a date, a path, a URL; None for others."""
    cls = type(value)
    if cls.__module__.partition(".")[0] in _WRITTEN_MODULES or hasattr(value, "unicode_string"):
        return str(value)
    return None


def parts_of(value: object) -> list[tuple[Key, object]] | None:
    """Return what a value holds, by key or index; None for one that holds no others."""
    mapping = value if is_dict(value) else field_values(value)
    if mapping is not None:
        return [(path_key(key), part) for key, part in mapping.items()]
    if is_list(value) or is_tuple(value):
        return list(enumerate(value))
    if is_set(value) or is_frozenset(value):
        return list(enumerate(sorted(value, key=repr)))
    return None


class Veil:
    """What is hidden of one configuration; `also` are secret names too, `public` names are not."""

    def __init__(self, also: Collection[str] = (), public: Collection[str] = ()) -> None:
        self._names = Names(also, public)
        self._exact: set[str] = set()
        self._long: dict[str, set[str]] = {}
        self._private: set[KeyPath] = set()
        self._users: set[str] = set()
        self._shown: set[str] = set()

    # ------------------------------------------------------------------------- learning

    def learn(self, tree: object, pause: Pause = no_pause) -> None:
        """Take note of all that is hidden in a tree or model, so that it is hidden elsewhere."""
        for count, (_, value, hidden) in enumerate(self.walk(tree)):
            if count % _VALUES_A_PAUSE == _VALUES_A_PAUSE - 1:
                pause()
            if hidden:
                self._learn_all(value)
            elif isinstance(value, str):
                self._learn_credentials(value)
                if len(value) <= _LONGEST_USER:
                    self._shown.add(value)
            elif (text := written(value)) is not None:
                self._learn_credentials(text)

    def learn_private(self, tree: object) -> None:
        """Take note of what comes from a confidential source: hidden at its place and elsewhere."""
        for path, value, _ in self.walk(tree):
            self._private.add(path)
            self._learn_all(value)

    def learn_at(self, path: KeyPath, *trees: object) -> None:
        """Take note of what a reference stands for at a key path, wherever the trees have it."""
        self._private.add(path)
        for tree in trees:
            with suppress(KeyError):
                self._learn_all(lookup(tree, path))

    def is_private(self, path: KeyPath) -> bool:
        """Return whether a value, or what it is a part of, comes from where all is confidential."""
        return any(path[:depth] in self._private for depth in range(1, len(path) + 1))

    def _learn_all(self, value: object, depth: int = 0) -> None:
        parts = parts_of(value)
        if parts is not None and depth <= _DEEPEST:
            for key, part in parts:
                if isinstance(key, str) and is_dict(value):
                    self._learn_text(key)
                self._learn_all(part, depth + 1)
            return
        reveal = getattr(value, "get_secret_value", None)
        value = value if reveal is None else reveal()
        if isinstance(value, bytes):
            value = value.decode("utf-8", "replace")
        if isinstance(value, str):
            self._learn_text(value)
            self._learn_credentials(value)
        elif _is_number(value) and sum(map(str.isdigit, str(value))) >= _DIGITS:
            self._exact.add(str(value))

    def _learn_text(self, text: str) -> None:
        if len(text) < _SHORT:
            return
        self._exact.add(text)
        for folded in {text.casefold(), _folded(text)}:  # as `strasse` and as `straße`
            if len(folded) >= _LONG:
                self._long.setdefault(folded[:_LONG], set()).add(folded)

    def _learn_credentials(self, text: str) -> None:
        """Take note of the password of a URL, which may stand elsewhere by itself."""
        if "://" not in text or "@" not in text:
            return
        with suppress(ValueError):  # no URL after all
            url = urlsplit(text)
            password = url.password
            if url.username and len(url.username) <= _LONGEST_USER:
                self._users.add(url.username)
            if password:
                self._learn_text(password)
                self._learn_text(unquote(password))

    def known(self) -> list[str]:
        """Return what a sentence may not quote: all that is hidden and nowhere shown.

        Also the users of URLs, whose names are hidden there.
        """
        return [*self._exact, *(self._users - self._shown)]

    # ------------------------------------------------------------------------- judging

    def walk(
        self, value: object, path: KeyPath = (), hidden: bool = False
    ) -> Iterator[tuple[KeyPath, object, bool]]:
        """Return each value that holds no others with its path, and whether its name hides it.

        What is hidden with all that it holds is given whole: its keys may be as secret.
        """
        parts = None if hidden or len(path) > _DEEPEST else parts_of(value)
        if not parts:
            yield path, value, hidden or hasattr(value, "get_secret_value")
            return
        by_name = not (is_list(value) or is_tuple(value))
        before: object = None
        for key, part in parts:
            if by_name:
                closed = isinstance(key, str) and self.hides_at(key, part)
            else:
                closed, before = asks_for_secret(before), part
            yield from self.walk(part, (*path, key), closed)

    def hides_at(self, key: str, value: object) -> bool:
        """Return whether a key hides its value whole."""
        if value is None or isinstance(value, bool):
            return False
        reach = self._names.reach(key)
        if reach is Reach.NONE:
            return False
        if reach is Reach.VALUE and (is_dict(value) or field_values(value) is not None):
            return False
        if _is_number(value):
            return not counts(key)
        text = value if isinstance(value, str) else written(value)
        if text is not None:
            if names_place(key):
                return "/" not in text and "\\" not in text and "." not in text
            if key.casefold().endswith("dsn") and "://" in text:
                return masked(text) == text  # what is secret in it can be told apart
        return True

    def hides(self, path: KeyPath, value: object) -> bool:
        """Return whether a value is hidden whole, by a key of its path or by its own type."""
        if self._private and self.is_private(path):
            return value is not None
        *above, last = path or ("",)
        below = any(isinstance(k, str) and self._names.reach(k) is Reach.BELOW for k in above)
        if below and value is not None and not isinstance(value, bool):
            return True
        if isinstance(last, str) and self.hides_at(last, value):
            return True
        return hasattr(value, "get_secret_value")

    def text(self, text: str) -> str:
        """Return a text with what looks secret, or is hidden elsewhere, masked."""
        if text in self._exact:
            return MASK
        shown = masked(text)
        if not self._exact:
            return shown
        shown = self._without_known(shown)
        shown = _NUMBER.sub(lambda found: MASK if found[0] in self._exact else found[0], shown)
        shown = _BASE64.sub(lambda found: self._run_masked(found[0], _from_base64), shown)
        shown = _HEX.sub(lambda found: self._run_masked(found[0], _from_hex), shown)
        if "%" in shown and self._holds_known(unquote(shown)) and not self._holds_known(shown):
            return MASK
        return shown

    def hides_number(self, value: object) -> bool:
        """Return whether a number is hidden elsewhere."""
        return _is_number(value) and str(value) in self._exact

    def redacted(self, value: object, path: KeyPath = ()) -> Any:
        """Return a plain copy of a tree, a model or a value with all that is hidden masked."""
        if value is None or isinstance(value, bool):
            return value
        if self.hides(path, value) or self.hides_number(value):
            return MASK
        if isinstance(value, str):
            return self.text(value)
        mapping = value if is_dict(value) else field_values(value)
        if mapping is not None:
            return {k: self._at(path, path_key(k), part) for k, part in mapping.items()}
        parts = parts_of(value)
        if parts is not None:
            return [self.redacted(part, (*path, at)) for at, part in parts]
        text = written(value)
        return value if text is None or self.text(text) == text else self.text(text)

    def _at(self, path: KeyPath, key: Key, part: object) -> Any:
        return self.redacted(part, (*path, key))

    # ------------------------------------------------------------------------ searching

    def _holds_known(self, text: str) -> bool:
        return next(self._known_in(text), None) is not None

    def _known_in(self, text: str) -> Iterator[tuple[int, int]]:
        """Return where hidden texts stand in a text, in any case, from left to right."""
        folded = _folded(text) if self._long else text
        at = 0
        while at <= len(folded) - _LONG:
            known = self._long.get(folded[at : at + _LONG], ())
            fitting = [one for one in known if folded.startswith(one, at)]
            if fitting:
                end = at + max(map(len, fitting))
                yield at, end
                at = end
            else:
                at += 1

    def _without_known(self, text: str) -> str:
        shown, at = "", 0
        for start, end in self._known_in(text):
            shown += text[at:start] + MASK
            at = end
        shown += text[at:]
        return _SHORT_WORD.sub(lambda found: MASK if found[0] in self._exact else found[0], shown)

    def _run_masked(self, run: str, read: Callable[[str], str]) -> str:
        decoded = ""
        with suppress(ValueError):
            decoded = read(run)
        return MASK if decoded and self._holds_known(decoded) else run


def _folded(text: str) -> str:
    """Fold the case of each character to one character: what stands where stays where it is."""
    folded = text.casefold()
    if len(folded) == len(text):
        return folded
    ways = ((one.casefold(), one.lower(), one) for one in text)
    return "".join(next(way for way in each if len(way) == 1) for each in ways)


_SHORT_WORD: Final = re.compile(r"(?<![\w.-])[\w.-]{4,5}(?![\w.-])")


def _from_base64(run: str) -> str:
    plain = run.rstrip("=").translate(str.maketrans("-_", "+/"))
    return b64decode(plain + "=" * (-len(plain) % 4)).decode("utf-8", "replace")


def _from_hex(run: str) -> str:
    return bytes.fromhex(run[: len(run) // 2 * 2]).decode("utf-8", "replace")


def _is_number(value: object) -> bool:
    return isinstance(value, int | float | Decimal) and not isinstance(value, bool)
