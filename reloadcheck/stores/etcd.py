"""A store for many machines in etcd, over its JSON gateway, with leases for what is mortal.

The calls are `_etcd/client`'s; a configuration that stands in etcd is `sources/etcd`'s. The watch
only makes it fast; a range, linearizable so that a node that is cut off from its majority tells
nothing stale, makes it right every ten seconds.
"""

import os
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from .._etcd.client import Etcd
from .._etcd.quiet import RANGE
from .._etcd.wire import b64, end_of, unb64
from .._runtime.paths import path_text
from ..exceptions import StoreError, StoreLostError, StoreRefusedError
from ..types import Board, Retention
from ._etcd_follow import Following
from ._etcd_translation import board_of, conditions, operation, revision_of, stamp_of

__all__ = ["EtcdStore", "client_of"]

_LARGEST = 1_000_000
"""Bytes of one value, compressed; etcd takes 1.5 MB a request, in base64 and with its key."""

_MOST_OPERATIONS = 128

_SOON = 0.25
"""Seconds that a watch may take to tell of what a range has found."""


class EtcdStore:
    """What the workers of many machines share, in an etcd that is there already.

    `content` keeps the documents of editions, so that they can be rolled back to, for anybody who
    may read the prefix: True always, False never, None where nothing in them looks secret. A member
    that has not beaten for `ttl` seconds is gone. `mirror` is a file for a start without etcd.
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
        mirror: str | os.PathLike[str] | None = None,
        content: bool | None = None,
        keep: int = 50,
        *,
        timeout: float = 2.0,
    ) -> None:
        self.mirror: str | None = None
        if mirror is not None:
            self.mirror = os.path.abspath(path_text(mirror, "mirror"))
        self._etcd = Etcd(
            endpoints, user=user, password=password, ca=ca, cert=cert, key=key, timeout=timeout
        )
        self._board = f"{prefix}board/"
        self._contents = f"{prefix}content/"
        self._retention = Retention(keep, 16 * 2**20, content)
        self._ttl = max(1, round(ttl))
        self._lease: str | None = None
        self._lapsed = False
        self._beaten = 0.0
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
        known, key, now = self._known, self._board + prefix, time.monotonic()
        have = seen if known.key == key and known.board is seen else None
        recent = known.ranged is not None and now - known.ranged < RANGE
        if have is not None and recent and known.watches:
            have = known.follow(have, 0.0)
            if known.watches:
                return known.given(have, seen)
        whole = {"key": b64(key), "range_end": end_of(key)}
        if seen is not None:
            before = self._etcd.connections
            newest = {"sort_order": "DESCEND", "sort_target": "MOD", "limit": 1, "keys_only": True}
            answer = self._etcd.call("/v3/kv/range", {**whole, **newest})
            stamp, revision = stamp_of(answer), revision_of(answer)
            # Over a new connection an older copy of the store may answer, with the same revisions.
            if before == self._etcd.connections and revision >= seen.revision:
                if stamp == seen.stamp:
                    if have is seen:
                        known.at, known.ranged = revision, now
                    else:  # what is looked at again is followed, from now on
                        known.ranges(key, seen, revision)
                    return None
                if have is not None and known.watches:
                    have = known.follow(have, _SOON, stamp)
                    if have.stamp == stamp:
                        known.ranged = now
                        return known.given(have, seen)
                    known.end()  # it has told nothing of a change
        board = board_of(self._etcd.call("/v3/kv/range", whole), len(self._board))
        revision = board.revision
        if seen is not None and seen.revision <= revision and seen.records == board.records:
            board = seen
        if seen is not None or known.key in (None, key):  # what is looked at again is followed
            known.ranges(key, board, revision)
        return None if board is seen else board

    def count(self, prefix: str) -> int:
        """Return how many records there are below `prefix`, reading none of them."""
        self._here()
        key = self._board + prefix
        asked = {"key": b64(key), "range_end": end_of(key), "count_only": True}
        return int(self._etcd.call("/v3/kv/range", asked).get("count", 0))

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
        compare = conditions(self._board, same or {}, none_since)
        if max(len(compare), len(records)) > _MOST_OPERATIONS:
            words = f"takes at most {_MOST_OPERATIONS} records at once"
            raise StoreRefusedError(f"{self.name}: {words}")
        self._known.ranged = None  # whatever comes of it, the next look asks
        try:
            return self._put(records, compare, mortal=mortal)
        except StoreLostError as error:
            if not mortal or "lease not found" not in str(error):
                raise
        # It has lapsed, or the store was replaced; nothing was written, and `beat` tells of it.
        self._lease, self._lapsed = None, True
        return self._put(records, compare, mortal=mortal)

    def beat(self) -> bool:
        """Keep what is mortal alive; False where it had vanished."""
        self._here()
        now = time.monotonic()
        if self._lapsed:
            self._lapsed = False
            return False
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
        self._known.wait(seconds)

    def wake(self) -> None:
        """End a wait that is under way, or the next one; from any thread."""
        self._known.wake()

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
        elif self._retention.content is not False:
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
        self._known.close()
        self._etcd.close()

    # ------------------------------------------------------------------ within

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._lease = None
        self._lapsed = False
        self._known = Following(self._etcd, len(self._board), RANGE)

    def _here(self) -> None:
        if self._pid != os.getpid():
            self._known.close()  # this process's copies; the parent's go on
            self._made_for(os.getpid())

    def _put(
        self, records: Mapping[str, str | None], compare: list[dict[str, Any]], *, mortal: bool
    ) -> int | None:
        lease = self._living() if mortal else None
        operations = [operation(self._board + key, text, lease) for key, text in records.items()]
        body = {"compare": compare, "success": operations, "failure": []}
        answer = self._etcd.call("/v3/kv/txn", body, writes=True)
        return revision_of(answer) if answer.get("succeeded") else None

    def _living(self) -> str:
        if self._lease is None:
            answer = self._etcd.call("/v3/lease/grant", {"TTL": str(self._ttl)}, writes=True)
            self._lease = str(answer["ID"])
            self._beaten = time.monotonic()
        return self._lease


def client_of(store: EtcdStore) -> Etcd:
    """Return a store's client, for who looks at the cluster itself."""
    return store._etcd  # pyright: ignore[reportPrivateUsage] - off the public face
