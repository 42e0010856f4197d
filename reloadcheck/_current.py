"""Which unit of work does this code run in? A context variable that follows the request's state.

A unit is a tuple `(tenancy, key, outer)`: the leases it is one of, its key among them, and the unit
of another engine around it. It is alive while its key is among them.
"""

from contextvars import ContextVar, Token
from typing import Any, TypeAlias

from ._snapshot import Snapshot, Tenancy
from .exceptions import NoSnapshotError

Unit: TypeAlias = tuple[Tenancy[Any], int, "Unit | None"]

unit_of_work: ContextVar[Unit | None] = ContextVar("reloadcheck", default=None)


def enter(tenancy: Tenancy[Any], key: int) -> Token[Unit | None]:
    """Make this the innermost unit of work of the running context."""
    outer = unit_of_work.get()
    if outer is not None:
        outer = without(outer, tenancy.snapshot.engine)
    return unit_of_work.set((tenancy, key, outer))


def leave(token: Token[Unit | None]) -> None:
    """Go back to what was before; in another context than the one entered, to nothing."""
    try:
        unit_of_work.reset(token)
    except ValueError:
        unit_of_work.set(None)


def current_snapshot() -> Snapshot[Any]:
    """Give the snapshot of the unit of work that this code runs in, the innermost engine's.

    Raises `NoSnapshotError`, a `LookupError`, outside one and after it has ended.
    """
    unit = unit_of_work.get()
    if unit is None:
        raise NoSnapshotError(
            "no unit of work here: wrap the app in ReloadCheckMiddleware(app, live), or add "
            "`with live.lease() as snapshot:`"
        )
    return unit[0].snapshot


def unit_in(engine: object) -> Unit | None:
    """Find the unit of work of one engine around this code."""
    unit = unit_of_work.get()
    while unit is not None and unit[0].snapshot.engine is not engine:
        unit = unit[2]
    return unit


def without(unit: Unit | None, engine: object) -> Unit | None:
    """Drop an engine's older unit, so that the chain is no longer than there are engines."""
    if unit is None:
        return None
    outer = without(unit[2], engine)
    if unit[0].snapshot.engine is engine:
        return outer
    return unit if outer is unit[2] else (unit[0], unit[1], outer)
