"""What a source gives, and what a source is: stamps, documents, layers; references likewise.

The sources that there are stand in the room `sources`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol, runtime_checkable

from .keys import KeyPath, Pause, Tree
from .problems import Origin


@dataclass(frozen=True, slots=True)
class Stamp:
    """What tells without reading that nothing changed; compared with `!=`, never by age.

    The value alone tells. `newest_ns` is the newest wall-clock time in it, in nanoseconds; None
    when the source has no times, as an environment has none. Such a stamp counts as quiet at once.
    """

    value: object
    newest_ns: int | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a source was read: its path, where that leads, and the generation of a volume there.

    `generation` is the name of the directory that a Kubernetes projection's `..data` stood for;
    None elsewhere. `confidential`: no value of it is ever shown.
    """

    name: str
    path: str | None = None
    resolved: str | None = None
    generation: str | None = None
    confidential: bool = False


@dataclass(frozen=True, slots=True)
class Document:
    """The bytes of one document of a source, and the name that errors call it by."""

    name: str
    data: bytes
    format: str

    def __repr__(self) -> str:
        return f"Document({self.name!r}, {len(self.data)} bytes, {self.format})"


class Untyped(str):
    """Text of a source that knows no types, as a variable: what it means, its field's type says.

    Never stripped, never unquoted. Without a schema it is read as one YAML scalar.
    """

    __slots__ = ()


class Verbatim(Untyped):
    """Untyped text that stays text where there is no schema either, as a secret's file."""

    __slots__ = ()


@dataclass(frozen=True, slots=True)
class Layer:
    """What one source contributes: a tree, and a way to find out where a key of it came from.

    `origin` is called only when an error or a person asks, so that locating costs a running app
    nothing. It answers for the nearest known parent where the key path itself is not found.
    `untyped`: some of the tree may be `Untyped` text. `referred` are the key paths whose values
    stand elsewhere, with the texts that refer to them; those values are shown nowhere.
    """

    tree: Tree
    origin: Callable[[KeyPath], Origin]
    untyped: bool = False
    referred: Mapping[KeyPath, str] = field(default_factory=dict[KeyPath, str])

    def __repr__(self) -> str:
        return f"Layer({len(self.tree)} keys)"


@runtime_checkable
class Source(Protocol):
    """Where configuration bytes come from.

    All methods run in the engine's reader thread and may block; they raise `SourceError` for what
    may heal by itself and `ConfigSyntaxError` for content that cannot be used.
    """

    @property
    def name(self) -> str:
        """Return the name that messages use for the whole source."""
        ...

    def stamp(self) -> Stamp:
        """Return the present stamp without reading any content."""
        ...

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Read the documents that `stamp` stands for; raise `TornError` if they changed meanwhile.

        `max_bytes` bounds each document.
        """
        ...

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse what `read` gave. `below` is what the earlier sources merged to.

        `pause` is called between small portions of work and lets other threads run.
        """
        ...


@runtime_checkable
class References(Protocol):
    """What values such as `${file:db/password}` stand for: where texts of one kind are read.

    Both methods run in the engine's reader thread and may block. They raise `SourceError` for what
    may heal by itself, which holds the last good configuration.
    """

    @property
    def kind(self) -> str:
        """Return the word before the colon, in lower case: `file`, `env`, `vault`."""
        ...

    def stamp(self, name: str) -> Stamp:
        """Return the present stamp of what a name stands for; another one is an edit."""
        ...

    def read(self, name: str, stamp: Stamp, max_bytes: int) -> str:
        """Return the text that the stamp stands for; raise `TornError` if it changed meanwhile.

        An `Untyped` text is read as a scalar where no field's type says what it means, others stay
        text. It is shown nowhere.
        """
        ...
