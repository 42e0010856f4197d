"""What an edit changes, in words: key paths with the places where they are written, no values."""

from collections.abc import Sequence
from typing import Any

from .._config.diff import diff
from ..parsers import locating_many
from ..seams.feed import Loaded
from ..types import KeyPath, Origin, key_path_text
from .layers import origin_of

__all__ = ["changes_since"]

_MOST = 3


def changes_since(
    old: Loaded[Any], new: Loaded[Any], parts: Sequence[KeyPath]
) -> tuple[str, Origin | None]:
    """Say which key paths changed, those below the first keys of `parts` where there are any.

    Return with it the place of the first of those below.
    """
    changes = diff(old.tree, new.tree)
    paths = [*changes.changed, *changes.added, *changes.removed]
    firsts = {part[0] for part in parts if part}
    below = [path for path in paths if path and path[0] in firsts]
    own = below or paths
    with locating_many():
        found = [(path, origin_of(new.layers, path)) for path in own[:_MOST]]
    told = [key_path_text(path) + (f" ({at})" if at is not None else "") for path, at in found]
    more = len(own) - len(told)
    first = found[0][1] if below else None
    return ", ".join(told) + (f" and {more} more" if more else ""), first
