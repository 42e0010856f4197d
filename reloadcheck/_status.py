"""What an operator may know about an engine: one frozen value, with nothing secret in it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import cast

from ._frozen import FrozenDict
from .types import Outcome


class _Counts(FrozenDict):
    """Numbers by version; nothing in it is of the configuration, so its repr shows them."""

    def __repr__(self) -> str:
        return repr(dict(self))


def counted(leases: Mapping[int, int]) -> Mapping[int, int]:
    """Freeze counts by version."""
    return cast("Mapping[int, int]", _Counts(leases))


@dataclass(frozen=True, slots=True)
class ResourceStatus:
    """One resource: how many instances are open, and since which version the newest serves."""

    name: str
    instances: int
    builds: int
    closes: int


@dataclass(frozen=True, slots=True)
class Status:
    """The state of an engine in this process.

    `phase` is one of `idle` (not started), `loading` (no good configuration yet), `serving`,
    `closing` and `closed`. `age` is the seconds since the present version was swapped in. `outcome`
    and `error` are those of the last attempt: an error is there for as long as its cause is.
    `leases` maps the version of each live snapshot to the units of work that hold it.
    """

    phase: str
    enabled: bool
    version: int | None = None
    digest: str | None = None
    source_digest: str | None = None
    age: float | None = None
    outcome: Outcome | None = None
    error: str | None = None
    code: str | None = None
    checks: int = 0
    reloads: int = 0
    forced_closes: int = 0
    resources: tuple[ResourceStatus, ...] = ()
    leases: Mapping[int, int] = field(default_factory=lambda: counted({}))
    remarks: tuple[str, ...] = ()
