"""Remember at which character each part of one tree begins, for errors that name the place.

Filled by the YAML and the JSON reader when they are asked to locate; never on a successful load.
"""

from collections.abc import Iterable
from typing import Any, TypeAlias

from ..types import Key, KeyPath

Container: TypeAlias = dict[Any, object] | list[object]


def parts_of(container: Container) -> Iterable[object]:
    """Return the values of a mapping, the items of a list."""
    return container.values() if isinstance(container, dict) else container


class Offsets:
    """The beginnings of the values in each container, by the container's identity."""

    __slots__ = ("_known", "root")

    def __init__(self) -> None:
        self.root: tuple[object, int] | None = None
        # The container is kept with its entries: an identity is reused once its owner is gone.
        self._known: dict[int, tuple[Container, dict[Key, int] | list[int]]] = {}

    def note(self, container: Container, key: Key, index: int) -> None:
        """Remember where the value at `key` of this container begins; a list's in their order."""
        if isinstance(container, dict):
            self._of(container)[key] = index
            return
        offsets = self._known.setdefault(id(container), (container, []))[1]
        if isinstance(offsets, list):
            offsets.append(index)

    def inherit(self, container: Container, sources: Iterable[Container]) -> None:
        """Take over what merge keys bring into a container; its own entries win."""
        own = self._of(container)
        merged: dict[Key, int] = {}
        for source in sources:
            merged |= self._of(source)
        own |= merged | own

    def find(self, key_path: KeyPath) -> int | None:
        """Return where the value at the key path begins, or its nearest parent that exists."""
        if self.root is None:
            return None
        value, index = self.root
        for key in key_path:
            container, offsets = self._known.get(id(value), _NOTHING)
            found = _offset(offsets, key)
            if found is None:
                break
            index = found
            # A position may be known before the value is: the text broke off between them.
            value = _item(container, key)
        return index

    def _of(self, container: Container) -> dict[Key, int]:
        offsets = self._known.setdefault(id(container), (container, {}))[1]
        return offsets if isinstance(offsets, dict) else {}


_NOTHING: tuple[Container, dict[Key, int] | list[int]] = ({}, {})


def _offset(offsets: dict[Key, int] | list[int], key: Key) -> int | None:
    if isinstance(offsets, dict):
        return offsets.get(key)
    return offsets[key] if isinstance(key, int) and 0 <= key < len(offsets) else None


def _item(container: Container, key: Key) -> object:
    if isinstance(container, dict):
        return container.get(key)
    return container[key] if isinstance(key, int) and key < len(container) else None
