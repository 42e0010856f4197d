"""Which parameters a database alias has: those of one version, by unit of work.

Takes what an alias's resource built, gives the one that code here is to use. Connects to nothing.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..._engine.api import ReloadCheck
from ...exceptions import NoSnapshotError, OutsideWorkError, ResourceClosedError

__all__ = ["GRACE", "Following", "Generation"]

_CREDENTIALS = frozenset({"USER", "PASSWORD"})
GRACE = 1.0
"""Seconds in which an edit may follow a change in the server, before requests fail for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Generation:
    """One version's parameters of an alias, and the pools that Django opened with them."""

    parameters: Mapping[str, Any] = field(repr=False)
    pools: dict[str, Any] = field(default_factory=dict[str, Any], repr=False)
    refused: list[float] = field(default_factory=list[float])  # when first, since it connected

    def since(self, now: float) -> float:
        """Return when it was first refused, which may be now."""
        for first in self.refused:
            return first
        self.refused.append(now)
        return now

    def replaces(self, old: "Generation") -> bool:
        """Return whether it is the same database by other credentials."""
        return all(
            self.parameters[key] == old.parameters.get(key)
            for key in self.parameters.keys() - _CREDENTIALS
        )


@dataclass(frozen=True, slots=True)
class Following:
    """How an alias finds its generation; `declared` is what the settings say of it."""

    live: ReloadCheck[Any]
    name: str
    declared: Mapping[str, Any] = field(repr=False)
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep

    def of_unit(self) -> Generation | None:
        """Return the generation of the unit of work around this code, if there is one."""
        try:
            return self._of(self.live.current().resources)
        except (OutsideWorkError, ResourceClosedError):
            return None

    def here(self) -> Generation:
        """Return the generation of the unit of work around this code; outside one, the newest."""
        found = self.of_unit()
        if found is not None:
            return found
        with self.live.lease() as snapshot:
            return self._of(snapshot.resources)

    def is_newest(self, generation: Generation | None) -> bool:
        """Return whether no newer one has come; also where the engine is closed."""
        try:
            return self.newest() is generation
        except NoSnapshotError:
            return True

    def newest(self) -> Generation:
        """Return what the next unit of work would get."""
        return self._of(self.live.snapshot.resources)

    def successor(self, refused: Generation) -> Generation | None:
        """Return what may connect where a generation was refused; looks for the edit, and waits.

        Only the first refusals wait, together `GRACE` seconds: a server that is down answers no
        request later than it would.
        """
        deadline = refused.since(self.clock()) + GRACE
        while True:
            self.live.check()
            newest = self.newest()
            if newest is not refused:
                return newest if newest.replaces(refused) else None
            if self.clock() >= deadline:
                return None
            self.sleep(GRACE / 20)

    def _of(self, resources: Mapping[str, Any]) -> Generation:
        generation: Generation = resources[self.name]
        return generation
