"""Reads the other sections of a contract: zone, windows, freezes, roles, rules, notices."""

import os
import re
import zoneinfo
from collections.abc import Iterable, Mapping
from datetime import UTC, tzinfo
from pathlib import Path
from typing import Final

from .._runtime.addresses import address_of
from ..types import printable
from .document import MOST_QUOTED, Entries, Faults, Scalar, of_those, quoted
from .files import bytes_of
from .key_reader import ANY_TIME, KeyReader, NoOption
from .patterns import Meant, Spelled
from .terms import CelRule, Notice, Override, Terms
from .windows import Freeze, Span, Window, span_of
from .word_reader import WordReader

__all__ = ["SectionReader", "principals_in", "seconds_of"]

_DURATION = re.compile(r"(?P<number>[0-9]+(?:\.[0-9]+)?) *(?P<unit>s|m|min|h|d)")
_LONGEST_OVERRIDE: Final = 366 * 86_400.0
_MOST_SIGNERS: Final = 2**20
_UNITS: Final = {"s": 1.0, "m": 60.0, "min": 60.0, "h": 3600.0, "d": 86_400.0}

_TOP: Final = (
    "reloadcheck", "service", "zone", "keys", "windows", "freezes", "rules", "trial", "rehearse",
    "approvers", "roles", "override", "notify",
)  # fmt: skip
STATES: Final = ("reloaded", "rejected", "waiting", "trying", "undone", "override")
TOLD: Final = ("rejected", "undone", "override")
"""The states that a notice without `on:` is about."""


