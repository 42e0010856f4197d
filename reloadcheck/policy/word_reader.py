"""What stands under a key of a contract: list, text, switch, instant; notes what is none."""

from collections.abc import Iterable, Mapping
from datetime import tzinfo
from typing import Final

from .document import Entries, Faults, Items, Node, Scalar, of_those, quoted
from .windows import instant_of

__all__ = ["WordReader", "entries_of"]


class WordReader:
    """Reads texts, lists, switches and times of one document, and notes every mistake."""

    def __init__(self, document: Entries, faults: Faults) -> None:
        self.document, self.faults = document, faults

    def of(self, node: Node, name: str) -> Node | None:
        """Return what a mapping has under a name, or None."""
        pair = node.entries.get(name) if isinstance(node, Entries) else None
        return None if pair is None else pair[1]

    def known(self, node: Node, names: tuple[str, ...], what: str) -> bool:
        """Return whether a node is a mapping; what it knows no word of is a mistake."""
        if not isinstance(node, Entries):
            self.faults.add(node, f"{what} is a mapping of {', '.join(names)}")
            return False
        for name, (key, _) in node.entries.items():
            if name not in names:
                reason = f"{what} knows no {quoted(name)}; it knows {', '.join(names)}"
                self.faults.add(key, reason)
        return True

    def entries(self, node: Node, name: str) -> Iterable[tuple[Scalar, Node]]:
        """Return the keys and nodes of a mapping within one."""
        inner = self.of(node, name)
        if inner is not None and not isinstance(inner, Entries):
            self.faults.add(inner, f"`{name}:` is a mapping")
        return list(inner.entries.values()) if isinstance(inner, Entries) else []

    def list_of(self, name: str) -> tuple[Node, ...]:
        """Return the items of a list within a mapping."""
        node = self.of(self.document, name)
        if node is not None and not isinstance(node, Items):
            self.faults.add(node, f"`{name}:` is a list")
        return node.items if isinstance(node, Items) else ()

    def items(self, node: Node | None) -> list[Scalar]:
        """Return a list's texts; a single one may stand for a list of it."""
        if node is None:
            return []
        items = node.items if isinstance(node, Items) else (node,)
        for item in items:
            if not isinstance(item, Scalar):
                self.faults.add(item, "must be a list of texts")
        return [item for item in items if isinstance(item, Scalar)]

    def names(
        self, node: Node | None, known: Mapping[str, object] | None, what: str
    ) -> tuple[str, ...]:
        """Return a list's texts, each one of those that are known."""
        items = self.items(node)
        for item in items:
            if not item.text:
                self.faults.add(item, f"a name of {_A[what]} is missing here")
            elif known is not None and item.text not in known:
                reason = f"there is no {what} {quoted(item.text)}{of_those(item.text, known)}"
                self.faults.add(item, reason)
        return tuple(item.text for item in items)

    def text(self, node: Node, name: str) -> str | None:
        """Return a text within a mapping, or None."""
        value = self.of(node, name)
        if value is None:
            return None
        if isinstance(value, Scalar) and value.value not in (None, ""):
            return value.text
        self.faults.add(value, f"`{name}:` is a text")
        return None

    def sentence(self, node: Node, name: str, missing: str) -> str | None:
        """Return a sentence, which YAML must read as a text too."""
        value = self.of(node, name)
        if not isinstance(value, Scalar) or not value.text:
            self.faults.add(value or node, missing)
            return None
        if not isinstance(value.value, str):
            self.faults.add(value, f"`{name}:` must be a text: quote it")
        return value.text

    def switch(self, node: Node, name: str) -> bool | None:
        """Return a switch within a mapping, or None."""
        value = self.of(node, name)
        if value is None:
            return None
        if isinstance(value, Scalar) and isinstance(value.value, bool):
            return value.value
        self.faults.add(value, f"`{name}:` is true or false")
        return None

    def instant(self, node: Node, name: str, zone: tzinfo) -> float | None:
        """Return a date and time within a mapping, in seconds since the epoch."""
        value = self.of(node, name)
        instant = instant_of(value.text, zone) if isinstance(value, Scalar) else None
        if instant is None:
            self.faults.add(value or node, f"`{name}:` is a date and time as in 2026-11-27T00:00")
        return instant


def entries_of(node: Node) -> Iterable[tuple[str, tuple[Scalar, Node]]]:
    """Return the entries of a mapping by name; none of what is no mapping."""
    return node.entries.items() if isinstance(node, Entries) else ()


_A: Final = {"role": "a role", "environment": "an environment", "state": "a state"}
