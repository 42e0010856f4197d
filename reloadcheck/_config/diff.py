"""Takes two merged trees and gives the key paths in which they differ, never the values.

Parts that both trees share are skipped by identity, so a small edit of a large file costs little.
"""

from collections.abc import Callable
from typing import Any

from ..types import Diff, KeyPath, Pause
from .containers import is_dict, is_list, is_set, is_tuple, only_text, typed
from .freeze import same_scalar
from .key_path import path_key

__all__ = ["diff"]

_NODES_A_PAUSE = 100


def diff(old: object, new: object, pause: Pause = lambda: None) -> Diff:
    """Compare two plain or frozen trees by type and value, without regard to the order of keys.

    A part that came or went is one path, whatever it contains. Lists of one length are compared
    item by item, others as a whole. `pause` is called between small portions of work.
    """
    walk = _Comparing(pause)
    walk.compare((), old, new)
    return Diff(tuple(walk.changed), tuple(walk.added), tuple(walk.removed))


class _Comparing:
    """One walk over two trees."""

    __slots__ = ("_nodes", "_pause", "added", "changed", "removed")

    def __init__(self, pause: Pause) -> None:
        self._nodes = 0
        self._pause = pause
        self.changed: list[KeyPath] = []
        self.added: list[KeyPath] = []
        self.removed: list[KeyPath] = []

    def compare(self, path: KeyPath, old: object, new: object) -> None:
        self._nodes += 1
        if self._nodes % _NODES_A_PAUSE == 0:
            self._pause()
        if old is new:
            return
        if is_dict(old) and is_dict(new):
            self._compare_mappings(path, old, new)
        elif is_list(old) and is_list(new) and len(old) == len(new):
            for index, (before, after) in enumerate(zip(old, new, strict=True)):
                self.compare((*path, index), before, after)
        elif not _same_leaf(old, new):
            self.changed.append(path)

    def _compare_mappings(self, path: KeyPath, old: dict[Any, Any], new: dict[Any, Any]) -> None:
        if only_text(old) and only_text(new):
            self._compare_items(path, dict(old), new, lambda key: key)
        else:  # `1` finds `True` and `1.0` in a dict
            self._compare_items(path, {typed(k): v for k, v in old.items()}, new, typed)

    def _compare_items(
        self,
        path: KeyPath,
        before: dict[Any, Any],
        new: dict[Any, Any],
        known_as: Callable[[Any], Any],
    ) -> None:
        for key, value in new.items():
            here = (*path, path_key(key))
            if known_as(key) in before:
                self.compare(here, before.pop(known_as(key)), value)
            else:
                self.added.append(here)
        left = before if known_as is not typed else [key for _, key in before]
        self.removed.extend((*path, path_key(key)) for key in left)


def _same_leaf(old: object, new: object) -> bool:
    if is_tuple(old) and is_tuple(new):
        return not diff(list(old), list(new))
    if is_set(old) and is_set(new):
        return old == new and set(map(typed, old)) == set(map(typed, new))
    return same_scalar(old, new)
