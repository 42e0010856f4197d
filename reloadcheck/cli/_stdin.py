"""Standard input as a layer: what `-` among the files of a command stands for."""

import sys
from collections.abc import Mapping, Sequence
from typing import BinaryIO

from ..exceptions import SourceError
from ..types import Document, KeyPath, Layer, Origin, Pause, Problem, Stamp

__all__ = ["NAME", "StandardInput"]

NAME = "<stdin>"


class StandardInput:
    """Reads once, when it is first asked; `format` is the one that it is written in."""

    def __init__(self, format: str = "yaml", stream: BinaryIO | None = None) -> None:
        self._format = format
        self._stream = stream
        self._data: bytes | None = None

    @property
    def name(self) -> str:
        """Return the name that errors call it by."""
        return NAME

    def stamp(self) -> Stamp:
        """Return one stamp for ever: what was read does not change."""
        return Stamp(NAME)

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Read all of it, unless it is too large."""
        data = self._data
        if data is None:
            stream = sys.stdin.buffer if self._stream is None else self._stream
            data = self._data = stream.read(max_bytes + 1)
        if len(data) > max_bytes:
            raise SourceError(Problem(f"is larger than {max_bytes} bytes", NAME))
        return (Document(NAME, data, self._format),)

    def layer(
        self, documents: Sequence[Document], below: Mapping[str, object], pause: Pause
    ) -> Layer:
        """Parse it."""
        from ..parsers import origin_at, parse

        (document,) = documents

        def origin(key_path: KeyPath) -> Origin:
            return origin_at(document, key_path)

        return Layer(parse(document, pause), origin)
