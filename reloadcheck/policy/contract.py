"""The contract: what operators say may change, when, and by whose leave; read once, at the start.

Takes a file, gives frozen values. Every mistake in it is told at once, at its line, and fails the
start; it is never read again while the process runs, so that nobody loosens a rule and breaks it in
one edit.

Long because it reads one format, word for word, and each word has its own mistakes to tell.
"""

from __future__ import annotations

import math
import os
import re
import zoneinfo
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

from .._runtime.addresses import address_of
from ..exceptions import ContractError, UsageError
from ..types import KeyPath, Problem
from .document import MOST_BYTES, Entries, Faults, Items, Node, Scalar, quoted, read_document
from .files import bytes_of
from .patterns import Pattern, Spelled, as_it_is, pattern_of
from .terms import ABSENT, CelRule, KeyTerms, Notice, Override, Range, Terms
from .windows import Freeze, Span, Window, instant_of, span_of

ANY_TIME: Final = "any"
NO_LEAVE: Final = "none"
_RANGE = re.compile(r"\s*(?P<low>[^.\s]\S*?)?\s*\.\.\s*(?P<high>\S+)?\s*")
_DURATION = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) *(?P<unit>s|m|min|h|d)")
_LONGEST_OVERRIDE: Final = 366 * 86_400.0
_UNITS: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}


NoOption = Callable[[str, object], str | None]
"""Says what is wrong with an option of a trial, by its name and value; None where nothing is."""


def _any_option(_: str, __: object) -> str | None:
    """Find nothing wrong, where nobody knows what a trial can be told."""
    return None


