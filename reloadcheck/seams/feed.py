"""The first seam: what an engine reads, and what it makes of that before anything is built."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, Protocol, TypeVar, runtime_checkable

from ..types import Document, Layer, Place, Source, Stamp

C = TypeVar("C")


@dataclass(frozen=True, slots=True)
class Referred:
    """What one reference stands for: its text, or why there is none."""

    text: str | None = field(repr=False)
    reason: str | None = None


@dataclass(frozen=True, slots=True)
class Referring:
    """What the references of a reading stand for, by kind and name; `kinds` are those known."""

    kinds: tuple[str, ...]
    found: Mapping[tuple[str, str], Referred] = field(repr=False)


@dataclass(frozen=True, slots=True)
class Reading:
    """One consistent set of bytes: the documents of each source, and their digest.

    `remarks` is what the sources would have an operator know, `places` where each was found.
    `referring` is what the references in the documents stand for, None where none are used; `refer`
    gives it for other documents, in the reader thread. `beside` is what the sources hold where an
    order has something else served: it is validated and told, and goes no further.
    """

    documents: tuple[tuple[Document, ...], ...]
    digest: str
    remarks: tuple[str, ...]
    places: tuple[Place, ...]
    referring: Referring | None = field(default=None, repr=False)
    refer: Callable[[Sequence[Sequence[Document]]], Referring] | None = field(
        default=None, repr=False
    )
    beside: "Reading | None" = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Loaded(Generic[C]):
    """A configuration that is good as far as can be told without building what depends on it."""

    config: C = field(repr=False)
    tree: Mapping[str, Any] = field(repr=False)
    digest: str
    source_digest: str
    layers: tuple[Layer, ...]


class Feed(Protocol):
    """What an engine reads: its sources as one set. Both methods run in its reader thread."""

    @property
    def sources(self) -> tuple[Source, ...]:
        """Return the sources, in the order in which they are laid over one another."""
        ...

    def look(self) -> tuple[Stamp, ...]:
        """Return the present stamps without reading any content; raise `SourceError`."""
        ...

    def read(self, stamps: Sequence[Stamp], max_bytes: int) -> Reading:
        """Read what the stamps stand for; raise `TornError` if it changed meanwhile."""
        ...


@runtime_checkable
class Choosing(Protocol):
    """A feed that may have something else used than what its sources hold."""

    def choose(self, reading: Reading) -> Reading:
        """Return what is to be used; runs in the reader thread, for as long as it takes.

        Raise `SourceError` where that is nothing.
        """
        ...
