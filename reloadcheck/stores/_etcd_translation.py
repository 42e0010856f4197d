"""Translate between a board and etcd: ranges and events to records, writes to transactions. Pure.

Pure. A prefix's newest revision does not move when something is deleted, so that the count counts,
too.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from .._config.containers import is_tuple
from .._etcd.wire import b64, end_of, unb64
from ..types import Board, Record

__all__ = [
    "Stamp",
    "board_of",
    "conditions",
    "is_lasting",
    "operation",
    "revision_of",
    "stamp_of",
    "with_events",
]

Stamp = tuple[str, int, int]


def board_of(answer: Mapping[str, Any], lead: int) -> Board:
    """Read a whole range; `lead` is how much of each key is not the board's."""
    records = {
        unb64(one["key"]).decode()[lead:]: Record(
            unb64(one.get("value", "")).decode(), int(one["mod_revision"])
        )
        for one in answer.get("kvs", ())
    }
    return Board(revision_of(answer), records, stamp_of(answer))


def revision_of(answer: Mapping[str, Any]) -> int:
    """Return the store's revision at an answer."""
    header: dict[str, Any] = answer.get("header") or {}
    return int(header.get("revision", 0))


def stamp_of(answer: Mapping[str, Any]) -> Stamp:
    """Return what changes with every change, from a range's newest key or from all of it."""
    kvs = answer.get("kvs") or ()
    newest = max((int(one["mod_revision"]) for one in kvs), default=0)
    header: dict[str, Any] = answer.get("header") or {}
    return str(header.get("cluster_id", "")), int(answer.get("count", 0)), newest


def with_events(board: Board, events: Iterable[Mapping[str, Any]], lead: int) -> Board:
    """Return the board after these events; those that it has already are left out."""
    records, newest = dict(board.records), board.revision
    for event in events:
        kv: dict[str, Any] = event.get("kv") or {}
        key, revision = unb64(kv.get("key", "")).decode()[lead:], int(kv.get("mod_revision", 0))
        if revision <= board.revision:
            continue
        newest = max(newest, revision)
        if event.get("type") == "DELETE":
            records.pop(key, None)
        else:
            records[key] = Record(unb64(kv.get("value", "")).decode(), revision)
    if newest == board.revision:
        return board
    stamp: Any = board.stamp
    cluster = str(stamp[0]) if is_tuple(stamp) else ""
    last = max((record.revision for record in records.values()), default=0)
    return replace(
        board,
        revision=newest,
        records=dict(sorted(records.items())),
        stamp=(cluster, len(records), last),
    )


def is_lasting(event: Mapping[str, Any]) -> bool:
    """Return whether an event wrote something that lasts: neither mortal nor a deletion."""
    kv: dict[str, Any] = event.get("kv") or {}
    return event.get("type") != "DELETE" and int(kv.get("lease", 0)) == 0


def conditions(
    lead: str, same: Mapping[str, int], none_since: tuple[str, int] | None
) -> list[dict[str, Any]]:
    """Return what has to hold for a transaction to write anything."""
    compare: list[dict[str, Any]] = [
        {
            "key": b64(lead + key),
            "target": "MOD",
            "result": "EQUAL",
            "mod_revision": str(revision),
        }
        for key, revision in same.items()
    ]
    if none_since is not None:
        prefix, revision = lead + none_since[0], none_since[1]
        compare.append(
            {
                "key": b64(prefix),
                "range_end": end_of(prefix),
                "target": "MOD",
                "result": "LESS",
                "mod_revision": str(revision + 1),
            }
        )
    return compare


def operation(key: str, value: str | None, lease: str | None) -> dict[str, Any]:
    """Return what writes a value, or takes it away."""
    if value is None:
        return {"request_delete_range": {"key": b64(key)}}
    put = {"key": b64(key), "value": b64(value)}
    return {"request_put": put if lease is None else {**put, "lease": lease}}