class Contract:
    """A contract file, for `ReloadCheck(…, contract=Contract("contract.yaml"))`; no I/O here.

    Paths in the file are relative to it; a relative `path` means the working directory at
    construction. It is read when the engine starts.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self.path = Path(path)
        self.where = Path(os.path.abspath(path))

    def __repr__(self) -> str:
        return f"Contract({str(self.path)!r})"

    def read(
        self,
        spelled: Spelled = as_it_is,
        no_option: NoOption = _any_option,
    ) -> tuple[Terms, bytes]:
        """Return the terms and the file's bytes; raise `ContractError` with all that is wrong.

        `spelled` tells how files may write a key path, in no way one that the schema has not;
        `no_option` what is wrong with an option of a trial, by name and value, or None.
        """
        name = str(self.path)
        try:
            data = bytes_of(self.where, MOST_BYTES)
        except OSError as error:
            reason = f"the contract cannot be read: {error.strerror or type(error).__name__}"
            problem = Problem(reason, name)
        else:
            return terms_of(data, name, spelled, no_option, str(self.where.parent)), data
        raise ContractError(problem)


def terms_of(
    data: bytes,
    name: str,
    spelled: Spelled = as_it_is,
    no_option: NoOption = _any_option,
    directory: str | None = None,
) -> Terms:
    """Read a contract's bytes; raise `ContractError` with all that is wrong.

    Paths in it are relative to `directory`, which is that of its name unless it is given.
    """
    document = read_document(data, name)
    faults = Faults(name)
    directory = os.path.dirname(name) if directory is None else directory
    terms = _Reader(document, faults, spelled, no_option).terms(directory)
    faults.check()
    return terms


_TOP: Final = (
    "reloadcheck", "service", "zone", "keys", "windows", "freezes", "rules", "trial", "rehearse",
    "approvers", "roles", "override", "notify",
)  # fmt: skip
_WORDS: Final = (
    "baseline", "range", "required_in", "not_baseline_in", "secret", "owner", "restart", "window",
    "approve", "signal", "trial",
)  # fmt: skip
STATES: Final = ("reloaded", "rejected", "waiting", "trying", "undone", "override")
TOLD: Final = ("rejected", "undone", "override")
"""The states that a notice without `on:` is about."""

TRIAL_WORDS: Final = (
    "shares", "first", "seconds", "units", "longest", "watch", "luck", "slow", "bad", "unjudged",
    "act", "shadow",
)  # fmt: skip


class _Reader:
    """Reads one document, taking note of every mistake."""

    def __init__(
        self,
        document: Entries,
        faults: Faults,
        spelled: Spelled,
        no_option: NoOption,
    ) -> None:
        self._no_option = no_option
        self._document = document
        self._faults = faults
        self._spelled = spelled

    def terms(self, directory: str) -> Terms:
        """Return the terms; they are whole only where no mistake was found."""
        self._known(self._document, _TOP, "the contract")
        version = self._of(self._document, "reloadcheck")
        if not isinstance(version, Scalar) or version.text != "1":
            self._faults.add(version or self._document, "begin with `reloadcheck: 1`")
        zone, zone_name = self._zone()
        windows = self._windows(zone)
        roles = self._roles()
        keys = self._keys(windows, roles)
        approvers = self._text(self._document, "approvers")
        asked = [one for one in keys if one.approve]
        if asked and approvers is None:
            self._at(asked[0], "`approve` needs `approvers:`, a file of allowed signers")
        if approvers is not None:
            self._check_members(os.path.join(directory, approvers), roles)
        return Terms(
            self._faults.name,
            directory,
            self._text(self._document, "service"),
            zone,
            zone_name,
            tuple(keys),
            windows,
            tuple(self._freezes(zone)),
            tuple(self._rules()),
            self._trial(self._of(self._document, "trial")),
            tuple(self._requests()),
            approvers,
            {name: members for name, (_, members) in roles.items()},
            self._override(roles),
            tuple(self._notices()),
            self._spelled,
        )

    # ------------------------------------------------------------------------- sections

    def _zone(self) -> tuple[tzinfo, str]:
        node = self._of(self._document, "zone")
        if node is not None and not isinstance(node, Scalar):
            self._faults.add(node, "`zone:` is one name, as in Europe/Berlin")
        name = node.text if isinstance(node, Scalar) else "UTC"
        if name == "UTC":
            return UTC, name  # for which no zone data is needed
        try:
            return zoneinfo.ZoneInfo(name), name
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            reason = f"there is no time zone {quoted(name)}"
            if not zoneinfo.available_timezones():
                reason = "this machine has no time zone data: install tzdata"
            self._faults.add(node or self._document, reason)
            return UTC, name

    def _windows(self, zone: tzinfo) -> dict[str, Window]:
        windows: dict[str, Window] = {}
        for key, node in self._entries(self._document, "windows"):
            spans: list[Span] = []
            for item in self._items(node):
                span = span_of(item.text)
                if isinstance(span, str):
                    self._faults.add(item, f"window {quoted(key.text)}: {span}")
                else:
                    spans.append(span)
            if key.text == ANY_TIME:
                self._faults.add(key, "`any` is no name of a window: it stands for every time")
            windows[key.text] = Window(key.text, tuple(spans), zone)
        return windows

    def _freezes(self, zone: tzinfo) -> Iterable[Freeze]:
        for item in self._list("freezes"):
            if not self._known(item, ("from", "until", "why"), "a freeze"):
                continue
            begin, until = self._instant(item, "from", zone), self._instant(item, "until", zone)
            why = self._words(item, "why", "a freeze says `why:`")
            if begin is not None and until is not None and until <= begin:
                self._faults.add(item, "a freeze ends after it begins")
            if None not in (begin, until, why):
                yield Freeze(begin or 0.0, until or 0.0, why or "")

    def _roles(self) -> dict[str, tuple[Scalar, tuple[str, ...]]]:
        roles: dict[str, tuple[Scalar, tuple[str, ...]]] = {}
        for key, node in self._entries(self._document, "roles"):
            members = tuple(item.text for item in self._items(node))
            if not members:
                self._faults.add(key, f"role {quoted(key.text)} has no members")
            roles[key.text] = key, members
        return roles

    def _check_members(
        self, path: str, roles: Mapping[str, tuple[Scalar, tuple[str, ...]]]
    ) -> None:
        node = self._of(self._document, "approvers") or self._document
        try:
            known = principals_in(Path(path).read_text(encoding="utf-8"))
        except (OSError, UnicodeDecodeError) as error:
            self._faults.add(node, f"the approvers cannot be read: {type(error).__name__}")
            return
        for key, members in roles.values():
            for member in members:
                if member not in known:
                    reason = f"{quoted(member)} is in no line of the approvers' file"
                    self._faults.add(key, f"role {quoted(key.text)}: {reason}")

    def _rules(self) -> Iterable[CelRule]:
        for item in self._list("rules"):
            if not self._known(item, ("key", "rule", "says"), "a rule"):
                continue
            text, says = self._of(item, "rule"), self._words(item, "says", "a rule says `says:`")
            key = self._of(item, "key")
            if not isinstance(text, Scalar) or not text.text.strip():
                self._faults.add(item, "a rule needs `rule:`, an expression in CEL")
                continue
            if key is not None and not isinstance(key, Scalar):
                self._faults.add(key, "`key:` is one key path")
            path = self._path(key).steps if isinstance(key, Scalar) else ()
            yield CelRule(path, text.text, says or "", text.line, text.column)

    def _trial(self, node: Node | None) -> dict[str, object] | None:
        if node is None or not self._known(node, TRIAL_WORDS, "a trial"):
            return None
        values: dict[str, object] = {}
        for name, (_, value) in _entries_of(node):
            told: object = None
            if isinstance(value, Items):
                items = self._items(value)  # statuses are texts, as in 5xx, if they are 503, too
                told = tuple(one.text if name == "bad" else one.value for one in items)
            elif isinstance(value, Scalar):
                told = value.value
            values[name] = told
            wrong = self._no_option(name, told) if name in TRIAL_WORDS else None
            if wrong is not None:
                self._faults.add(value, wrong)
        return values

    def _requests(self) -> Iterable[str]:
        for item in self._items(self._of(self._document, "rehearse")):
            if re.fullmatch(r"(GET|HEAD) /\S*", item.text) is None:
                self._faults.add(item, "write a request as in GET /healthz")
            yield item.text

    def _override(self, roles: Mapping[str, object]) -> Override | None:
        node = self._of(self._document, "override")
        if node is None or not self._known(node, ("roles", "at_most"), "`override:`"):
            return None
        named = self._of(node, "roles")
        names = self._names(named, roles, "role")
        if not names:
            self._faults.add(named or node, "`override:` needs `roles:`")
        limit = self._of(node, "at_most")
        seconds = seconds_of(limit.text) if isinstance(limit, Scalar) else None
        if seconds is None or not 0 < seconds <= _LONGEST_OVERRIDE:
            reason = "`at_most:` is a time as in 4h, 30m or 1d, of a year at the most"
            self._faults.add(limit or node, reason)
        if self._of(self._document, "approvers") is None:
            self._faults.add(node, "`override:` needs `approvers:`, a file of allowed signers")
        return Override(names, seconds or 0.0)

    def _notices(self) -> Iterable[Notice]:
        for item in self._list("notify"):
            if not self._known(item, ("url", "url_file", "on"), "a notice"):
                continue
            url, file = self._text(item, "url"), self._text(item, "url_file")
            if (url is None) == (file is None):
                self._faults.add(item, "name one of `url:` and `url_file:`")
            if url is not None and address_of(url) is None:  # it may be a secret: not quoted
                self._faults.add(self._of(item, "url") or item, "an address is https://host/path")
            states: dict[str, object] = {}
            states.update(dict.fromkeys(STATES))
            named = self._of(item, "on")
            on = TOLD if named is None else self._names(named, states, "state")
            if not on:
                self._faults.add(named or item, f"`on:` names states: {', '.join(STATES)}")
            where = f"{self._faults.name}:{item.line}:{item.column}"
            yield Notice(url, file, on, where)

    # ----------------------------------------------------------------------------- keys

    def _keys(self, windows: Mapping[str, Window], roles: Mapping[str, object]) -> list[KeyTerms]:
        known: dict[KeyPath, str] = {}
        keys: list[KeyTerms] = []
        for key, node in self._entries(self._document, "keys"):
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
        pattern = self._path(key)
        self._known(node, _WORDS, f"key {quoted(key.text)}")
        found = dict(_entries_of(node))
        baseline = found["baseline"][1] if "baseline" in found else None
        value = baseline.value if isinstance(baseline, Scalar) else ABSENT
        if baseline is not None and value is ABSENT:
            self._faults.add(baseline, "`baseline:` is one value: a number, a text, true or false")
        limits = self._range(self._of(node, "range"))
        if limits is not None and value is not ABSENT and not _is_in(limits, value):
            self._faults.add(baseline or node, f"the baseline is outside {limits.text}")
        not_baseline_in = self._environments(node, "not_baseline_in")
        if not_baseline_in and value is ABSENT:
            self._faults.add(key, "`not_baseline_in:` needs a `baseline:`")
        window = self._text(node, "window")
        if window not in (None, ANY_TIME) and window not in windows:
            reason = f"there is no window {quoted(window or '')}"
            self._faults.add(self._of(node, "window") or node, reason)
        return KeyTerms(
            pattern,
            key.line,
            key.column,
            value,
            limits,
            self._environments(node, "required_in"),
            not_baseline_in,
            self._switch(node, "secret"),
            self._text(node, "owner"),
            self._switch(node, "restart"),
            window,
            self._leave(self._of(node, "approve"), roles),
            self._text(node, "signal"),
            self._trial(self._of(node, "trial")),
        )

    def _path(self, key: Scalar) -> Pattern:
        try:
            pattern = pattern_of(key.text, self._spelled)
        except UsageError:
            self._faults.add(key, f"{quoted(key.text)} is no key path")
            return Pattern(key.text, ())
        if not pattern.spelled:
            self._faults.add(key, f"the schema has no key {quoted(key.text)}")
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
        names = self._names(node, roles, "role")
        if isinstance(node, Items) and not node.items:
            self._faults.add(node, "`approve:` names roles, or is none")
        return names

    def _environments(self, node: Node, name: str) -> tuple[str, ...] | None:
        named = self._of(node, name)
        if isinstance(named, Items) and not named.items:
            self._faults.add(named, f"`{name}:` names environments")
        return self._names(named, None, "environment") or None

    # -------------------------------------------------------------------------- values

    def _of(self, node: Node, name: str) -> Node | None:
        pair = node.entries.get(name) if isinstance(node, Entries) else None
        return None if pair is None else pair[1]

    def _known(self, node: Node, names: tuple[str, ...], what: str) -> bool:
        if not isinstance(node, Entries):
            self._faults.add(node, f"{what} is a mapping of {', '.join(names)}")
            return False
        for name, (key, _) in node.entries.items():
            if name not in names:
                reason = f"{what} knows no {quoted(name)}; it knows {', '.join(names)}"
                self._faults.add(key, reason)
        return True

    def _entries(self, node: Node, name: str) -> Iterable[tuple[Scalar, Node]]:
        inner = self._of(node, name)
        if inner is not None and not isinstance(inner, Entries):
            self._faults.add(inner, f"`{name}:` is a mapping")
        return list(inner.entries.values()) if isinstance(inner, Entries) else []

    def _list(self, name: str) -> tuple[Node, ...]:
        node = self._of(self._document, name)
        if node is not None and not isinstance(node, Items):
            self._faults.add(node, f"`{name}:` is a list")
        return node.items if isinstance(node, Items) else ()

    def _items(self, node: Node | None) -> list[Scalar]:
        """Return a list's texts; a single one may stand for a list of it."""
        if node is None:
            return []
        items = node.items if isinstance(node, Items) else (node,)
        for item in items:
            if not isinstance(item, Scalar):
                self._faults.add(item, "must be a list of texts")
        return [item for item in items if isinstance(item, Scalar)]

    def _names(
        self, node: Node | None, known: Mapping[str, object] | None, what: str
    ) -> tuple[str, ...]:
        items = self._items(node)
        for item in items:
            if not item.text:
                self._faults.add(item, f"a name of {_A[what]} is missing here")
            elif known is not None and item.text not in known:
                self._faults.add(item, f"there is no {what} {quoted(item.text)}")
        return tuple(item.text for item in items)

    def _text(self, node: Node, name: str) -> str | None:
        value = self._of(node, name)
        if value is None:
            return None
        if isinstance(value, Scalar) and value.value not in (None, ""):
            return value.text
        self._faults.add(value, f"`{name}:` is a text")
        return None

    def _words(self, node: Node, name: str, missing: str) -> str | None:
        """Return a sentence, which YAML must read as a text too."""
        value = self._of(node, name)
        if not isinstance(value, Scalar) or not value.text:
            self._faults.add(value or node, missing)
            return None
        if not isinstance(value.value, str):
            self._faults.add(value, f"`{name}:` must be a text: quote it")
        return value.text

    def _switch(self, node: Node, name: str) -> bool | None:
        value = self._of(node, name)
        if value is None:
            return None
        if isinstance(value, Scalar) and isinstance(value.value, bool):
            return value.value
        self._faults.add(value, f"`{name}:` is true or false")
        return None

    def _instant(self, node: Node, name: str, zone: tzinfo) -> float | None:
        value = self._of(node, name)
        instant = instant_of(value.text, zone) if isinstance(value, Scalar) else None
        if instant is None:
            self._faults.add(value or node, f"`{name}:` is a date and time as in 2026-11-27T00:00")
        return instant

    def _at(self, terms: KeyTerms, reason: str) -> None:
        self._faults.add(Scalar("", True, terms.line, terms.column), reason)


_A: Final = {"role": "a role", "environment": "an environment", "state": "a state"}


def _entries_of(node: Node) -> Iterable[tuple[str, tuple[Scalar, Node]]]:
    return node.entries.items() if isinstance(node, Entries) else ()


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return math.nan


def _is_in(limits: Range, value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and limits.has(value)


def seconds_of(text: str) -> float | None:
    """Return the seconds that a time as in `4h` or `30m` stands for; None for what is none."""
    match = _DURATION.fullmatch(text.strip())
    return None if match is None else float(match["number"]) * _UNITS[match["unit"]]


def principals_in(text: str) -> frozenset[str]:
    """Return who is named in a file of allowed signers, as `ssh-keygen` reads one."""
    names: set[str] = set()
    for line in text.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            first = line.strip().split()[0].strip('"')
            names.update(part for part in first.split(",") if part)
    return frozenset(names)
