"""What is remembered of the version before, for who wants it back when nothing is tried any more.

Remembers the bytes of one configuration, and neither what was made of them, which would be twice as
much to hold, nor its resources: both are made anew. No gate is asked, for what served before may
serve at any time.
"""

from ..exceptions import RefusedError
from ..seams.feed import Reading
from ..types import Code, KeyPath, Problem


class WayBack:
    """What served before the present version, and whether somebody wants it back.

    Written by the engine thread; what is wanted is set in any, before a check is asked for.
    """

    def __init__(self) -> None:
        self.earlier: tuple[Reading, tuple[KeyPath, ...], int] | None = None
        self.is_wanted = False
        self._reason: str | None = None

    def remember(self, reading: Reading, kept: tuple[KeyPath, ...], version: int) -> None:
        """Take note of what served until now, with values that wait for a restart at `kept`."""
        self.earlier, self.is_wanted = (reading, kept, version), False

    def forget(self) -> None:
        """Take note that there is no way back."""
        self.earlier, self.is_wanted = None, False

    def want(self, reason: str | None) -> None:
        """Let the next check go back."""
        self._reason = reason
        self.is_wanted = self.earlier is not None

    def error(self, undone: int, serves: int) -> RefusedError:
        """Return what is told of the version that was taken back."""
        why = f": {self._reason}" if self._reason else ""
        sentence = f"undone by hand: version {undone}{why}. Version {serves} serves."
        return RefusedError(Problem(sentence), code=Code.UNDONE_BY_HAND)
