"""The context variable that says which unit of work code runs in, and follows the request's state.

What a unit is made of is `unit`'s.
"""

from contextlib import suppress
from contextvars import Token
from typing import Any, TypeVar, cast

from .._resources.registry import Resource
from ..exceptions import OutsideWorkError, UnknownResourceError
from .snapshot import Snapshot
from .tenancy import NamedLease
from .unit import LIFE, OUTER, SNAPSHOT, Unit, lasts, unit_of_work


def enter(snapshot: Snapshot[Any], life: NamedLease) -> Token[Unit | None]:
    """Make a unit of work the innermost one of the running context, for as long as `life` lasts."""
    outer = without(unit_of_work.get(), snapshot._owner)  # pyright: ignore[reportPrivateUsage]
    return unit_of_work.set([snapshot, life, outer, None])


def leave(token: Token[Unit | None]) -> None:
    """Go back to what was before; in another context than the one entered, to nothing."""
    try:
        unit_of_work.reset(token)
    except ValueError:
        unit_of_work.set(None)


def forget(own: object, token: Token[Unit | None]) -> None:
    """Go back to what was before a unit that was thrown away, where this is still its context.

    `own` is the unit, or its life where that is shared.
    """
    unit = unit_of_work.get()
    if unit is not None and (unit is own or unit[LIFE] is own):
        with suppress(ValueError):
            unit_of_work.reset(token)


def current_snapshot() -> Snapshot[Any]:
    """Return the snapshot of the unit of work that this code runs in, the innermost engine's.

    Raises `OutsideWorkError`, a `LookupError`, outside one and after it has ended.
    """
    unit = unit_of_work.get()
    if unit is None:
        raise OutsideWorkError(
            "no unit of work here: wrap the app in ReloadCheckMiddleware(app, live), or add "
            "`with live.lease() as snapshot:`"
        )
    return cast("Snapshot[Any]", unit[SNAPSHOT])


def unit_in(engine: object) -> Unit | None:
    """Find the unit of work of one engine around this code."""
    unit = unit_of_work.get()
    while unit is not None and unit[SNAPSHOT]._owner is not engine:
        unit = unit[OUTER]
    return unit


def without(unit: Unit | None, engine: object) -> Unit | None:
    """Drop an engine's older unit, so that the chain is no longer than there are engines.

    A unit that has an outer one may be copied: its life is shared, it was not made by a door's fast
    path.
    """
    if unit is None:
        return None
    outer = without(unit[OUTER], engine)
    if unit[SNAPSHOT]._owner is engine:
        return outer
    return unit if outer is unit[OUTER] else [unit[SNAPSHOT], unit[LIFE], outer, None]


T = TypeVar("T")


def resource_here(resource: Resource[T], line: str) -> T:
    """Return the object of a resource in the unit of work of its engine that this code runs in.

    Raises `OutsideWorkError`, which names the `line` that is missing, outside any unit of work, and
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
    raise OutsideWorkError(f"no unit of work here: add {quoted(line)}")


def quoted(line: str) -> str:
    """Return a line of code as a sentence shows it; one that quotes by itself as it is."""
    return line if "`" in line else f"`{line}`"
