"""Two digests: of what was read, and of what it means.

The source digest is of the documents' bytes; the tree digest is of the merged tree in a canonical,
typed form, so that workers with equal content agree whatever the comments and the order of keys.
"""

import struct
from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date, datetime, time, timedelta
from heapq import merge
from itertools import islice
from typing import Any

from ..types import Document, Pause, Untyped, Verbatim
from .containers import is_dict, is_list, is_set, is_tuple

__all__ = ["source_digest", "tree_digest"]

_NODES_A_PAUSE = 100
_KEYS_A_RUN = 500
_CHUNK = 1 << 14
_SCALARS: dict[type, Callable[[Any], bytes]] = {
    str: lambda text: _framed(b"s", text.encode("utf-8", "surrogatepass")),
    Untyped: lambda text: _framed(b"e", text.encode("utf-8", "surrogatepass")),
    Verbatim: lambda text: _framed(b"e", text.encode("utf-8", "surrogatepass")),
    bool: lambda flag: b"t" if flag else b"f",
    int: lambda number: _framed(b"i", b"%x" % number),
    float: lambda number: b"d" + struct.pack(">d", number),
    type(None): lambda _: b"n",
    bytes: lambda data: _framed(b"b", data),
    datetime: lambda moment: _framed(b"D", moment.isoformat().encode()),
    date: lambda day: _framed(b"Y", day.isoformat().encode()),
    time: lambda moment: _framed(b"T", moment.isoformat().encode()),
    timedelta: lambda length: _framed(b"L", str(length).encode()),
}
_WRITTEN: dict[str, bytes] = {"decimal.Decimal": b"N", "uuid.UUID": b"U"}
"""Tags of types by name, which are written as text; imported by who makes them."""


def source_digest(documents: Sequence[Document]) -> str:
    """Return the digest of the documents' names, formats and bytes, each framed by its length."""
    from blake3 import blake3  # at the first load: importing this package loads no library

    hasher = blake3()
    for document in documents:
        hasher.update(_framed(b"n", document.name.encode("utf-8", "surrogatepass")))
        hasher.update(_framed(b"f", document.format.encode()))
        hasher.update(_frame(b"d", len(document.data)))
        hasher.update(document.data)
    return hasher.hexdigest()


def tree_digest(tree: object, pause: Pause = lambda: None) -> str:
    """Return the digest of a plain or frozen tree; equal trees have one, `1` and `"1"` do not.

    `pause` is called between small portions of work. Raises TypeError for what no source makes.
    """
    return _Hashing(pause).digest(tree)


class _Hashing:
    """One walk over one tree."""

    __slots__ = ("_buffer", "_hasher", "_keys", "_nodes", "_pause")

    def __init__(self, pause: Pause) -> None:
        from blake3 import blake3

        self._buffer = bytearray()
        self._hasher = blake3()
        self._keys: dict[str, bytes] = {}
        self._nodes = 0
        self._pause = pause

    def digest(self, tree: object) -> str:
        self._feed(tree)
        self._hasher.update(bytes(self._buffer))
        return self._hasher.hexdigest()

    def _feed(self, value: object) -> None:
        self._count()
        if is_dict(value):
            self._buffer += _frame(b"m", len(value))
            for written, key in self._in_order(value):
                self._buffer += written
                part = value[key]
                if type(part) in _SCALARS:
                    self._count()
                    self._buffer += _SCALARS[type(part)](part)
                else:
                    self._feed(part)
        elif is_list(value) or is_tuple(value):
            self._buffer += _frame(b"l" if is_list(value) else b"u", len(value))
            for part in value:
                self._feed(part)
        elif is_set(value):
            self._buffer += _frame(b"S", len(value))
            self._buffer += b"".join(sorted(_scalar(member) for member in value))
        else:
            self._buffer += _scalar(value)

    def _count(self) -> None:
        self._nodes += 1
        if self._nodes % _NODES_A_PAUSE == 0:
            self._pause()
        if len(self._buffer) > _CHUNK:
            self._hasher.update(bytes(self._buffer))
            self._buffer.clear()

    def _in_order(self, keys: Collection[object]) -> Iterable[tuple[bytes, object]]:
        """Return the keys as written, sorted; many of them in runs, with pauses between."""
        if len(keys) <= _KEYS_A_RUN:
            return sorted([(self._key(key), key) for key in keys])
        runs: list[list[tuple[bytes, object]]] = []
        rest = iter(keys)
        while run := sorted((_scalar(key), key) for key in islice(rest, _KEYS_A_RUN)):
            if runs:
                self._pause()
            runs.append(run)
        return merge(*runs)

    def _key(self, key: object) -> bytes:
        """Write a key; the same few stand in one mapping after the other."""
        if type(key) is not str:
            return _scalar(key)
        written = self._keys.get(key)
        if written is None:
            written = _scalar(key)
            if len(self._keys) < _KEYS_A_RUN:
                self._keys[key] = written
        return written


def _scalar(value: object) -> bytes:
    if is_tuple(value):  # a key of a mapping or a member of a set
        return _frame(b"u", len(value)) + b"".join(map(_scalar, value))
    cls = type(value)
    write = _SCALARS.get(cls)
    if write is not None:
        return write(value)
    tag = _WRITTEN.get(f"{cls.__module__}.{cls.__qualname__}")
    if tag is None:
        raise TypeError(f"no configuration holds a {cls.__name__}")
    return _framed(tag, str(value).encode())


def _framed(tag: bytes, data: bytes) -> bytes:
    return tag + len(data).to_bytes(8, "big") + data


def _frame(tag: bytes, length: int) -> bytes:
    return tag + length.to_bytes(8, "big")
