"""Where doors look: one assignment by the engine thread is what they see of a reload."""

from typing import Generic, TypeVar

from .pair import Pair
from .tenancy import LeaseRef

C = TypeVar("C")


class Cell(Generic[C]):
    """The one place that doors read: what a fresh snapshot's leases hold, or None to ask.

    `pair` is there while an edit is tried or watched; `fresh` is None then, and `fresh_pair` is
    what doors may draw from without asking.

    It is written by the engine thread alone, save in a forked child, which starts with None.
    """

    __slots__ = ("fresh", "fresh_pair", "pair")

    def __init__(self) -> None:
        self.fresh: LeaseRef[C] | None = None
        self.fresh_pair: Pair[C] | None = None
        self.pair: Pair[C] | None = None
