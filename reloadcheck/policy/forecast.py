"""What a contract will say of an edit to come: who is asked, and when all its keys may go.

Values, and the arithmetic of windows and freezes together; asking is the gate's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from ..seams.gates import Wait
from ..types import KeyPath
from .approval import Leave
from .terms import Terms

_MOST_STEPS: Final = 200
"""How many openings and ends of freezes are tried; windows that never meet would take for ever."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What a contract says of one edit.

    `rules` are those that judge it, by file and line. `restart` are key paths that keep their value
    until a restart, `roles` whose leave each key path needs. `held` is each reason to wait that
    stands now. `opens` is when windows and freezes let it through, in seconds since the epoch: now,
    later, or None where nobody can tell. `leave` is the leave that holds, `is_override` where the
    glass was broken.
    """

    rules: tuple[str, ...]
    restart: tuple[KeyPath, ...]
    roles: Mapping[KeyPath, tuple[str, ...]]
    held: tuple[Wait, ...]
    opens: float | None
    leave: Leave | None
    is_override: bool


def soonest(terms: Terms, paths: Sequence[KeyPath], at: float) -> float | None:
    """Return the first instant from `at` on at which all the keys may change; None if none is near.

    In seconds since the epoch. What needs somebody's leave needs it beside.
    """
    named = (terms.said("window", path) for path in paths)
    names = list(dict.fromkeys(named))
    for _ in range(_MOST_STEPS):
        freeze = next((one for one in terms.freezes if one.holds(at)), None)
        if freeze is not None and any(name != "any" for name in names):
            at = freeze.until
            continue
        openings = [terms.windows[name].opens(at) for name in names if name not in (None, "any")]
        known = [one for one in openings if one is not None]
        if len(known) < len(openings):
            return None
        later = max(known, default=at)
        if later == at:
            return at
        at = later
    return None
