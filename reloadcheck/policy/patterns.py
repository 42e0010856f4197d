"""Key paths with wildcards, as a contract names them: `services.*.timeout`, `hosts[*].port`.

A pattern holds for a key and for everything below it; of several the nearest one wins.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeAlias, TypeVar

from .._config.containers import is_dict, is_list
from .._config.key_path import key_path_of
from ..types import Key, KeyPath

T = TypeVar("T")

ANY: Final = "*"
"""The step of a pattern that every key and every index takes."""


@dataclass(frozen=True, slots=True)
class Pattern:
    """One key path, some of whose steps may be `*`.

    `spelled` are the ways in which files may write it, where a schema's fields go by other names.
    """

    text: str
    steps: KeyPath
    spelled: tuple[KeyPath, ...] = ()

    @property
    def ways(self) -> tuple[KeyPath, ...]:
        """Return every way of writing it in a file."""
        return self.spelled or (self.steps,)

    def covers(self, path: KeyPath) -> bool:
        """Return whether it holds for a key path: it is its beginning, or the path itself."""
        return len(self.steps) <= len(path) and self.meets(path)

    def meets(self, path: KeyPath) -> bool:
        """Return whether pattern and path agree as far as the shorter of them goes."""
        return any(
            all(_fits(step, key) for step, key in zip(way, path, strict=False)) for way in self.ways
        )

    @property
    def rank(self) -> tuple[int, tuple[bool, ...]]:
        """Return what sorts patterns by how near they are to what they hold for."""
        return len(self.steps), tuple(step != ANY for step in self.steps)

    def found_in(self, tree: object) -> Iterator[tuple[KeyPath, object]]:
        """Return the key paths in a tree that it names, each with its value."""
        for way in self.ways:
            yield from _found(tree, way, ())


Spelled: TypeAlias = Callable[[KeyPath], Sequence[KeyPath]]
"""How files may write a key path; nothing for a key that the schema does not have."""


def as_it_is(path: KeyPath) -> Sequence[KeyPath]:
    """Return the path itself, where nobody knows a schema."""
    return (path,)


Meant: TypeAlias = Callable[[KeyPath], str]
"""Which key was meant by one that the schema does not have, as the end of a sentence."""


def nobody_knows(_: KeyPath) -> str:
    """Know of nothing that was meant."""
    return ""


def pattern_of(text: str, spelled: Spelled = as_it_is) -> Pattern:
    """Return the pattern that a text stands for; raise `UsageError` for what is no key path."""
    steps = key_path_of(text.replace("[*]", ".*"))
    return Pattern(text, steps, tuple(spelled(steps)))


class Nearest(Generic[T]):
    """Values by pattern; asked for a key path, the one of the nearest pattern answers."""

    def __init__(self, values: Iterable[tuple[Pattern, T]]) -> None:
        self._values = sorted(values, key=lambda pair: pair[0].rank, reverse=True)
        own, wild = dict[str, list[int]](), list[int]()
        for place, (pattern, _) in enumerate(self._values):
            firsts = {str(way[0]) for way in pattern.ways if way}
            for first in () if ANY in firsts else firsts:
                own.setdefault(first, []).append(place)
            if ANY in firsts:
                wild.append(place)
        self._others = [self._values[place] for place in wild]
        self._by_first = {
            first: [self._values[place] for place in sorted((*places, *wild))]
            for first, places in own.items()
        }

    def of(self, path: KeyPath) -> tuple[Pattern, T] | None:
        """Return the nearest pattern that holds for the key path, and its value."""
        near = self._by_first.get(str(path[0]), self._others) if path else self._values
        return next((pair for pair in near if pair[0].covers(path)), None)


def _fits(step: Key, key: Key) -> bool:
    return step in (ANY, key) or (isinstance(key, int) and step == str(key))


def _found(node: object, steps: KeyPath, path: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    if not steps:
        yield path, node
        return
    for key, value in children(node):
        if _fits(steps[0], key):
            yield from _found(value, steps[1:], (*path, key))


def children(node: object) -> Iterator[tuple[Key, Any]]:
    """Return the keys or indices of a mapping or list, with their values; nothing of a leaf."""
    if is_dict(node):
        yield from ((str(key), value) for key, value in node.items())
    elif is_list(node):
        yield from enumerate(node)
