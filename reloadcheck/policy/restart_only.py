"""Keys that keep their running value until the process starts anew, as the code says.

The gate behind `live.restart_only("server.bind")`. The rest of an edit goes live; no contract can
unset what is said here.
"""

from collections.abc import Iterable

from ..seams.gates import GO, Answer, Keep, Proposal
from ..seams.store import Beside
from ..types import KeyPath, key_path_text
from .patterns import Pattern, Spelled, as_it_is
from .reach import changed_paths
from .siblings import kept_by_siblings, tell_siblings


class RestartOnly:
    """The keys of one engine that wait for a restart, as a gate."""

    def __init__(self, spelled: Spelled = as_it_is) -> None:
        self._spelled = spelled
        self.beside: Beside | None = None
        self._paths: list[KeyPath] = []
        self._patterns: list[Pattern] = []

    @property
    def name(self) -> str:
        """Return what messages call it."""
        return "what waits for a restart"

    @property
    def seconds(self) -> float:
        """Return how long one answer may take, in seconds."""
        return 10.0

    def add(self, paths: Iterable[KeyPath]) -> None:
        """Take note of key paths, each with all below it; a step may be `*`."""
        self._paths += paths

    def may(self, proposal: Proposal) -> Answer:
        """Keep the running values; at the first load those of the siblings, if there are any."""
        if not self._patterns:
            self._patterns = [
                Pattern(key_path_text(path), path, tuple(self._spelled(path)))
                for path in self._paths
            ]
        if proposal.old is None:
            kept, values = kept_by_siblings(self.beside, "code", self._patterns, proposal.new)
            return Keep(kept, values=values) if kept else GO
        kept = tuple(
            path
            for path in changed_paths(proposal, self._patterns)
            if any(pattern.covers(path) for pattern in self._patterns)
        )
        return Keep(kept) if kept else GO

    def now(self, proposal: Proposal) -> Answer:
        """Let through what was let through before; what it starts with is what siblings keep."""
        if proposal.old is None:
            tell_siblings(self.beside, "code", self._patterns, proposal.new)
        return GO
