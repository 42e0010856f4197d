"""Build one tree of values that each come from a place of their own: a variable, a secret's file.

Takes key paths, values and the places' names; refuses two places for one key.
"""

from typing import Any, Final

from ..exceptions import ConfigSyntaxError
from ..types import KeyPath, Origin, Problem, Tree

__all__ = ["MAX_DEPTH", "Nest"]

MAX_DEPTH: Final = 64
"""Keys in a path, as in a file."""


class Nest:
    """A tree that grows by one value at a time, and where each of them came from."""

    def __init__(self) -> None:
        self.tree: Tree = {}
        self._names: dict[KeyPath, Origin] = {}

    def put(self, path: KeyPath, value: object, place: Origin) -> None:
        """Add a value; refuse it where another place sets the key, a parent of it or a part."""
        if len(path) > MAX_DEPTH:
            raise _problem(f"nests deeper than {MAX_DEPTH} keys", place)
        node: dict[Any, Any] = self.tree
        for length, key in enumerate(path[:-1], start=1):
            if path[:length] in self._names:
                raise self._contradiction(path, self._names[path[:length]], place)
            node = node.setdefault(key, {})
        if path[-1] in node:
            other = self.inside(path)
            raise self._contradiction(path, place if other is None else other, place)
        node[path[-1]] = value
        self._names[path] = place

    def above(self, path: KeyPath) -> Origin | None:
        """Return where the value at a key path, or a parent of it, came from."""
        parents = (path[:length] for length in range(len(path), 0, -1))
        return next((self._names[one] for one in parents if one in self._names), None)

    def inside(self, path: KeyPath) -> Origin | None:
        """Return where the value at a key path, or the first one inside it, came from."""
        inner = (name for known, name in self._names.items() if known[: len(path)] == path)
        return next(inner, None)

    def _contradiction(self, path: KeyPath, other: Origin, place: Origin) -> ConfigSyntaxError:
        return _problem(f"contradicts {other}", place, path)


def _problem(reason: str, place: Origin, path: KeyPath = ()) -> ConfigSyntaxError:
    return ConfigSyntaxError(Problem(reason, place.name, place.line, place.column, path))
