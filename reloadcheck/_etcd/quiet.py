"""Whether something below a key may have changed since it was asked for.

A watch only spares the asking: after ten seconds, or a broken connection, nobody relies on it.
"""

import os
import time
from contextlib import suppress

from ..exceptions import StoreError
from .client import Etcd
from .tokens import CHANCE
from .watch import Watch

__all__ = ["RANGE", "Quiet"]

RANGE = 10.0
"""Seconds after which the cluster is asked, whatever the watch has told or not."""

_GRACE = 0.005
"""Seconds for what was written just now to be told of: an event follows its answer."""


class Quiet:
    """One watch on a key, or on all `below` it; for one thread at a time."""

    def __init__(self, etcd: Etcd, key: str, *, below: bool) -> None:
        self._etcd, self._key, self._below = etcd, key, below
        self._watch: Watch | None = None
        self._watch_at = 0.0
        self._ranged: float | None = None
        self._pid = os.getpid()

    def lasts(self) -> bool:
        """Return whether what was asked for last is so still, as far as a watch can tell."""
        if self._pid != os.getpid():
            self.close()  # this process's copy; the parent's goes on
            self._pid = os.getpid()
        if self._watch is None or self._ranged is None:
            return False
        if time.monotonic() - self._ranged >= RANGE:
            return False
        news = self._watch.wait(_GRACE)
        if self._watch.ended:
            self.close()
            return False
        return not news

    def asked(self, revision: int, *, changed: bool) -> None:
        """Take note that the cluster was asked, and has answered at a revision."""
        now = time.monotonic()
        first, self._ranged = self._ranged is None, now
        if self._watch is not None:
            # It was silent about a change, or it is at an endpoint that has been left.
            silent = changed and not self._watch.told
            if silent or self._watch.endpoint != self._etcd.asks:
                self.close()
            else:
                self._watch.told = False
        elif now >= self._watch_at and not first:  # who asks only once needs none
            self._watch_at = now + RANGE
            with suppress(StoreError):
                self._watch = self._etcd.watch(self._key, revision + 1, below=self._below)

    def close(self) -> None:
        """End the watch."""
        watch, self._watch = self._watch, None
        if watch is not None:
            # Not all at once, after a restart of the server.
            self._watch_at = time.monotonic() + CHANCE.uniform(0.5, 1.5)
            watch.close()
