"""Take containers that cannot be part of a cycle out of the garbage collector's walks.

A configuration of a megabyte is tens of thousands of containers, and a full collection looks at
each of them while every other thread stands still: 20 ms, again and again, for what counting
references frees anyway. Python does the same for tuples and for dicts of plain values. Nothing
here changes what a container holds.
"""

from collections.abc import Callable, Iterable
from gc import is_tracked
from typing import Any

__all__ = ["exempt"]


def _no_untracking(_: object) -> None:
    """Leave everything tracked: an interpreter without this call."""


def _first(container: object) -> None:
    """Find the interpreter's call at the first container, so that no import pays for it."""
    global _untrack
    _untrack = _found()
    _untrack(container)


def _found() -> Callable[[Any], object]:
    import ctypes

    try:
        untrack = ctypes.pythonapi.PyObject_GC_UnTrack
    except AttributeError:
        return _no_untracking
    untrack.argtypes = [ctypes.py_object]
    untrack.restype = None
    return untrack


_untrack: Callable[[Any], object] = _first


def exempt(container: object, parts: Iterable[object]) -> None:
    """Exempt a container that will hold nothing but these parts, if each of them is exempt.

    What was made by somebody else's class is not, and neither is what contains it.
    """
    if is_tracked(container) and not any(map(is_tracked, parts)):
        _untrack(container)
