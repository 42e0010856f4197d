"""A resource of the unit of work around this code, for what is given a handle and no request.

Starts nothing, waits for nothing.
"""

from typing import Any, TypeVar

from ._current import OUTER, SNAPSHOT, Unit, lasts, unit_of_work
from ._resources import Resource
from ._snapshot import Snapshot
from .exceptions import NoSnapshotError, UnknownResourceError

T = TypeVar("T")


def resource_here(resource: Resource[T], line: str) -> T:
    """Give the object of a resource in the unit of work of its engine that this code runs in.

    Raises `NoSnapshotError`, which names the `line` that is missing, outside any unit of work, and
    otherwise what `snapshot[resource]` raises.
    """
    innermost: Unit | None = unit_of_work.get()
    unit = innermost
    while unit is not None:
        snapshot: Snapshot[Any] = unit[SNAPSHOT]
        try:
            return snapshot[resource]
        except UnknownResourceError:
            unit = unit[OUTER]
            if unit is None and innermost is not None and lasts(innermost):
                raise
    raise NoSnapshotError(f"no unit of work here: add `{line}`")
