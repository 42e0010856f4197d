"""Reads the `keys:` of a contract: their ranges and baselines, windows, leaves and trials."""

import math
import re
from collections.abc import Callable, Mapping
from typing import Final

from ..exceptions import UsageError
from ..types import KeyPath
from .document import Items, Node, Scalar, of_those, quoted
from .patterns import Meant, Pattern, Spelled, pattern_of
from .terms import ABSENT, KeyTerms, Range
from .windows import Window
from .word_reader import WordReader, entries_of

__all__ = ["KeyReader", "NoOption"]

ANY_TIME: Final = "any"
NO_LEAVE: Final = "none"
_RANGE = re.compile(r"\s*(?P<low>[^.\s]\S*?)?\s*\.\.\s*(?P<high>\S+)?\s*")

_WORDS: Final = (
    "baseline", "range", "required_in", "not_baseline_in", "secret", "owner", "restart", "window",
    "approve", "signal", "trial",
)  # fmt: skip

TRIAL_WORDS: Final = (
    "shares", "first", "seconds", "units", "longest", "watch", "luck", "slow", "bad", "unjudged",
    "act", "shadow",
)  # fmt: skip


NoOption = Callable[[str, object], str | None]
"""Says what is wrong with an option of a trial, by its name and value; None where nothing is."""


class KeyReader:
    """Reads `keys:`, and what of it stands elsewhere, too.

    `spelled` tells how files may write a key path, `meant` which was meant, `no_option` what is
    wrong with an option.
    """

    def __init__(
        self, read: WordReader, spelled: Spelled, no_option: NoOption, meant: Meant
    ) -> None:
        self._read, self._spelled, self._no_option = read, spelled, no_option
        self._meant = meant
        self._document, self._faults = read.document, read.faults

    def keys(self, windows: Mapping[str, Window], roles: Mapping[str, object]) -> list[KeyTerms]:
        """Return what is said of each pattern of keys."""
        known: dict[KeyPath, str] = {}
        keys: list[KeyTerms] = []
        for key, node in self._read.entries(self._document, "keys"):
            keys.append(self._key(key, node, windows, roles))
            for way in keys[-1].pattern.ways if keys[-1].pattern.steps else ():
                if known.setdefault(way, key.text) != key.text:
                    reason = f"{quoted(key.text)} is the same key as {quoted(known[way])}"
                    self._faults.add(key, f"{reason} above: say all of it in one place")
                    break
        return keys

    def _key(
        self, key: Scalar, node: Node, windows: Mapping[str, Window], roles: Mapping[str, object]
    ) -> KeyTerms:
        pattern = self.path(key)
        self._read.known(node, _WORDS, f"key {quoted(key.text)}")
        found = dict(entries_of(node))
        baseline = found["baseline"][1] if "baseline" in found else None
        value = baseline.value if isinstance(baseline, Scalar) else ABSENT
        if baseline is not None and value is ABSENT:
            self._faults.add(baseline, "`baseline:` is one value: a number, a text, true or false")
        limits = self._range(self._read.of(node, "range"))
        if limits is not None and value is not ABSENT and not _is_in(limits, value):
            self._faults.add(baseline or node, f"the baseline is outside {limits.text}")
        not_baseline_in = self._environments(node, "not_baseline_in")
        if not_baseline_in and value is ABSENT:
            self._faults.add(key, "`not_baseline_in:` needs a `baseline:`")
        window = self._read.text(node, "window")
        if window not in (None, ANY_TIME) and window not in windows:
            reason = f"there is no window {quoted(window or '')}{of_those(window or '', windows)}"
            self._faults.add(self._read.of(node, "window") or node, reason)
        return KeyTerms(
            pattern,
            key.line,
            key.column,
            value,
            limits,
            self._environments(node, "required_in"),
            not_baseline_in,
            self._read.switch(node, "secret"),
            self._read.text(node, "owner"),
            self._read.switch(node, "restart"),
            window,
            self._leave(self._read.of(node, "approve"), roles),
            self._read.text(node, "signal"),
            self.trial(self._read.of(node, "trial")),
        )

    def path(self, key: Scalar) -> Pattern:
        """Return the pattern that a key path is; one without steps where it is none."""
        try:
            pattern = pattern_of(key.text, self._spelled)
        except UsageError:
            self._faults.add(key, f"{quoted(key.text)} is no key path")
            return Pattern(key.text, ())
        if not pattern.spelled:
            reason = f"the schema has no key {quoted(key.text)}{self._meant(pattern.steps)}"
            self._faults.add(key, reason)
        return pattern

    def _range(self, node: Node | None) -> Range | None:
        if node is None:
            return None
        text = node.text if isinstance(node, Scalar) else ""
        match = _RANGE.fullmatch(text)
        ends = (None, None) if match is None else (match["low"], match["high"])
        numbers = [None if end is None else _number(end) for end in ends]
        wrong = match is None or ends == (None, None)
        if wrong or any(n is not None and math.isnan(n) for n in numbers):
            self._faults.add(node, "write a range as in 1..100, 0.1.. or ..30")
            return None
        low, high = numbers
        if low is not None and high is not None and low > high:
            self._faults.add(node, "the range ends before it begins")
        return Range(text.strip(), low, high)

    def _leave(self, node: Node | None, roles: Mapping[str, object]) -> tuple[str, ...] | None:
        if node is None:
            return None
        if isinstance(node, Scalar) and node.text == NO_LEAVE:
            return ()
        names = self._read.names(node, roles, "role")
        if isinstance(node, Items) and not node.items:
            self._faults.add(node, "`approve:` names roles, or is none")
        return names

    def _environments(self, node: Node, name: str) -> tuple[str, ...] | None:
        named = self._read.of(node, name)
        if isinstance(named, Items) and not named.items:
            self._faults.add(named, f"`{name}:` names environments")
        return self._read.names(named, None, "environment") or None

    def trial(self, node: Node | None) -> dict[str, object] | None:
        """Return the options of a trial, by name; None where nothing is said of one."""
        if node is None or not self._read.known(node, TRIAL_WORDS, "a trial"):
            return None
        values: dict[str, object] = {}
        for name, (_, value) in entries_of(node):
            told: object = None
            if isinstance(value, Items):
                # Statuses are texts, as in 5xx, if they are 503, too.
                items = self._read.items(value)
                told = tuple(one.text if name == "bad" else one.value for one in items)
            elif isinstance(value, Scalar):
                told = value.value
            values[name] = told
            wrong = self._no_option(name, told) if name in TRIAL_WORDS else None
            if wrong is not None:
                self._faults.add(value, wrong)
        return values


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _is_in(limits: Range, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and limits.has(value)
