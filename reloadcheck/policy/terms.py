"""What a contract says, as frozen values: terms by key, windows, freezes, rules, roles.

Values that only answer; reading and checking a file is `contract`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path
from typing import Any, Final

from .._runtime.addresses import address_of
from ..exceptions import OptionError
from ..types import KeyPath
from .files import bytes_of
from .patterns import ANY, Nearest, Pattern, Spelled, as_it_is
from .windows import Freeze, Window

ABSENT: Final = object()
"""A baseline that is not there; it may be null."""

MOST_ADDRESS: Final = 8192
"""Bytes of a file with an address that are read."""


@dataclass(frozen=True, slots=True)
class Range:
    """What a number may be, both ends included; None where an end is open."""

    text: str
    low: float | None
    high: float | None

    def has(self, value: float) -> bool:
        """Return whether a number is within."""
        above = self.low is None or value >= self.low
        return above and (self.high is None or value <= self.high)


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What the contract says of one pattern of keys; None where it says nothing of it."""

    pattern: Pattern
    line: int
    column: int
    baseline: object = ABSENT
    range: Range | None = None
    required_in: tuple[str, ...] | None = None
    not_baseline_in: tuple[str, ...] | None = None
    secret: bool | None = None
    owner: str | None = None
    restart: bool | None = None
    window: str | None = None
    approve: tuple[str, ...] | None = None
    signal: str | None = None
    trial: Mapping[str, object] | None = None

    @property
    def has_baseline(self) -> bool:
        """Return whether it names a baseline, which may be null."""
        return self.baseline is not ABSENT


@dataclass(frozen=True, slots=True)
class CelRule:
    """A rule in CEL, the key that it is told at, and what it says when it is broken."""

    key: KeyPath
    text: str
    says: str
    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Override:
    """Who may break the glass, and for how long at most, in seconds."""

    roles: tuple[str, ...]
    at_most: float


@dataclass(frozen=True, slots=True)
class Notice:
    """Where to tell of which states: a URL, or a file that holds one."""

    url: str | None = field(repr=False)
    url_file: str | None
    on: tuple[str, ...]

    where: str
    """Its place in the contract."""

    def address(self, directory: str) -> str:
        """Return the address, read anew each time; raise `OptionError` where there is none."""
        if self.url is not None:
            return self.url
        try:
            data = bytes_of(Path(directory, self.url_file or ""), MOST_ADDRESS)
        except OSError as error:
            reason = error.strerror or type(error).__name__
            words = f"the file of an address cannot be read: {reason}"
            raise OptionError(f"{self.where}: {words}") from None
        url = data.decode(errors="replace").strip()
        if len(data) > MOST_ADDRESS or address_of(url) is None:
            raise OptionError(f"{self.where}: the file holds no address as https://host/path")
        return url


@dataclass(frozen=True, slots=True)
class Terms:
    """A whole contract, read and checked."""

    name: str
    directory: str
    service: str | None
    zone: tzinfo
    zone_name: str
    keys: tuple[KeyTerms, ...]
    windows: Mapping[str, Window]
    freezes: tuple[Freeze, ...]
    rules: tuple[CelRule, ...]
    trial: Mapping[str, object] | None
    rehearse: tuple[str, ...]
    approvers: str | None
    roles: Mapping[str, tuple[str, ...]]
    override: Override | None
    notify: tuple[Notice, ...]
    spelled: Spelled = field(default=as_it_is, repr=False)
    _nearest: dict[str, Nearest[Any]] = field(default_factory=dict[str, Nearest[Any]], repr=False)

    def said(self, word: str, path: KeyPath) -> Any:
        """Return what the nearest key says of a word for a key path, or None."""
        if word not in self._nearest:
            known = ((one.pattern, getattr(one, word)) for one in self.keys)
            self._nearest[word] = Nearest(pair for pair in known if pair[1] is not None)
        found = self._nearest[word].of(path)
        return None if found is None else found[1]

    @property
    def environments(self) -> frozenset[str]:
        """Return every environment that it names."""
        named: set[str] = set()
        for one in self.keys:
            named.update(one.required_in or (), one.not_baseline_in or ())
        return frozenset(named)

    @property
    def secrets(self) -> frozenset[str]:
        """Return the names of keys that it calls secret."""
        return frozenset(
            str(next(step for step in reversed(way) if step != ANY))
            for one in self.keys
            for way in (one.pattern.steps, *one.pattern.ways)
            if one.secret and any(step != ANY for step in way)
        )
