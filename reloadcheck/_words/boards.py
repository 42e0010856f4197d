"""A board that processes share, and the store behind it; loaded by those who have one.

What an engine sees of a store is `seams/store`'s.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, runtime_checkable


@dataclass(frozen=True, slots=True)
class Record:
    """One record of a board: its text, and the revision of the store that wrote it."""

    value: str
    revision: int


@dataclass(frozen=True, slots=True)
class Board:
    """All records below a prefix, as one look found them.

    `revision` counts up with each change of the store; one that goes back tells that the store was
    replaced. `stamp` is the store's own, compared with `==` alone.
    """

    revision: int
    records: Mapping[str, Record]
    stamp: object = None

    def __repr__(self) -> str:
        return f"Board({len(self.records)} records, revision {self.revision})"


@dataclass(frozen=True, slots=True)
class Retention:
    """How much a store keeps: so many editions, so many bytes of content; or no content at all.

    `content` None: only content in which nothing looks secret.
    """

    editions: int = 100
    size: int = 64 * 2**20
    content: bool | None = True


@runtime_checkable
class Store(Protocol):
    """A revisioned board that several processes share.

    Every call may block for some seconds, so that one thread alone makes them. They raise
    `StoreLostError` where nothing was written and `StoreUnsureError` where something may have been.
    A store may also offer `wake()`, which ends a `wait` from any thread, and `count(prefix)`, how
    many records there are, for who starts in a crowd and is to read none of what it says.
    """

    @property
    def name(self) -> str:
        """The name that messages use for the store; it shows no credentials."""
        ...

    @property
    def retention(self) -> Retention:
        """How much is kept."""
        ...

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Return the records below `prefix`; None where they are those that `seen` has."""
        ...

    def put(
        self,
        records: Mapping[str, str | None],
        *,
        same: Mapping[str, int] | None = None,
        none_since: tuple[str, int] | None = None,
        mortal: bool = False,
    ) -> int | None:
        """Write all records or none, and return the new revision; None takes a record away.

        Nothing is written, and None returned, unless each key of `same` still has that revision (0:
        does not exist), and no record below the prefix of `none_since` is newer than its revision.
        `mortal` records vanish when this store is closed, or has not beaten for its time to live.
        """
        ...

    def beat(self) -> bool:
        """Keep what is mortal alive; False where some of it had vanished: all of it is let go."""
        ...

    def wait(self, seconds: float) -> None:
        """Wait so long, or less where the store tells of a change by itself."""
        ...

    def content(self, digest: str) -> bytes | None:
        """Return what was kept under a digest, or None."""
        ...

    def keep(self, digest: str, data: bytes | None) -> None:
        """Keep content under its digest; None: keep it no longer."""
        ...

    def close(self) -> None:
        """Take away what is mortal and let go of the store; a later call opens it anew."""
        ...
