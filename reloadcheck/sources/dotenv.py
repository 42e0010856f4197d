"""A `.env` file as a source: variables that are watched, as a file is.

Takes a path, gives a file's stamp and bytes and the tree that its variables make; what a variable's
name and text mean is said in one place for this and for the environment.
"""

import os
from collections.abc import Mapping, Sequence
from typing import Any

from ..types import Document, KeyPath, Layer, Origin, Pause
from ._disk import Disk
from ._nest import Nest
from ._variable_meaning import put_variable
from .file import FileSource

__all__ = ["DotenvSource"]


class DotenvSource(FileSource):
    """A file of `NAME=text` lines, read as `EnvironSource` reads the environment, and watched.

    `DATABASE__URL` sets `database.url`. With `prefix` only names that start with it count, an
    underscore is added where it has none, and it belongs to no key. Text may stand in single
    quotes, where it is verbatim, or in double ones, where `\\n` is a line end; nothing is expanded.
    A file of comments alone is no variables. The other options are those of `FileSource`.
    """

    def __init__(
        self,
        path: str | os.PathLike[str] = ".env",
        prefix: str = "",
        optional: bool = False,
        *,
        within: str | os.PathLike[str] | None = None,
        private: bool = False,
        disk: Disk | None = None,
    ) -> None:
        super().__init__(path, optional, within=within, private=private, disk=disk)
        self._prefix = prefix if not prefix or prefix.endswith("_") else f"{prefix}_"

    def __repr__(self) -> str:
        return f"DotenvSource({self.name!r})"

    def _format_of(self) -> str:
        return "dotenv"

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Nest the variables, spelled as the keys that they override are."""
        nest = Nest()
        for document in documents:
            if not document.data:
                raise self._error("is empty; leave a comment in it if nothing is meant")
            from ..parsers import parse_dotenv  # at the first load

            for name, text, place in parse_dotenv(document, pause):
                if name.startswith(self._prefix) and name != self._prefix:
                    put_variable(nest, name.removeprefix(self._prefix), text, below, place)
        return Layer(nest.tree, lambda path: self._place_of(nest, path), untyped=True)

    def _place_of(self, nest: Nest, path: KeyPath) -> Origin:
        return nest.above(path) or nest.inside(path) or Origin(self.name)
