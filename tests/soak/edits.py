"""Writes the configuration of one app, edit after edit.

Of every two edits one changes a resource and one does not, drawn for each resource alone. It must
never write the same text twice: every edit is a new version.
"""

import json
import random
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from examples.resources.settings import Cache, Database, Upstream
from tests.support.config import replace

from .backends import Backends
from .matrix import Entry, Settings, introduced

__all__ = ["Edits"]


@dataclass(slots=True)
class Edits:
    """The file of one app, and what was written to it. `at` is when each number was written.

    `changes` counts the edits that changed a resource, by resource.
    """

    file: Path
    entries: Sequence[Entry]
    backends: Backends
    size: int
    number: int = 0
    at: dict[int, float] = field(default_factory=dict[int, float])
    refused: set[int] = field(default_factory=set[int])
    changes: dict[str, int] = field(default_factory=dict[str, int])
    serials: dict[str, int] = field(default_factory=dict[str, int])
    _dice: random.Random = field(default_factory=lambda: random.Random(2))
    _second: set[str] | None = None

    def write(self, refused: str | None = None, everything: bool = False) -> int:
        """Write the next edit and give its number.

        The resource `refused` gets credentials that are wrong; `everything` changes all of them.
        """
        names = {entry.name for entry in self.entries}
        changed = names if refused is not None or everything else self._drawn(names)
        self.number += 1
        for name in names:
            self.serials[name] = self.serials.get(name, 0) + (name in changed)
            self.changes[name] = self.changes.get(name, 0) + (name in changed)
        if refused is not None:
            self.refused.add(self.number)
        replace(self.file, self._text(refused))
        self.at[self.number] = time.monotonic()
        return self.number

    def _drawn(self, names: set[str]) -> set[str]:
        """Draw what the first edit of two changes; the second changes the others."""
        if self._second is not None:
            second, self._second = self._second, None
            return second
        first = {name for name in sorted(names) if self._dice.random() < 0.5}
        self._second = names - first
        return first

    def _text(self, refused: str | None) -> str:
        settings = Settings(self.number, {}, {}, {}, self.number)
        for entry in self.entries:
            self._put(settings, entry, wrong=entry.name == refused)
        return json.dumps(asdict(settings), indent=1)

    def _put(self, settings: Settings, entry: Entry, wrong: bool) -> None:
        name = introduced(entry.name, self.serials[entry.name])
        match entry.part:
            case "databases":
                url = self.backends.database(wrong).replace("postgresql", entry.scheme, 1)
                settings.databases[entry.name] = Database(url, name, self.size)
            case "caches":
                settings.caches[entry.name] = Cache(self.backends.cache(wrong), name, self.size)
            case "upstreams":
                url, token = self.backends.upstream(wrong)
                settings.upstreams[entry.name] = Upstream(url, token, name, self.size)
