"""How many others refer to an object: CPython counts them exactly, and under its lock.

A lease and a reader of a resource cost no more than a reference because of this. Where references
are not counted so, leases have names instead, and whoever holds a snapshot holds its resources.
"""

import sys
from collections.abc import Callable, Generator
from types import SimpleNamespace
from typing import Any


def counts_references() -> bool:
    """Try whether this interpreter counts references exactly; where not, all leases have names.

    What a unit of work refers to is to count as one more, in a frame that runs as in one that
    waits, and as none once the unit has let go: compilers learn to lend references that they used
    to take. Without its global lock an interpreter counts some later, and in shares of its own.
    """
    gil: Callable[[], bool] = getattr(sys, "_is_gil_enabled", lambda: True)
    if sys.implementation.name != "cpython" or not gil():
        return False
    owner = SimpleNamespace(hold=object())
    before = _references(owner, "hold")
    unit: list[Any] = [owner.hold]
    held = _references(owner, "hold")
    waiting = _held(owner)
    next(waiting)
    twice = _references(owner, "hold")
    waiting.close()
    unit[0] = False
    after = _references(owner, "hold")
    return (held, twice, after) == (before + 1, before + 2, before)


def _held(owner: SimpleNamespace) -> Generator[None]:
    """Hold it in a frame that is left, as one that awaits is."""
    hold = owner.hold
    unit = [hold]
    hold = None
    yield
    assert unit != [hold]


def _references(owner: object, name: str) -> int:
    return sys.getrefcount(getattr(owner, name))


_OWN = _references(SimpleNamespace(hold=object()), "hold") if counts_references() else 0


def others_with(owner: object, name: str) -> int:
    """Count the references to an attribute's value besides the attribute's own."""
    return max(0, _references(owner, name) - _OWN) if _OWN else 0


def users_with(owner: object, name: str) -> int:
    """Count the same, without those who keep every object that there is.

    What a debugger or a profiler keeps of `gc.get_objects()` refers to each object once. So the
    owner has two of the same kind, `before` and `after`, made on either side of the one that is
    counted and used by nobody: what both are referred to by uses this one no more than them. Two,
    since whoever goes through a list has one object at a time in hand, and a garbage collection may
    come between any two that are made. They are looked at before the count and after it, for such
    a list may come or go meanwhile: too much is counted then, and never too little.
    """
    kept = _kept(owner)
    count = others_with(owner, name)
    return max(0, count - min(kept, _kept(owner)))


def _kept(owner: object) -> int:
    return min(others_with(owner, "before"), others_with(owner, "after"))
