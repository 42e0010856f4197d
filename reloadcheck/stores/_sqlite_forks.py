"""Hold a fork back while a thread of this process is in the midst of a transaction.

SQLite remembers in the process's memory which locks it holds: a child that is forked meanwhile
would find those of a thread that it has not, and wait for them for ever.
"""

import os
import threading
from typing import Final

__all__ = ["QUIET"]

FORK_SECONDS: Final = 5.0
"""Seconds that a fork waits at most; no transaction takes so long where anything works."""


class _Quiet:
    """What whoever is in a transaction holds: `with QUIET.lock`. Forks wait for it."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self._held = False
        if hasattr(os, "register_at_fork"):
            os.register_at_fork(
                before=self._before, after_in_parent=self._in_parent, after_in_child=self._in_child
            )

    def _before(self) -> None:
        self._held = self.lock.acquire(timeout=FORK_SECONDS)

    def _in_parent(self) -> None:
        if self._held:
            self.lock.release()

    def _in_child(self) -> None:
        self.lock = threading.RLock()


QUIET: Final = _Quiet()