class SectionReader:
    """Reads one document, taking note of every mistake."""

    def __init__(
        self,
        document: Entries,
        faults: Faults,
        spelled: Spelled,
        no_option: NoOption,
        meant: Meant,
    ) -> None:
        self._document, self._faults = document, faults
        self._read = WordReader(document, faults)
        self._keys = KeyReader(self._read, spelled, no_option, meant)
        self._spelled = spelled

    def terms(self, directory: str) -> Terms:
        """Return the terms; they are whole only where no mistake was found."""
        self._read.known(self._document, _TOP, "the contract")
        version = self._read.of(self._document, "reloadcheck")
        if not isinstance(version, Scalar) or version.text != "1":
            self._faults.add(version or self._document, "begin with `reloadcheck: 1`")
        zone, zone_name = self._zone()
        windows = self._windows(zone)
        roles = self._roles()
        keys = self._keys.keys(windows, roles)
        approvers = self._read.text(self._document, "approvers")
        asked = [one for one in keys if one.approve]
        if asked and approvers is None:
            where = Scalar("", True, asked[0].line, asked[0].column)
            self._faults.add(where, "`approve` needs `approvers:`, a file of allowed signers")
        if approvers is not None:
            self._check_members(os.path.join(directory, approvers), roles)
        return Terms(
            self._faults.name,
            directory,
            self._read.text(self._document, "service"),
            zone,
            zone_name,
            tuple(keys),
            windows,
            tuple(self._freezes(zone)),
            tuple(self._rules()),
            self._keys.trial(self._read.of(self._document, "trial")),
            tuple(self._requests()),
            approvers,
            {name: members for name, (_, members) in roles.items()},
            self._override(roles),
            tuple(self._notices()),
            self._spelled,
        )

    def _zone(self) -> tuple[tzinfo, str]:
        node = self._read.of(self._document, "zone")
        if node is not None and not isinstance(node, Scalar):
            self._faults.add(node, "`zone:` is one name, as in Europe/Berlin")
        name = node.text if isinstance(node, Scalar) else "UTC"
        if name == "UTC":
            return UTC, name  # for which no zone data is needed
        try:
            return zoneinfo.ZoneInfo(name), name
        except (zoneinfo.ZoneInfoNotFoundError, ValueError, OSError):
            known = zoneinfo.available_timezones()
            meant = [one for one in known if one.casefold() == name.casefold()]
            reason = f"there is no time zone {quoted(name)}{of_those(name, meant)}"
            if not known:
                reason = "this machine has no time zone data: install tzdata"
            self._faults.add(node or self._document, reason)
            return UTC, name

    def _windows(self, zone: tzinfo) -> dict[str, Window]:
        windows: dict[str, Window] = {}
        for key, node in self._read.entries(self._document, "windows"):
            spans: list[Span] = []
            for item in self._read.items(node):
                span = span_of(item.text)
                if isinstance(span, str):
                    self._faults.add(item, f"window {quoted(key.text)}: {span}")
                else:
                    spans.append(span)
            if key.text == ANY_TIME:
                self._faults.add(key, "`any` is no name of a window: it stands for every time")
            windows[key.text] = Window(key.text, tuple(spans), zone, key.line, key.column)
        return windows

    def _freezes(self, zone: tzinfo) -> Iterable[Freeze]:
        for item in self._read.list_of("freezes"):
            if not self._read.known(item, ("from", "until", "why"), "a freeze"):
                continue
            begin = self._read.instant(item, "from", zone)
            until = self._read.instant(item, "until", zone)
            why = self._read.sentence(item, "why", "a freeze says `why:`")
            if begin is not None and until is not None and until <= begin:
                self._faults.add(item, "a freeze ends after it begins")
            if None not in (begin, until, why):
                yield Freeze(begin or 0.0, until or 0.0, why or "")

    def _roles(self) -> dict[str, tuple[Scalar, tuple[str, ...]]]:
        roles: dict[str, tuple[Scalar, tuple[str, ...]]] = {}
        for key, node in self._read.entries(self._document, "roles"):
            members = tuple(item.text for item in self._read.items(node))
            if not members:
                self._faults.add(key, f"role {quoted(key.text)} has no members")
            roles[key.text] = key, members
        return roles

    def _check_members(
        self, path: str, roles: Mapping[str, tuple[Scalar, tuple[str, ...]]]
    ) -> None:
        node = self._read.of(self._document, "approvers") or self._document
        try:
            data = bytes_of(Path(path), _MOST_SIGNERS)
            if len(data) > _MOST_SIGNERS:
                raise OSError(0, "is larger than 1 MiB")
            known = principals_in(data.decode())
        except (OSError, UnicodeDecodeError) as error:
            reason = getattr(error, "strerror", None) or "is not UTF-8"
            shown = path if len(path) <= MOST_QUOTED else f"…{path[-MOST_QUOTED:]}"
            self._faults.add(node, f"the approvers cannot be read: {printable(shown)}: {reason}")
            return
        for key, members in roles.values():
            for member in members:
                if member not in known:
                    reason = f"{quoted(member)} is in no line of the approvers' file"
                    self._faults.add(key, f"role {quoted(key.text)}: {reason}")

    def _rules(self) -> Iterable[CelRule]:
        for item in self._read.list_of("rules"):
            if not self._read.known(item, ("key", "rule", "says"), "a rule"):
                continue
            text = self._read.of(item, "rule")
            says = self._read.sentence(item, "says", "a rule says `says:`")
            key = self._read.of(item, "key")
            if not isinstance(text, Scalar) or not text.text.strip():
                self._faults.add(item, "a rule needs `rule:`, an expression in CEL")
                continue
            if key is not None and not isinstance(key, Scalar):
                self._faults.add(key, "`key:` is one key path")
            path = self._keys.path(key).steps if isinstance(key, Scalar) else ()
            yield CelRule(path, text.text, says or "", text.line, text.column)

    def _requests(self) -> Iterable[str]:
        for item in self._read.items(self._read.of(self._document, "rehearse")):
            if re.fullmatch(r"(GET|HEAD) /\S*", item.text) is None:
                self._faults.add(item, "write a request as in GET /healthz")
            yield item.text

    def _override(self, roles: Mapping[str, object]) -> Override | None:
        node = self._read.of(self._document, "override")
        if node is None or not self._read.known(node, ("roles", "at_most"), "`override:`"):
            return None
        named = self._read.of(node, "roles")
        names = self._read.names(named, roles, "role")
        if not names:
            self._faults.add(named or node, "`override:` needs `roles:`")
        limit = self._read.of(node, "at_most")
        seconds = seconds_of(limit.text) if isinstance(limit, Scalar) else None
        if seconds is None or not 0 < seconds <= _LONGEST_OVERRIDE:
            reason = "`at_most:` is a time as in 4h, 30m or 1d, of a year at the most"
            self._faults.add(limit or node, reason)
        if self._read.of(self._document, "approvers") is None:
            self._faults.add(node, "`override:` needs `approvers:`, a file of allowed signers")
        return Override(names, seconds or 0.0)

    def _notices(self) -> Iterable[Notice]:
        for item in self._read.list_of("notify"):
            if not self._read.known(item, ("url", "url_file", "on"), "a notice"):
                continue
            url, file = self._read.text(item, "url"), self._read.text(item, "url_file")
            if (url is None) == (file is None):
                self._faults.add(item, "name one of `url:` and `url_file:`")
            if url is not None and address_of(url) is None:  # it may be a secret: not quoted
                self._faults.add(
                    self._read.of(item, "url") or item, "an address is https://host/path"
                )
            states: dict[str, object] = {}
            states.update(dict.fromkeys(STATES))
            named = self._read.of(item, "on")
            on = TOLD if named is None else self._read.names(named, states, "state")
            if not on:
                self._faults.add(named or item, f"`on:` names states: {', '.join(STATES)}")
            where = f"{self._faults.name}:{item.line}:{item.column}"
            yield Notice(url, file, on, where)


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
