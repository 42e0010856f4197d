"""Regular expressions that read the same on every Python.

`re` before 3.11.5 matches a possessive repeat of a *group* wrongly when the group itself can
backtrack (gh-106052), so that there the repeat is written as a greedy one: it accepts the same
texts, as no pattern here could match a part of them in two ways, and needs a little more memory.
"""

import re
import sys

__all__ = ["compiled"]

_GROUPS_MAY_BE_POSSESSIVE = sys.version_info >= (3, 11, 5)


def compiled(
    pattern: str, flags: int = 0, *, possessive: bool = _GROUPS_MAY_BE_POSSESSIVE
) -> re.Pattern[str]:
    """Compile a pattern; `possessive` is whether groups may be repeated possessively."""
    return re.compile(pattern if possessive else re.sub(r"\)([*+?])\+", r")\1", pattern), flags)
