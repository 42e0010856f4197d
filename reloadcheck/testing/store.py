"""A store in memory, which fails when a test wants it to; shared by all peers of it."""

import os
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

from ..exceptions import StoreLostError, StoreUnsureError
from ..types import Board, Record, Retention

__all__ = ["MemoryStore"]


@dataclass
class _Shared:
    """What all peers share; every access is under `changed`."""

    changed: threading.Condition = field(default_factory=threading.Condition)
    revision: int = 0
    records: dict[str, Record] = field(default_factory=dict)
    lives: dict[str, float] = field(default_factory=dict)
    contents: dict[str, bytes] = field(default_factory=dict)


class MemoryStore:
    """A `Store` for tests: `peer()` is another process's, on the same board; thread-safe.

    A member that has not beaten for `ttl` seconds is gone at the next beat of any peer.
    """

    def __init__(
        self,
        keep: int = 100,
        keep_bytes: int = 64 * 2**20,
        *,
        ttl: float = 15.0,
        content: bool | None = True,
        mirror: str | os.PathLike[str] | None = None,
    ) -> None:
        self._retention = Retention(keep, keep_bytes, content)
        self.mirror: str | None = None
        if mirror is not None:
            self.mirror = os.path.abspath(os.fspath(mirror))
        self._ttl = ttl
        self._shared = _Shared()
        self._mine: set[str] = set()
        self._woken = False
        self._lost = False
        self._unsure: list[bool] = []
        self._running = threading.Event()
        self._running.set()

    on_one_host = True

    def __repr__(self) -> str:
        return "MemoryStore()"

    @property
    def name(self) -> str:
        """The name that messages use for it."""
        return "memory"

    @property
    def retention(self) -> Retention:
        """How much is kept."""
        return self._retention

    def peer(self) -> "MemoryStore":
        """Return what another process would have: the same board, lives and faults of its own."""
        kept = self._retention
        peer = MemoryStore(kept.editions, kept.size, ttl=self._ttl, content=kept.content)
        peer.share(self)
        return peer

    def share(self, other: "MemoryStore") -> None:
        """Be on the board of another store from now on."""
        self._shared = other._shared

    # ------------------------------------------------------------------ faults

    def lose(self) -> None:
        """Be unreachable for this peer, until `heal`: every call raises `StoreLostError`."""
        self._lost = True
        self.wake()

    def unsure(self, *, written: bool = True) -> None:
        """Lose the answer to the next `put`, which was `written` or was not."""
        self._unsure.append(written)

    def freeze(self) -> None:
        """Hang, as a server that was stopped: no call of this peer returns until `heal`."""
        self._running.clear()

    def heal(self) -> None:
        """End every fault."""
        self._lost = False
        self._unsure.clear()
        self._running.set()

    # ------------------------------------------------------------------ the protocol

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Return the records below `prefix`; None where they are those that `seen` has."""
        self._meet_faults()
        with self._shared.changed:
            revision = self._shared.revision
            if seen is not None and seen.revision == revision:
                return None
            found = {k: r for k, r in self._shared.records.items() if k.startswith(prefix)}
            return Board(revision, dict(sorted(found.items())), revision)

    def count(self, prefix: str) -> int:
        """Return how many records there are below `prefix`."""
        self._meet_faults()
        with self._shared.changed:
            return sum(key.startswith(prefix) for key in self._shared.records)

    def put(
        self,
        records: Mapping[str, str | None],
        *,
        same: Mapping[str, int] | None = None,
        none_since: tuple[str, int] | None = None,
        mortal: bool = False,
    ) -> int | None:
        """Write all records or none, and return the new revision; None takes a record away."""
        self._meet_faults()
        answer_is_lost = bool(self._unsure)
        if answer_is_lost and not self._unsure.pop(0):
            raise StoreUnsureError("memory: the answer was lost")
        with self._shared.changed:
            if not self._holds(same or {}, none_since):
                written = None
            else:
                written = self._write(records, mortal=mortal)
        if answer_is_lost:
            raise StoreUnsureError("memory: the answer was lost")
        return written

    def beat(self) -> bool:
        """Keep what is mortal alive; False where some of it had vanished: all of it is let go."""
        self._meet_faults()
        with self._shared.changed:
            lives, now = self._shared.lives, time.monotonic()
            alive = self._mine <= lives.keys()
            lives.update(dict.fromkeys(self._mine & lives.keys(), now))
            if dead := [key for key, beat in lives.items() if beat < now - self._ttl]:
                self._write(dict.fromkeys(dead), mortal=False)
        if not alive:
            self._mine.clear()
        return alive

    def wait(self, seconds: float) -> None:
        """Wait so long, or until something changes or `wake` is called."""
        deadline = time.monotonic() + seconds
        with self._shared.changed:
            before = self._shared.revision
            while not self._woken and self._shared.revision == before:
                rest = deadline - time.monotonic()
                if rest <= 0:
                    break
                self._shared.changed.wait(rest)
            self._woken = False

    def wake(self) -> None:
        """End a wait that is under way, or the next one; from any thread."""
        with self._shared.changed:
            self._woken = True
            self._shared.changed.notify_all()

    def content(self, digest: str) -> bytes | None:
        """Return what was kept under a digest, or None."""
        self._meet_faults()
        with self._shared.changed:
            return self._shared.contents.get(digest)

    def keep(self, digest: str, data: bytes | None) -> None:
        """Keep content under its digest; None: keep it no longer."""
        self._meet_faults()
        with self._shared.changed:
            if data is None:
                self._shared.contents.pop(digest, None)
            elif self._retention.content is not False:
                self._shared.contents.setdefault(digest, data)

    def close(self) -> None:
        """Take away what is mortal."""
        with self._shared.changed:
            if mine := self._mine & self._shared.lives.keys():
                self._write(dict.fromkeys(mine), mortal=False)
        self._mine.clear()

    # ------------------------------------------------------------------ within

    def _meet_faults(self) -> None:
        self._running.wait()
        if self._lost:
            raise StoreLostError("memory: is lost")

    def _holds(self, same: Mapping[str, int], since: tuple[str, int] | None) -> bool:
        records = self._shared.records
        for key, revision in same.items():
            if (records[key].revision if key in records else 0) != revision:
                return False
        if since is None:
            return True
        prefix, seen = since
        return all(r.revision <= seen for k, r in records.items() if k.startswith(prefix))

    def _write(self, records: Mapping[str, str | None], *, mortal: bool) -> int:
        shared = self._shared
        shared.revision += 1
        for key, value in records.items():
            shared.lives.pop(key, None)
            self._mine.discard(key)
            if value is None:
                shared.records.pop(key, None)
                continue
            shared.records[key] = Record(value, shared.revision)
            if mortal:
                shared.lives[key] = time.monotonic()
                self._mine.add(key)
        shared.changed.notify_all()
        return shared.revision
