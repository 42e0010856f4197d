"""What a trial came to, and what of it is not as it must be.

Pure: takes numbers, gives sentences and a table.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

__all__ = ["Refusal", "Report", "Row", "SideRow"]

TIMEOUT = 10.0
"""Seconds within which wrong credentials must have been found out: a resource's own time-out."""

MARGIN = 0.5
"""Seconds that may be added to what is measured from outside, besides the time of a request."""

JUDGED_AFTER = 120.0
"""Seconds after which a run also tells of memory, and of the pace that was kept up."""

MOST_GROWTH = 4.0
"""MiB that a server may grow after the first minute: in 500 reloads, 8 KiB each."""

MOST_LEFT_OUT = 0.01
"""The share of the requests that may be left out: with more, the pace was not what it should be."""

MOST_EDITS = 0.9
"""The share of the edits, but for those refused or waiting, that are each a reload of its own."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """An edit with wrong credentials: when it was rejected, and what the error said.

    `waited` tells whether it waited for an instance to drain first.
    """

    resource: str
    number: int
    seconds: float
    waited: bool
    named: bool
    quoted: bool


@dataclass(frozen=True, slots=True)
class Row:
    """One resource: counts, and seconds.

    `late` is the longest after its last user that an old one was closed, `slowest` the longest that
    a request took beyond what it asked for. `most` is the connections that two pools may have.
    """

    resource: str
    requests: int
    errors: Sequence[str]
    torn: int
    outlasted: int
    changes: int
    builds: int
    generations: int
    connections: int
    most: int
    late: float
    leaked: int
    slowest: float

    def problems(self) -> Iterator[str]:
        """Say what is not as it must be."""
        if not self.requests:
            yield "was never asked"
        if self.errors:
            yield f"{len(self.errors)} errors, the first: {self.errors[0]}"
        if self.torn:
            yield f"{self.torn} answers of two versions"
        if not self.outlasted:
            yield "no request outlasted a reload"
        if not 1 < self.builds <= self.changes:
            yield f"built {self.builds} times for {self.changes} changes"
        if self.generations != 2:
            yield f"{self.generations} instances at once"
        if not 0 < self.connections <= self.most:
            yield f"{self.connections} connections, {self.most} are two pools"
        if self.late > self.slowest + MARGIN:
            yield f"closed {self.late:.2f} s after its last user"
        if self.leaked:
            yield f"{self.leaked} leaked"


@dataclass(frozen=True, slots=True)
class SideRow:
    """One server: counts, and seconds.

    `fresh` is the longest that an edit took to be live, less its build, as requests show it, of
    which the slowest took `slowest`; `bound` is what it may take. `waited` are the edits that
    waited for an instance to drain.
    """

    server: str
    edits: int
    reloads: int
    waited: int
    fresh: float
    bound: float
    slowest: float
    refusals: Sequence[Refusal]
    served_refused: int
    early: int
    forced: int
    memory: Sequence[float]

    def problems(self, seconds: float) -> Iterator[str]:
        """Say what is not as it must be, in a run of so many seconds."""
        if self.fresh > self.bound + self.slowest + MARGIN:
            yield f"an edit was live after {self.fresh:.2f} s and its build"
        if self.early or self.forced:
            yield f"{self.early} closed under a user, {self.forced} at the drain deadline"
        if not self.refusals:
            yield "no wrong credentials were tried"
        if self.served_refused:
            yield f"{self.served_refused} rejected edits were served"
        for one in self.refusals:
            slow = one.seconds > TIMEOUT and not one.waited
            if slow or not one.named or one.quoted:
                yield f"wrong credentials of {one.resource}: {one}"
        if seconds > JUDGED_AFTER:
            yield from self._problems_of_a_long_run()

    def _problems_of_a_long_run(self) -> Iterator[str]:
        before, after = self.memory
        if after > before + MOST_GROWTH:
            yield f"memory grew from {before:.1f} to {after:.1f} MiB"
        if self.reloads < MOST_EDITS * (self.edits - len(self.refusals) - self.waited):
            yield f"{self.reloads} reloads for {self.edits} edits, {self.waited} of which waited"


@dataclass(frozen=True, slots=True)
class Report:
    """A whole trial; `looks` is how often the servers' lists were read.

    `left_out` counts the requests that were not made because too many were under way.
    """

    seconds: float
    rows: Sequence[Row]
    sides: Sequence[SideRow]
    looks: int
    left_out: int
    problems: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        for row in self.rows:
            self.problems.extend(f"{row.resource}: {one}" for one in row.problems())
        for side in self.sides:
            self.problems.extend(f"{side.server}: {one}" for one in side.problems(self.seconds))
        asked = sum(row.requests for row in self.rows)
        if self.seconds > JUDGED_AFTER and self.left_out > MOST_LEFT_OUT * asked:
            self.problems.append(f"the machine did not keep up: {self.left_out} requests left out")

    def table(self) -> str:
        """Return the account as people read it."""
        head = "resource requests errors torn outlasted reloads generations connections leaked"
        lines = [
            [
                row.resource,
                *map(str, (row.requests, len(row.errors), row.torn, row.outlasted, row.builds - 1)),
                str(row.generations),
                f"{row.connections}/{row.most}",
                str(row.leaked),
                f"{row.late * 1000:.0f} ms",
                f"{row.slowest:.2f} s",
            ]
            for row in self.rows
        ]
        servers = "server edits reloads waited rejected live-after rejected-after RSS-MiB"
        others = [
            [
                side.server,
                *map(str, (side.edits, side.reloads, side.waited, len(side.refusals))),
                f"{side.fresh:.2f}/{side.bound:.2f} s",
                f"{max((one.seconds for one in side.refusals), default=0):.2f} s",
                f"{side.memory[0]:.1f}→{side.memory[1]:.1f}",
            ]
            for side in self.sides
        ]
        parts = [
            _columns([*head.split(), "late", "slowest"], lines),
            _columns(servers.split(), others),
        ]
        verdict = "\n".join(self.problems) or "nothing is off"
        spent = f"{self.seconds:.0f} s, {self.looks} looks, {self.left_out} requests left out"
        return "\n\n".join([*parts, f"{spent}: {verdict}"])


def _columns(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    widths = [max(map(len, column)) for column in zip(head, *lines, strict=True)]
    aligned = [
        "  ".join([line[0].ljust(widths[0]), *map(str.rjust, line[1:], widths[1:])])
        for line in [head, *lines]
    ]
    return "\n".join(aligned)
