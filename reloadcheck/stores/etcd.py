"""A store for many machines: etcd, over its JSON gateway, with leases for what is mortal.

A look is linearizable, so that a node that is cut off from its majority tells nothing stale. The
watch only makes a wait shorter.
"""

import os
import threading
import time
import zlib
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from .._etcd import Etcd, Watch, b64, end_of, unb64
from ..exceptions import StoreError, StoreLostError, StoreRefusedError
from ..types import Board, Record, Retention

__all__ = ["EtcdStore"]

_LARGEST = 1_000_000
"""Bytes of one value, compressed; etcd takes 1.5 MB a request, in base64 and with its key."""

_SLICE = 0.2


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
        self._prefix: str | None = None
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
        whole = {"key": b64(key), "range_end": end_of(key)}
        if seen is not None:
            newest = {"sort_order": "DESCEND", "sort_target": "MOD", "limit": 1, "keys_only": True}
            if _stamp(self._etcd.call("/v3/kv/range", {**whole, **newest})) == seen.stamp:
                return None
        answer = self._etcd.call("/v3/kv/range", whole)
        lead = len(self._board)
        records = {
            unb64(one["key"]).decode()[lead:]: Record(
                unb64(one.get("value", "")).decode(), int(one["mod_revision"])
            )
            for one in answer.get("kvs", ())
        }
        board = Board(_revision(answer), records, _stamp(answer))
        self._seen, self._prefix = board.revision, key
        return board

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
        answer = self._etcd.call("/v3/kv/txn", body, writes=True)
        return _revision(answer) if answer.get("succeeded") else None

    def beat(self) -> bool:
        """Keep what is mortal alive; False where it had vanished."""
        self._here()
        if self._lease is None:
            return True
        answer = self._etcd.call("/v3/lease/keepalive", {"ID": self._lease})
        result: dict[str, Any] = answer.get("result") or {}
        alive = int(result.get("TTL", 0)) > 0
        if not alive:
            self._lease = None
        return alive

    def wait(self, seconds: float) -> None:
        """Wait so long, or less where something below the prefix looked at last changes."""
        self._here()
        deadline = time.monotonic() + seconds
        while not self._woken.is_set():
            rest = deadline - time.monotonic()
            if rest <= 0:
                break
            watch = self._watching()
            if watch is None:
                self._woken.wait(min(rest, _SLICE))
            elif watch.wait(min(rest, _SLICE)):
                if watch.ended:
                    self._end_watch()
                break
        self._woken.clear()

    def wake(self) -> None:
        """End a wait that is under way, or the next one; from any thread."""
        self._woken.set()

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
        self._end_watch()
        self._etcd.close()

    # ------------------------------------------------------------------ within

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._woken = threading.Event()
        self._lease = None
        self._watch = None
        self._watch_at = 0.0
        self._seen = 0
        self._prefix = None

    def _here(self) -> None:
        if self._pid != os.getpid():
            self._made_for(os.getpid())

    def _living(self) -> str:
        if self._lease is None:
            answer = self._etcd.call("/v3/lease/grant", {"TTL": str(self._ttl)}, writes=True)
            self._lease = str(answer["ID"])
        return self._lease

    def _watching(self) -> Watch | None:
        if self._watch is None and self._prefix is not None and time.monotonic() >= self._watch_at:
            try:
                self._watch = self._etcd.watch(self._prefix, self._seen + 1)
            except (StoreError, OSError):
                self._watch_at = time.monotonic() + 10.0
        return self._watch

    def _end_watch(self) -> None:
        watch, self._watch = self._watch, None
        self._watch_at = time.monotonic() + 1.0
        if watch is not None:
            watch.close()


def _operation(key: str, value: str | None, lease: str | None) -> dict[str, Any]:
    if value is None:
        return {"request_delete_range": {"key": b64(key)}}
    put = {"key": b64(key), "value": b64(value)}
    return {"request_put": put if lease is None else {**put, "lease": lease}}


def _revision(answer: Mapping[str, Any]) -> int:
    header: dict[str, Any] = answer.get("header") or {}
    return int(header.get("revision", 0))


def _stamp(answer: Mapping[str, Any]) -> tuple[str, int, int]:
    """Return what changes with every change: a delete moves no newest revision."""
    kvs = answer.get("kvs") or ()
    newest = max((int(one["mod_revision"]) for one in kvs), default=0)
    header: dict[str, Any] = answer.get("header") or {}
    cluster = str(header.get("cluster_id", ""))
    return cluster, int(answer.get("count", 0)), newest
