"""A store for many machines: etcd, over its JSON gateway, with leases for what is mortal.

The watch only makes it fast; a range, linearizable so that a node that is cut off from its majority
tells nothing stale, makes it right every ten seconds.
"""

import os
import socket
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from .._etcd import CHANCE, Etcd, Watch, b64, end_of, unb64
from ..exceptions import StoreError, StoreLostError, StoreRefusedError
from ..types import Board, Retention
from ._etcd_board import Stamp, board_of, is_lasting, revision_of, stamp_of, with_events

__all__ = ["EtcdStore"]

_LARGEST = 1_000_000
"""Bytes of one value, compressed; etcd takes 1.5 MB a request, in base64 and with its key."""

_MOST_OPERATIONS = 128

RANGE = 10.0
"""Seconds after which the cluster is asked, whatever the watch has told or not."""

_SOON = 0.25
"""Seconds that a watch may take to tell of what a range has found."""


class EtcdStore:
    """What the workers of many machines share, in an etcd that is there already.

    `content=True` keeps the documents of editions in it, so that they can be rolled back to:
    anybody who may read the prefix can read them. A member that has not beaten for `ttl` seconds is
    gone.
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        prefix: str = "reloadcheck/",
        user: str | None = None,
        password: str | Callable[[], str] | None = None,
        ca: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        ttl: float = 30.0,
        *,
        content: bool = False,
        keep: int = 50,
        timeout: float = 2.0,
    ) -> None:
        self._etcd = Etcd(
            endpoints, user=user, password=password, ca=ca, cert=cert, key=key, timeout=timeout
        )
        self._board = f"{prefix}board/"
        self._contents = f"{prefix}content/"
        self._retention = Retention(keep, 16 * 2**20, content)
        self._ttl = max(1, round(ttl))
        self._lease: str | None = None
        self._watch: Watch | None = None
        self._bell: tuple[socket.socket, socket.socket] | None = None
        self._have: Board | None = None
        self._key: str | None = None
        self._news: list[dict[str, Any]] = []
        self._at = 0
        self._watch_at = 0.0
        self._ranged = self._beaten = -RANGE
        self._made_for(os.getpid())

    def __repr__(self) -> str:
        return f"EtcdStore({self._etcd.name!r})"

    @property
    def name(self) -> str:
        """The first endpoint."""
        return self._etcd.name

    @property
    def retention(self) -> Retention:
        """How much is kept."""
        return self._retention

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Return the records below `prefix`; None where they are those that `seen` has."""
        self._here()
        key = self._board + prefix
        now = time.monotonic()
        have = self._have if self._key == key and self._have is seen else None
        if have is not None and now - self._ranged < RANGE and self._watch is not None:
            have = self._followed(have, 0.0)
            if self._watch is not None:
                return self._given(have, seen)
        lead, whole = len(self._board), {"key": b64(key), "range_end": end_of(key)}
        if seen is not None:
            before = self._etcd.connections
            newest = {"sort_order": "DESCEND", "sort_target": "MOD", "limit": 1, "keys_only": True}
            answer = self._etcd.call("/v3/kv/range", {**whole, **newest})
            # Over a new connection an older copy of the store may answer, with the same revisions.
            if before == self._etcd.connections and revision_of(answer) >= seen.revision:
                self._ranged = now
                if stamp_of(answer) == seen.stamp:
                    self._at = revision_of(answer)
                    return None
                if have is not None and self._watch is not None:
                    have = self._followed(have, _SOON, stamp_of(answer))
                    if have.stamp == stamp_of(answer):
                        return self._given(have, seen)
                    self._end_watch()  # it has told nothing of a change
        board = board_of(self._etcd.call("/v3/kv/range", whole), lead)
        if self._key != key:
            self._end_watch()
        self._key, self._ranged, self._at = key, now, board.revision
        if seen is not None and seen.revision <= board.revision and seen.records == board.records:
            board = seen
        return self._given(board, seen)

    def put(
        self,
        records: Mapping[str, str | None],
        *,
        same: Mapping[str, int] | None = None,
        none_since: tuple[str, int] | None = None,
        mortal: bool = False,
    ) -> int | None:
        """Write all records or none, and return the new revision; None takes a record away."""
        self._here()
        compare: list[dict[str, Any]] = [
            {
                "key": b64(self._board + key),
                "target": "MOD",
                "result": "EQUAL",
                "mod_revision": str(revision),
            }
            for key, revision in (same or {}).items()
        ]
        if none_since is not None:
            prefix, revision = self._board + none_since[0], none_since[1]
            compare.append(
                {
                    "key": b64(prefix),
                    "range_end": end_of(prefix),
                    "target": "MOD",
                    "result": "LESS",
                    "mod_revision": str(revision + 1),
                }
            )
        lease = self._living() if mortal else None
        operations = [_operation(self._board + key, text, lease) for key, text in records.items()]
        body = {"compare": compare, "success": operations, "failure": []}
        if len(compare) + len(operations) > _MOST_OPERATIONS:
            words = f"takes at most {_MOST_OPERATIONS} records and conditions at once"
            raise StoreRefusedError(f"{self.name}: {words}")
        self._ranged = -RANGE  # whatever comes of it, the next look asks
        answer = self._etcd.call("/v3/kv/txn", body, writes=True)
        return revision_of(answer) if answer.get("succeeded") else None

    def beat(self) -> bool:
        """Keep what is mortal alive; False where it had vanished."""
        self._here()
        now = time.monotonic()
        if self._lease is None or now - self._beaten < self._ttl / 3:
            return True
        answer = self._etcd.call("/v3/lease/keepalive", {"ID": self._lease})
        result: dict[str, Any] = answer.get("result") or {}
        alive = int(result.get("TTL", 0)) > 0
        self._beaten = now
        if not alive:
            self._lease = None
        return alive

    def wait(self, seconds: float) -> None:
        """Wait so long, or less where something lasting changes below what was looked at last.

        What is mortal changes in crowds, after each edit: it is there at the next look.
        """
        self._here()
        if self._bell is None:
            self._bell = socket.socketpair()
        deadline = time.monotonic() + seconds
        while not self._woken.is_set():
            rest = deadline - time.monotonic()
            if rest <= 0:
                break
            watch = self._watching()
            if watch is None:
                again = rest if self._have is None else self._watch_at - time.monotonic()
                self._bell[0].settimeout(min(rest, max(again, 0.01)))
                with suppress(TimeoutError, OSError):
                    self._bell[0].recv(4096)
                continue
            events = watch.wait(rest, self._bell[0])
            self._news += events
            if watch.ended:
                self._end_watch()
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

    def content(self, digest: str) -> bytes | None:
        """Return what was kept under a digest, or None."""
        self._here()
        kvs = self._etcd.call("/v3/kv/range", {"key": b64(self._contents + digest)}).get("kvs")
        if not kvs:
            return None
        try:
            return zlib.decompress(unb64(kvs[0]["value"]))
        except zlib.error:
            raise StoreLostError(f"{self.name}: a content of it is damaged") from None

    def keep(self, digest: str, data: bytes | None) -> None:
        """Keep content under its digest; None: keep it no longer. More than 1 MB is not kept."""
        self._here()
        key = b64(self._contents + digest)
        if data is None:
            self._etcd.call("/v3/kv/deleterange", {"key": key}, writes=True)
        elif self._retention.content:
            packed = zlib.compress(data, 6)
            if len(packed) > _LARGEST:
                raise StoreRefusedError(f"{self.name}: takes no content of {len(packed)} bytes")
            self._etcd.call("/v3/kv/put", {"key": key, "value": b64(packed)}, writes=True)

    def close(self) -> None:
        """Take away what is mortal and let go of the connections; a later call connects anew."""
        lease, self._lease = self._lease, None
        if lease is not None and self._pid == os.getpid():
            with suppress(StoreError):
                self._etcd.call("/v3/lease/revoke", {"ID": lease}, writes=True)
        self._let_go()
        self._etcd.close()

    # ------------------------------------------------------------------ within

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._woken = threading.Event()
        self._lease = None
        self._watch_at = 0.0
        self._news = []
        self._have = None
        self._at = 0
        self._key = None
        self._ranged = -RANGE

    def _here(self) -> None:
        if self._pid != os.getpid():
            self._let_go()  # this process's copies; the parent's go on
            self._made_for(os.getpid())

    def _let_go(self) -> None:
        self._end_watch()
        bell, self._bell = self._bell, None
        for one in bell or ():
            one.close()

    def _followed(self, board: Board, seconds: float, stamp: Stamp | None = None) -> Board:
        """Return what the watch has made of a board; wait for it so long, until it is the stamp."""
        until, lead = time.monotonic() + seconds, len(self._board)
        while self._watch is not None:
            left = until - time.monotonic()
            news, self._news = [*self._news, *self._watch.wait(max(left, 0.0))], []
            board = with_events(board, news, lead)
            if self._watch.ended:
                self._end_watch()
            if left <= 0 or board.stamp == stamp:
                break
        return board

    def _given(self, board: Board, seen: Board | None) -> Board | None:
        self._have, self._at = board, max(self._at, board.revision)
        return None if board is seen else board

    def _living(self) -> str:
        if self._lease is None:
            answer = self._etcd.call("/v3/lease/grant", {"TTL": str(self._ttl)}, writes=True)
            self._lease = str(answer["ID"])
            self._beaten = time.monotonic()
        return self._lease

    def _watching(self) -> Watch | None:
        have, key = self._have, self._key
        if self._watch is None and have is not None and key is not None:
            now = time.monotonic()
            if now < self._watch_at:
                return None
            try:
                self._watch = self._etcd.watch(key, self._at + 1)
            except StoreError:
                self._watch_at = now + RANGE
        return self._watch

    def _end_watch(self) -> None:
        watch, self._watch = self._watch, None
        self._news = []
        self._ranged = -RANGE
        # Not all at once, after a restart of the server.
        self._watch_at = time.monotonic() + CHANCE.uniform(0.5, 1.5)
        if watch is not None:
            watch.close()


def _operation(key: str, value: str | None, lease: str | None) -> dict[str, Any]:
    if value is None:
        return {"request_delete_range": {"key": b64(key)}}
    put = {"key": b64(key), "value": b64(value)}
    return {"request_put": put if lease is None else {**put, "lease": lease}}
