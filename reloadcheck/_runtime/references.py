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
