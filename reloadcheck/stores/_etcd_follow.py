"""Keep a board of etcd up to date between two ranges, by what a watch tells.

The watch only makes it fast. Whoever asks the cluster decides when a range has to make it right,
and ends a watch that was silent about a change.
"""

import socket
import threading
import time
from contextlib import suppress
from typing import Any

from .._etcd.client import Etcd
from .._etcd.tokens import CHANCE
from .._etcd.watch import Watch
from ..exceptions import StoreError
from ..types import Board
from ._etcd_translation import Stamp, is_lasting, with_events

__all__ = ["Following"]


class Following:
    """The board below one key prefix, in one process; for one thread but for `wake`.

    `at` is the revision up to which `board` is known to be right, `ranged` when the cluster was
    asked last. `lead` is how much of each key is not the board's.
    """

    def __init__(self, etcd: Etcd, lead: int, again: float) -> None:
        self._etcd, self._lead, self._again = etcd, lead, again
        self._woken = threading.Event()
        self._bell: tuple[socket.socket, socket.socket] | None = None
        self._watch: Watch | None = None
        self._watch_at = 0.0
        self._news: list[dict[str, Any]] = []
        self.key: str | None = None
        self.board: Board | None = None
        self.at = 0
        self.ranged: float | None = None

    @property
    def watches(self) -> bool:
        """Return whether a watch is open, at an endpoint that is asked at present."""
        if self._watch is not None and self._watch.endpoint != self._etcd.asks:
            self.end()
        return self._watch is not None

    def given(self, board: Board, seen: Board | None) -> Board | None:
        """Remember a board; return it, or None where it is the one that was seen."""
        self.board, self.at = board, max(self.at, board.revision)
        return None if board is seen else board

    def ranges(self, key: str, board: Board, revision: int) -> None:
        """Take what the cluster has just told in full, at a revision."""
        if self.key != key:
            self.end()
            self._watch_at = 0.0  # nothing was broken off
        self.key, self.board, self.at = key, board, revision
        self.ranged = time.monotonic()

    def follow(self, board: Board, seconds: float, stamp: Stamp | None = None) -> Board:
        """Return what the watch has made of a board; wait for it so long, until it is the stamp."""
        until = time.monotonic() + seconds
        while self._watch is not None:
            left = until - time.monotonic()
            news, self._news = [*self._news, *self._watch.wait(max(left, 0.0))], []
            board = with_events(board, news, self._lead)
            if self._watch.ended:
                self.end()
            if left <= 0 or board.stamp == stamp:
                break
        return board

    def wait(self, seconds: float) -> None:
        """Wait so long, or until something lasting is told, or until `wake`."""
        if self._bell is None:
            self._bell = socket.socketpair()
        deadline = time.monotonic() + seconds
        while not self._woken.is_set():
            rest = deadline - time.monotonic()
            if rest <= 0:
                break
            watch = self._watching()
            if watch is None:
                again = rest if self.ranged is None else self._watch_at - time.monotonic()
                self._bell[0].settimeout(min(rest, max(again, 0.01)))
                with suppress(TimeoutError, OSError):
                    self._bell[0].recv(4096)
                continue
            events = watch.wait(rest, self._bell[0])
            self._news += events
            if watch.ended:
                self.end()
                break
            if any(is_lasting(one) for one in events):
                break
        self._woken.clear()
        self._bell[0].settimeout(0.0)
        with suppress(OSError):
            self._bell[0].recv(4096)

    def wake(self) -> None:
        """End a wait that is under way, or the next one; from any thread."""
        self._woken.set()
        bell = self._bell
        if bell is not None:
            with suppress(OSError):
                bell[1].send(b".", socket.MSG_DONTWAIT)

    def end(self) -> None:
        """End the watch; the next look asks the cluster."""
        watch, self._watch = self._watch, None
        self._news = []
        self.ranged = None
        if watch is not None:
            # Not all at once, after a restart of the server.
            self._watch_at = time.monotonic() + CHANCE.uniform(0.5, 1.5)
            watch.close()

    def close(self) -> None:
        """Let go of everything that is open."""
        self.end()
        bell, self._bell = self._bell, None
        for one in bell or ():
            one.close()

    def _watching(self) -> Watch | None:
        # Who has got no answer since the last one ended, or since a write, asks first.
        if self._watch is None and self.ranged is not None and self.key is not None:
            now = time.monotonic()
            if now < self._watch_at:
                return None
            try:
                self._watch = self._etcd.watch(self.key, self.at + 1)
            except StoreError:
                self._watch_at = now + self._again
        return self._watch
