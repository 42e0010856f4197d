"""Which layer overrides which key: every key that more than one layer sets, with all their places.

No value is shown: this is for a roll-out's log.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .._config.key_path import leaves
from .._load.layers import overriders
from ..types import KeyPath, Layer, Origin, key_path_text
from ._output import Page

__all__ = ["Override", "overrides", "overrides_document", "show_overrides"]


@dataclass(frozen=True, slots=True)
class Override:
    """A key, and where it is set: the place that wins first, then those that it overrides."""

    path: KeyPath
    places: tuple[Origin, ...]


def overrides(layers: Sequence[Layer]) -> Iterator[Override]:
    """Return each key that several layers set, in the order of the layers."""
    told: set[KeyPath] = set()
    for number, lower in enumerate(layers):
        for path, _ in leaves(lower.tree):
            upper = [] if path in told else overriders(layers, number, path)
            if upper:
                told.add(path)
                yield Override(path, tuple(one.origin(path) for one in (*upper[::-1], lower)))


def show_overrides(page: Page, found: Sequence[Override]) -> None:
    """Print each key with its places, the one that wins first."""
    if not found:
        page.line("no key is set by more than one layer")
        return
    for one in found:
        page.sentence(key_path_text(one.path), kind="bold", mark=key_path_text(one.path))
        winner, *others = one.places
        page.sentence(f"  sets it     {winner}", indent=14)
        for place in others:
            page.sentence(f"  overridden  {place}", indent=14)


def overrides_document(found: Sequence[Override]) -> list[dict[str, Any]]:
    """Return the same as JSON has it."""
    return [
        {
            "key_path": key_path_text(one.path),
            "layers": [
                {"path": place.name, "line": place.line, "column": place.column}
                for place in one.places
            ],
        }
        for one in found
    ]
