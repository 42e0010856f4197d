"""Looks at the servers again and again, and keeps the most that was seen of each resource.

Takes counts by introduction, from the servers' own lists.
"""

import threading
from collections import Counter
from collections.abc import Callable, Mapping

from .matrix import resource_of

__all__ = ["Count", "most_of"]

PAUSE = 0.05


class Count:
    """What was seen. `connections` and `generations` are the most at any one look."""

    def __init__(self, look: Callable[[], Mapping[str, int]]) -> None:
        self.connections: Counter[str] = Counter()
        self.generations: Counter[str] = Counter()
        self.looks = 0
        self._look = look

    def add(self, counts: Mapping[str, int]) -> None:
        """Take one look's counts in."""
        self.looks += 1
        connections, generations = most_of(counts)
        self.connections |= connections
        self.generations |= generations

    def watch(self, over: threading.Event) -> None:
        """Look again and again."""
        while not over.wait(PAUSE):
            self.add(self._look())


def most_of(counts: Mapping[str, int]) -> tuple[Counter[str], Counter[str]]:
    """Return the connections and the instances of each resource."""
    connections: Counter[str] = Counter()
    generations: Counter[str] = Counter()
    for name, count in counts.items():
        connections[resource_of(name)] += count
        generations[resource_of(name)] += 1
    return connections, generations
