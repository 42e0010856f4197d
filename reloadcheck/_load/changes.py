"""What an edit changes, in words: key paths with the places where they are written, no values."""

from collections.abc import Sequence
from typing import Any

from .._config.diff import diff
from ..parsers import locating_many
from ..seams import Loaded
from ..types import KeyPath, key_path_text
from .layers import origin_of

__all__ = ["changes_since"]

_MOST = 3


def changes_since(old: Loaded[Any], new: Loaded[Any], parts: Sequence[KeyPath]) -> str:
    """Say which key paths changed, those below the first keys of `parts` where there are any."""
    changes = diff(old.tree, new.tree)
    paths = [*changes.changed, *changes.added, *changes.removed]
    firsts = {part[0] for part in parts if part}
    own = [path for path in paths if path and path[0] in firsts] or paths
    with locating_many():
        told = [_told(new, path) for path in own[:_MOST]]
    more = len(own) - len(told)
    return ", ".join(told) + (f" and {more} more" if more else "")


def _told(new: Loaded[Any], path: KeyPath) -> str:
    origin = origin_of(new.layers, path)
    return key_path_text(path) + (f" ({origin})" if origin is not None else "")
