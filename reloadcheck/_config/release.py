"""Let go of trees bit by bit: freeing a large one at once would hold up every other thread.

Keeps what was in use until nobody else holds it, and then takes it apart. Parts that anybody else
holds, as a newer tree or a unit of work does, are left alone.
"""

from collections.abc import Iterable
from sys import getrefcount

from ..types import Pause
from .containers import is_dict, is_list, is_tuple
from .model_fields import field_values

__all__ = ["Leaving"]

_PARTS_A_PAUSE = 500
_ATOMS = frozenset({str, int, float, bool, type(None)})
_LIST_AND_ARGUMENT = 2
"""References to a value that nothing but a list holds, counted while `getrefcount` looks."""


class Leaving:
    """Trees and models that are no longer in use here, and may still be elsewhere."""

    def __init__(self) -> None:
        self._values: list[object] = []

    def add(self, *values: object) -> None:
        """Keep values until nobody else does."""
        known = set(map(id, self._values))
        self._values.extend({id(v): v for v in values if id(v) not in known}.values())

    def is_ready(self) -> bool:
        """Return whether there is anything to let go."""
        values = self._values
        return any(getrefcount(values[n]) <= _LIST_AND_ARGUMENT for n in range(len(values)))

    def let_go(self, pause: Pause) -> None:
        """Free what nobody else holds; `pause` is called between small portions of it."""
        values, self._values = self._values, []
        while values:
            if getrefcount(values[-1]) <= _LIST_AND_ARGUMENT:
                _take_apart([values.pop()], pause)
            else:
                self._values.append(values.pop())


def _take_apart(waiting: list[object], pause: Pause) -> None:
    """Free each part once what contains it is gone: the list is then all that holds it."""
    count = 0
    while waiting:
        count += 1
        if count % _PARTS_A_PAUSE == 0:
            pause()
        if type(waiting[-1]) not in _ATOMS and getrefcount(waiting[-1]) <= _LIST_AND_ARGUMENT:
            waiting.extend(_parts(waiting.pop()))
        else:
            waiting.pop()


def _parts(value: object) -> Iterable[object]:
    """Return the parts of a value; a large one's are not looked at one by one here."""
    if is_dict(value):
        return value.values()
    if is_list(value) or is_tuple(value):
        return value
    return (field_values(value) or {}).values()
