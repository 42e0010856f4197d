"""Find the key before a value, for what is wrong with the key; looks at a few characters only."""

import re
from typing import Final

_BEFORE: Final = 400
_BETWEEN: Final = (
    r"""(?P<quote>["']?)(?:[ \t]*\]{1,2}|\s*[:=])\s*"""  # also the end of a TOML table's head
    r"(?:#[^\n]*\n\s*)*(?:[&!]\S+\s+){0,2}(?:#[^\n]*\n\s*)*\Z"
)


def key_before(text: str, index: int, key: str) -> int | None:
    """Return where the key begins whose value begins at `index`; None where it is not told.

    That is so for a key with an escape in it, or far away behind comments.
    """
    start = max(0, index - _BEFORE)
    near = text[start:index]
    found = near.rfind(key)
    while found >= 0:
        end = found + len(key)
        after = re.match(_BETWEEN, near[end:])
        quote = near[found - 1 : found] if found else ""
        if after is not None and _is_whole(near[end:], quote, after["quote"]):
            return start + found - len(after["quote"])
        found = near.rfind(key, 0, found)
    return None


def _is_whole(after: str, before: str, quote: str) -> bool:
    """Return whether it is a key from its beginning to its end, and not the tail of another."""
    if quote:
        return before == quote
    return after[:1] in (" ", "\t", "\n", ":", "=", "]") and not re.match(r"[\w\"'-]", before)
