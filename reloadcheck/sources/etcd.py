"""A configuration in etcd as a source: one key with a document, or a prefix with a key a value.

The calls are `_etcd/client`'s; what workers share in etcd is `stores/etcd`'s. Takes endpoints,
gives stamps, bytes and a tree. A watch spares the asking, a range every ten seconds makes it right;
a server that is away is a `SourceError`, and what was live stays.
"""

import os
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .._etcd.client import Etcd
from .._etcd.quiet import Quiet
from .._etcd.wire import b64, end_of, unb64
from .._runtime.log import WARNING, log
from ..exceptions import OptionError, SourceError, StoreError, TornError
from ..types import Document, KeyPath, Layer, Origin, Pause, Place, Problem, Stamp, Verbatim
from ._formats import FORMATS
from ._nest import Nest
from ._read_file import too_large
from ._value_text import text_of

__all__ = ["EtcdSource"]

_AGAIN_AFTER: Final = 2.0
"""Seconds for which a cluster that does not answer is not asked again."""


@dataclass(frozen=True, slots=True)
class _Have:
    """What a look found."""

    stamp: Stamp
    documents: tuple[Document, ...]
    revision: int


class EtcdSource:
    """A document under `key`, in the format of its suffix or `format`; or all keys below `prefix`.

    The segments of a key below the prefix are key paths, its value is text. `confidential` shows
    and keeps no value of it anywhere. `password` may be a function; `ca`, `cert` and `cert_key` are
    files for TLS. `timeout` bounds each exchange.
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        key: str | None = None,
        *,
        prefix: str | None = None,
        format: str | None = None,
        confidential: bool = False,
        user: str | None = None,
        password: str | Callable[[], str] | None = None,
        ca: str | None = None,
        cert: str | None = None,
        cert_key: str | None = None,
        timeout: float = 2.0,
    ) -> None:
        if (key is None) == (prefix is None):
            raise OptionError(
                "name a key with a document, or a prefix: EtcdSource(url, 'shop.yaml')"
            )
        self._etcd = Etcd(
            endpoints, user=user, password=password, ca=ca, cert=cert, key=cert_key, timeout=timeout
        )
        self._key, self._prefix = key, prefix
        self._format = "text" if key is None else _format_of(key, format)
        self._confidential = confidential
        self._name = f"etcd:{key if key is not None else prefix}"
        self._have: _Have | None = None
        self._failure: SourceError | None = None
        self._asked = -_AGAIN_AFTER
        self._used_by = (os.getpid(), threading.Lock())
        lead = key if key is not None else prefix or ""
        self._quiet = Quiet(self._etcd, lead, below=prefix is not None)
        # A source is never told that it is not needed any more.
        weakref.finalize(self, self._etcd.close)
        weakref.finalize(self, self._quiet.close)

    def __repr__(self) -> str:
        return f"EtcdSource({self._name!r})"

    @property
    def name(self) -> str:
        """Return `etcd:` and the key or prefix."""
        return self._name

    def stamp(self) -> Stamp:
        """Ask the cluster what is there."""
        if self._used_by[0] != os.getpid():  # the parent's may be held by a thread that is not here
            self._used_by = (os.getpid(), threading.Lock())
        lock = self._used_by[1]
        if not lock.acquire(blocking=False):  # by a look that was given up
            raise SourceError(Problem("does not answer in time", self._name))
        try:
            return self._asked_for()
        finally:
            lock.release()

    def _asked_for(self) -> Stamp:
        now = time.monotonic()
        if self._failure is not None and now - self._asked < _AGAIN_AFTER:
            raise self._failure
        have = self._have
        if have is not None and self._failure is None and self._quiet.lasts():
            return have.stamp
        self._asked = now
        try:
            self._have = self._looked()
            self._quiet.asked(
                self._have.revision, changed=self._have.stamp is not (have and have.stamp)
            )
        except StoreError as error:
            self._failure = SourceError(Problem(str(error), self._name))
        except SourceError as error:
            self._failure = error
        else:
            self._failure = None
            return self._have.stamp
        raise self._failure

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return the documents that came with the stamp."""
        have = self._have
        if have is None or have.stamp.value != stamp.value:
            raise TornError(Problem("changed while it was being read", self._name))
        if sum(len(one.data) for one in have.documents) > max_bytes:
            raise too_large(self._name, max_bytes)
        return have.documents

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse the document, or nest the texts by their keys."""
        del below
        if self._prefix is None:
            (document,) = documents
            from ..parsers import locate, parse

            def found(path: KeyPath) -> Origin:
                place = locate(document, path)
                return Origin(document.name) if place is None else Origin(document.name, *place)

            return Layer(parse(document, pause), found)
        nest = Nest()
        lead = len(f"etcd:{self._prefix}")
        for one in documents:
            keys = tuple(one.name[lead:].strip("/").split("/"))
            nest.put(keys, Verbatim(text_of(one)), Origin(one.name))
            pause()

        def origin(path: KeyPath) -> Origin:
            return nest.above(path) or nest.inside(path) or Origin(self._name)

        return Layer(nest.tree, origin, untyped=True)

    def place(self) -> Place:
        """Return where it is found."""
        return Place(self._name, confidential=self._confidential)

    def _looked(self) -> _Have:
        lead = self._key if self._key is not None else self._prefix or ""
        body = {"key": b64(lead)}
        if self._prefix is not None:
            body["range_end"] = end_of(lead)
        answer = self._etcd.call("/v3/kv/range", body)
        found: list[dict[str, str]] = answer.get("kvs") or []
        if not found:
            raise SourceError(Problem("is not in etcd", self._name))
        header: dict[str, str] = answer.get("header") or {}
        revision = int(header.get("revision", 0))
        have = self._have
        if have is not None and revision < have.revision:
            words = "%s went back from revision %d to %d: an older copy was restored"
            log(WARNING, words, self._name, have.revision, revision)
        documents = tuple(
            Document(
                f"etcd:{unb64(one['key']).decode()}", unb64(one.get("value", "")), self._format
            )
            for one in found
            if not unb64(one["key"]).endswith(b"/")
        )
        # The newest revision of a prefix does not move with a delete, the count does; and after an
        # older copy was restored a revision comes again, with something else.
        newest = max(int(one["mod_revision"]) for one in found)
        value = (header.get("cluster_id"), len(found), newest, _digest(documents))
        if have is not None and have.stamp.value == value:
            return _Have(have.stamp, have.documents, revision)
        if self._key is not None and not documents[0].data:
            raise SourceError(Problem("is empty, which is taken for a mistake", self._name))
        # A prefix is written key by key: it has settled when nothing came for a while.
        quiet = None if self._prefix is None else time.time_ns()
        return _Have(Stamp(value, quiet), documents, revision)


def _digest(documents: Sequence[Document]) -> str:
    from blake3 import blake3

    hasher = blake3()
    for one in documents:
        name = one.name.encode()
        hasher.update(b"%d %d " % (len(name), len(one.data)) + name + one.data)
    return hasher.hexdigest()


def _format_of(key: str, format: str | None) -> str:
    known = sorted(set(FORMATS.values()))
    if format is not None:
        if format not in known:
            raise OptionError(f"format is one of {', '.join(known)}")
        return format
    suffix = os.path.splitext(key)[1].lower()
    if suffix not in FORMATS:
        raise OptionError(f"the format of {key} is not told by its suffix: add format='yaml'")
    return FORMATS[suffix]
