"""A source without a file: its content is what a test last gave it, broken content included."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from .._runtime.clock import Clock
from ..exceptions import SourceError, TornError
from ..parsers import origin_at, parse
from ..sources._formats import format_of
from ..types import Document, KeyPath, Layer, Origin, Pause, Problem, Stamp

__all__ = ["MemorySource"]


class MemorySource:
    """A configuration in memory for `ReloadCheck(MemorySource("greeting: hello"))`; thread-safe.

    Text and bytes are in the format of the name's suffix; a mapping may hold what JSON can. An edit
    is quiet at once; with `clock` it carries that clock's time and has to settle, as a file has.
    """

    def __init__(
        self,
        content: str | bytes | Mapping[str, Any],
        name: str = "memory.yaml",
        *,
        clock: Clock | None = None,
    ) -> None:
        self._name = name
        self._format = format_of(name)
        self._clock = clock
        self._edits = 0
        self._fault: SourceError | None = None
        self._now = self._edited(content)

    def __repr__(self) -> str:
        return f"MemorySource({self._name!r})"

    @property
    def name(self) -> str:
        """Return the name that errors call it by."""
        return self._name

    def edit(self, content: str | bytes | Mapping[str, Any]) -> None:
        """Replace the content, as one whole write does. It may be empty, torn or nonsense."""
        self._now = self._edited(content)
        self._fault = None

    def fail(self, reason: str = "cannot be read") -> None:
        """Be unreadable from now on, until the next edit."""
        self._fault = SourceError(Problem(reason, self._name))

    def stamp(self) -> Stamp:
        """Return the number of the last edit, or raise what `fail` was told."""
        if self._fault is not None:
            raise self._fault
        return self._now[1]

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return the content that the stamp stands for."""
        document, now = self._now
        if now != stamp:
            raise TornError(Problem("changed while it was being read", self._name))
        if len(document.data) > max_bytes:
            raise SourceError(Problem(f"is larger than {max_bytes} bytes", self._name))
        return (document,)

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse it."""
        (document,) = documents

        def origin(key_path: KeyPath) -> Origin:
            return origin_at(document, key_path)

        return Layer(parse(document, pause), origin)

    def _edited(self, content: str | bytes | Mapping[str, Any]) -> tuple[Document, Stamp]:
        kind = self._format
        if isinstance(content, Mapping):
            content, kind = json.dumps(content), "json"
        data = content.encode() if isinstance(content, str) else content
        newest = None if self._clock is None else int(self._clock.wall() * 1e9)
        self._edits += 1
        return Document(self._name, data, kind), Stamp(self._edits, newest)
