"""The limits on what a configuration may hold, the same for every format.

They keep an accepted configuration printable, comparable and small in any later stage.
"""

from math import isfinite
from typing import Final

from ._text import Refusal

MAX_DEPTH: Final = 64
"""Mappings and lists inside each other, the root counted."""

MAX_ADDED: Final = 100_000
"""Nodes that aliases and merge keys may add to those that the document spells out."""

MAX_CONTAINERS: Final = 100_000
"""Mappings and lists in a document: two characters may be one, which takes 200 bytes and more."""

MAX_NUMBER: Final = 400
"""Characters of a number; converting long ones takes quadratic time."""

TOO_MANY: Final = f"holds more than {MAX_CONTAINERS:,} mappings and lists"
TOO_DEEP: Final = f"is nested deeper than {MAX_DEPTH} levels"
NOT_A_MAPPING: Final = "the top level must be a mapping"
DUPLICATE: Final = "duplicate key"
TABLE_TWICE: Final = "duplicate table"

_LEAST: Final = -(2**63)
_MOST: Final = 2**63 - 1


def whole(value: int) -> int:
    """Return an integer that fits into 64 bits, sign included."""
    if _LEAST <= value <= _MOST:
        return value
    raise Refusal("an integer must fit into 64 bits; put it in quotes to have it as text")


def finite(value: float) -> float:
    """Return a number that is neither infinite nor NaN."""
    if isfinite(value):
        return value
    raise Refusal("a number must be finite, not infinite and not NaN")


def short(digits: str) -> str:
    """Return a number's text that is short enough to be converted."""
    if len(digits) <= MAX_NUMBER:
        return digits
    raise Refusal(f"a number may have at most {MAX_NUMBER} characters; quote it to have it as text")
