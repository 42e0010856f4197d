"""Which keys a failed build is about, in words, with the places where they are written.

That is what an edit changes; where there was none, what the resource's parts are made of. No
values.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from .._config.containers import is_dict
from .._config.diff import diff
from .._config.key_path import leaves
from ..parsers import locating_many
from ..seams.feed import Loaded
from ..types import KeyPath, Origin, key_path_text
from .layers import layer_of, origin_of

__all__ = ["changes_since", "made_of"]

_MOST = 3
_MOST_LEAVES = 1_000
_LEAST_TEXT = 3


def changes_since(
    old: Loaded[Any], new: Loaded[Any], parts: Sequence[KeyPath]
) -> tuple[str, Origin | None]:
    """Say which key paths changed, those below the first keys of `parts` where there are any.

    Return with it the place of the first of those below, where there are several layers.
    """
    changes = diff(old.tree, new.tree)
    paths = changes.key_paths
    firsts = {part[0] for part in parts if part}
    below = [path for path in paths if path and path[0] in firsts]
    own = below or paths
    with locating_many():
        found = [(path, origin_of(new.layers, path)) for path in own[:_MOST]]
    told = [key_path_text(path) + (f" ({at})" if at is not None else "") for path, at in found]
    more = len(own) - len(told)
    first = found[0][1] if below else None
    if len(new.layers) == 1:
        first = None
    return ", ".join(told) + (f" and {more} more" if more else ""), first


def made_of(
    loaded: Loaded[Any], parts: Sequence[KeyPath], quoted: str
) -> tuple[str, Origin | None]:
    """Say what several layers put together under `parts`; nothing where one layer has it all.

    Return with it the place of the value that an exception's text quotes, else of what stands in
    the first of those layers.
    """
    found = {path: value for part in parts for path, value in _leaves(loaded.tree, part)}
    firsts: dict[int, KeyPath] = {}
    for path in found:
        number = layer_of(loaded.layers, path)
        if number is not None:
            firsts.setdefault(number, path)
    if len(firsts) < 2:
        return "", None
    culprit = _quoted(found, quoted) or firsts[min(firsts)]
    with locating_many():
        told = [(path, origin_of(loaded.layers, path)) for _, path in sorted(firsts.items())]
        place = origin_of(loaded.layers, culprit)
    return ", ".join(f"{key_path_text(path)} ({at})" for path, at in told[:_MOST]), place


def _leaves(tree: object, part: KeyPath) -> Iterator[tuple[KeyPath, object]]:
    """Return so many values below a part of a tree; none where it is spelled otherwise there."""
    for key in part:
        if not is_dict(tree) or key not in tree:
            return iter(())
        tree = tree[key]
    below = leaves(tree, part)
    return islice((one for one in below if not is_dict(one[1])), _MOST_LEAVES)


def _quoted(found: Mapping[KeyPath, object], text: str) -> KeyPath | None:
    """Return where the longest value stands that a text quotes as a word; None without one."""
    best: tuple[int, KeyPath | None] = (0, None)
    for path, value in found.items():
        word = str(value) if isinstance(value, str | int | float) else ""
        is_longer = len(word) >= max(_LEAST_TEXT, best[0] + 1)
        if is_longer and re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text):
            best = (len(word), path)
    return best[1]
