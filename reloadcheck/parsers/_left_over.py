"""What other tools have left in a file that is to be a configuration: merges, templates.

Takes the text and where a parser stumbled, gives a better sentence where one of them is the cause.
"""

from typing import Final

from ..types import KeyPath
from ._text import Refusal

__all__ = ["left_over"]

UNRESOLVED: Final = "a merge conflict that is not resolved begins here"
UNFILLED: Final = "a template's place that was not filled in; put it in quotes if it is text"
_BEGINS, _ENDS = "<<<<<<< ", ">>>>>>> "
_PLACES: Final = ("{{", "{%")


def left_over(text: str, index: int, key_path: KeyPath) -> Refusal | None:
    """Return what to say of a flaw at a character; None where no other tool has left it."""
    for at in (index, index - 1):
        if text.startswith(_PLACES, max(at, 0)):
            return Refusal(UNFILLED, max(at, 0), key_path)
    begins = text.rfind(f"\n{_BEGINS}", 0, index + len(_BEGINS)) + 1
    ends = text.find(f"\n{_ENDS}", begins)
    is_inside = begins <= index <= ends + len(_ENDS) and text.startswith(_BEGINS, begins)
    return Refusal(UNRESOLVED, begins) if is_inside else None
