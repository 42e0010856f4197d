"""Workers of one server agree on what waits for a restart: a recycled one keeps what they keep.

Takes patterns and trees, and what the first of them wrote down; says which values a worker that
starts must keep. Whose siblings they are, and where that is written, is the store's.
"""

from collections.abc import Sequence
from typing import Any, Final

from .._config.containers import is_dict
from ..seams.feed import Loaded
from ..seams.store import Agreed, Beside
from ..types import Key, KeyPath
from .patterns import Pattern

__all__ = ["kept_by_siblings", "tell_siblings"]

_ABSENT: Final = object()


def kept_by_siblings(
    beside: Beside | None, who: str, patterns: Sequence[Pattern], new: Loaded[Any]
) -> tuple[tuple[KeyPath, ...], dict[str, Any]]:
    """Return the key paths at which a worker that starts keeps its siblings' values, and those."""
    agreed = None if beside is None else beside.running(who)
    if agreed is None or not patterns:
        return (), {}
    paths: list[KeyPath] = []
    values: dict[str, Any] = {}
    for pattern in patterns:
        mine = dict(pattern.found_in(new.tree))
        theirs = {path: value for path, value in agreed.kept if _is(pattern, path)}
        for path in dict.fromkeys((*mine, *theirs)):
            if path in agreed.left or any(path[: len(one)] == one for one in paths):
                continue
            old = theirs.get(path, _ABSENT)
            if old is _ABSENT or path not in mine or old != mine[path]:
                paths.append(path)
                if old is not _ABSENT:
                    _put(values, path, old)
    return tuple(paths), values


def tell_siblings(
    beside: Beside | None, who: str, patterns: Sequence[Pattern], new: Loaded[Any]
) -> None:
    """Write down, at the first load, what the siblings to come will keep."""
    if beside is None or not patterns:
        return
    found = {path: value for pattern in patterns for path, value in pattern.found_in(new.tree)}
    beside.run_with(who, new.source_digest, Agreed(tuple(found.items()), ()))


def _is(pattern: Pattern, path: KeyPath) -> bool:
    return len(pattern.steps) == len(path) and pattern.covers(path)


def _put(tree: dict[str, Any], path: KeyPath, value: object) -> None:
    """Put a value into a tree; where a list stands on the way its path is not the first of it."""
    node: Any = tree
    for key in path[:-1]:
        inner: Key = key
        if not is_dict(node.get(inner)):
            node[inner] = {}
        node = node[inner]
    node[path[-1]] = value
