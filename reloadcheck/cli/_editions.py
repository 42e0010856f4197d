"""An edition of a store as a source that other commands can read: `edition:41`."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from .._config.containers import is_dict
from .._load.layers import origin_of
from .._state.store_orders import Orders
from ..exceptions import UsageError
from ..parsers import origin_at, parse
from ..types import Document, KeyPath, Layer, Origin, Pause, Stamp, Tree, printable

__all__ = ["PREFIX", "EditionSource", "number_of"]

PREFIX = "edition:"


def number_of(word: str) -> int:
    """Read the number of an edition; raise `UsageError` for what is none."""
    text = word.removeprefix(PREFIX)
    if not text.isdecimal():
        raise UsageError(f"{printable(word)}: is no edition, which is a number, as in 41")
    return int(text)


class EditionSource:
    """The kept documents of one edition, merged in the order in which they were laid."""

    def __init__(self, number: int, documents: Sequence[Document]) -> None:
        self._name = f"{PREFIX}{number}"
        self._documents = tuple(documents)

    @classmethod
    def of(cls, orders: Orders, number: int) -> "EditionSource":
        """Read an edition; raise `OrderRefusedError` where it is not kept."""
        return cls(number, orders.kept(number))

    @property
    def name(self) -> str:
        """The name that messages use."""
        return self._name

    def stamp(self) -> Stamp:
        """Return the same stamp always: an edition does not change."""
        return Stamp(self._name)

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return the documents."""
        del stamp, max_bytes
        return self._documents

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse them, and lay each over those before it."""
        del below
        parts = [Layer(parse(one, pause), partial(origin_at, one)) for one in documents]
        tree: Tree = {}
        for part in parts:
            tree = _laid(tree, part.tree)

        def origin(key_path: KeyPath) -> Origin:
            return origin_of(parts, key_path) or Origin(self._name)

        return Layer(tree, origin)


def _laid(below: Mapping[str, Any], above: Mapping[str, Any]) -> Tree:
    tree = dict(below)
    for key, value in above.items():
        old = tree.get(key)
        tree[key] = _laid(old, value) if is_dict(old) and is_dict(value) else value
    return tree
