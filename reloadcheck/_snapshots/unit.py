"""What a unit of work is made of: its snapshot, what it lasts by, the resources that it holds.

A unit is a list `[snapshot, life, outer, has_read, *reads]`: what it sees; what it lasts by, False
once it has ended; the unit of another engine around it; True if it has ever read, else None; and
what it has read. A list, because a door makes one for each request, and nothing is cheaper that can
be told to have ended.

`life` is the `LeaseRef` that a door holds for a request, whose reads are the list's own tail, or a
`NamedLease`, which keeps them itself, because the units of several contexts may be one.

Nothing here takes a lock. Who reads puts the resource's `hold` down first and looks second whether
the unit has ended; who ends a unit says so first and clears what it holds second. So one of the two
sees the other.
"""

from contextlib import suppress
from contextvars import ContextVar
from typing import Any, TypeAlias

Unit: TypeAlias = list[Any]
SNAPSHOT, LIFE, OUTER, HAS_READ, READS = 0, 1, 2, 3, 4

unit_of_work: ContextVar[Unit | None] = ContextVar("reloadcheck", default=None)


def lasts(unit: Unit) -> bool:
    """Return whether a unit of work has not ended yet."""
    life: Any = unit[LIFE]
    return life is not False and bool(life.lasts)


def unit_on(resources: object) -> Unit | None:
    """Find the unit of work around this code that sees these resources of a snapshot."""
    unit = unit_of_work.get()
    while unit is not None and unit[SNAPSHOT].resources is not resources:
        unit = unit[OUTER]
    return unit


def hold(unit: Unit, reference: object) -> bool:
    """Let a unit refer to what it reads from now on; False when it has ended."""
    life: Any = unit[LIFE]
    if life is False:
        return False
    reads: list[object] | None = life.reads
    if reads is None:
        if unit[HAS_READ] is None:
            unit[HAS_READ] = True
        elif reference in unit[READS:]:
            return True
        unit.append(reference)
        if unit[LIFE] is not False:
            return True
        del unit[READS:]  # it ended meanwhile, and does not clear again
        return False
    if life.lasts and reference not in reads:
        reads.append(reference)
    if not life.lasts:
        reads.clear()
    return bool(life.lasts)


def drop(unit: Unit, reference: object) -> None:
    """Let a unit refer no longer to what it could not read after all."""
    life = unit[LIFE]
    if life is not False:
        with suppress(ValueError):
            (unit if life.reads is None else life.reads).remove(reference)


def end(unit: Unit) -> None:
    """End a unit whose life is a door's `LeaseRef`; the doors have this written out."""
    unit[LIFE] = False
    if unit[HAS_READ] is not None:
        del unit[READS:]
        unit[LIFE] = False  # it may have been released meanwhile


def release(unit: Unit) -> None:
    """Let a unit let go of the resources that it has read, and hold the configuration alone."""
    life = unit[LIFE]
    if life is False:
        return
    if life.reads is not None:
        life.release()
        return
    # Its own mark in the list tells whether the unit was ended meanwhile, in another thread.
    mark = [None]
    unit[HAS_READ] = True
    unit.append(mark)
    if unit[LIFE] is not False:
        unit[LIFE] = life.released or life
    if not any(one is mark for one in unit[READS:]):
        unit[LIFE] = False
    unit[READS:] = [one for one in unit[READS:] if type(one) is list and one is not mark]
    if life.wake is not None:
        life.wake()
