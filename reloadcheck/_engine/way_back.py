"""The way back to the version before, once nothing is tried or watched any more.

Remembers one configuration, never its resources: they are built anew. No gate is asked, for what
served before may serve at any time.
"""

from typing import Any

from ..exceptions import RefusedError
from ..seams import Loaded
from ..types import Code, Problem


class WayBack:
    """What served before the present version, and whether somebody wants it back.

    Written by the engine thread; what is wanted is set in any, before a check is asked for.
    """

    def __init__(self) -> None:
        self.earlier: tuple[Loaded[Any], int] | None = None
        self.is_wanted = False
        self._reason: str | None = None

    def remember(self, loaded: Loaded[Any] | None, version: int) -> None:
        """Take note of what served until now."""
        self.earlier = None if loaded is None else (loaded, version)
        self.is_wanted = False

    def want(self, reason: str | None) -> None:
        """Have the next check go back."""
        self._reason = reason
        self.is_wanted = self.earlier is not None

    def error(self, undone: int, serves: int) -> RefusedError:
        """Return what is told of the version that was taken back."""
        why = f": {self._reason}" if self._reason else ""
        sentence = f"undone by hand: version {undone}{why}. Version {serves} serves."
        return RefusedError(Problem(sentence), code=Code.UNDONE_BY_HAND)
