"""A directory with one file per key as a source: `/run/secrets`, a Kubernetes Secret or ConfigMap.

Takes a directory, gives a stamp over all its files, their bytes, and a tree of their texts. It must
never follow `..data` twice in one look, nor list or read without bounds.
"""

import os
import stat as modes
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from .._runtime.paths import path_text
from ..exceptions import ConfigSyntaxError, OptionError, SourceError
from ..types import Document, KeyPath, Layer, Origin, Pause, Place, Problem, Stamp, Verbatim
from ._disk import Disk
from ._kubernetes_volume import generation_in, generation_of, resolved
from ._nest import Nest
from ._os_reasons import kind, refusal
from ._platform_files import FOREIGN, is_foreign
from ._read_file import read_bytes, too_large, torn
from ._stamp import FileStamp, file_stamp, newest_ns
from ._value_text import text_of
from .file import absolute

__all__ = ["DirectorySource"]

_TRIES: Final = 8
_MAX_DEPTH: Final = 64
_MAX_ENTRIES: Final = 10_000


@dataclass(frozen=True, slots=True)
class _Entry:
    keys: tuple[str, ...]
    where: str
    stamp: FileStamp


@dataclass(frozen=True, slots=True)
class _Seen:
    """All files, in an order that depends on nothing but their names."""

    entries: tuple[_Entry, ...]


class DirectorySource:
    """A directory whose files are the keys, and their texts, less one final newline, the values.

    Subdirectories nest; an empty one adds nothing. With `nested="__"` a file's name nests too:
    `database__password`. Names that start with a dot are skipped, and so is what a platform puts
    beside the application's own secrets, such as a pod's service account. `only` names what alone
    is taken, and must be there: `only=["database", "smtp/password"]`. A file may be empty, the
    directory may not. `max_bytes` bounds each file and all of them together.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        only: Collection[str] | None = None,
        nested: str | None = None,
        disk: Disk | None = None,
    ) -> None:
        self._name = path_text(path, "a DirectorySource")
        self._path = absolute(self._name)
        self._only = None if only is None else _chosen(only)
        if nested == "":
            raise OptionError('nested is what sets keys apart in a name, as in nested="__"')
        self._nested = nested
        self._disk = Disk() if disk is None else disk

    def __repr__(self) -> str:
        return f"DirectorySource({self._name!r})"

    @property
    def name(self) -> str:
        """Return the path as it was written."""
        return self._name

    def stamp(self) -> Stamp:
        """Look at each file without opening any."""
        missing: object = None
        for _ in range(_TRIES):
            try:
                return self._walk()
            except FileNotFoundError as error:
                if error.filename == missing:
                    raise self._gone(error) from None
                missing = error.filename  # a replaced generation is another one the next time
        raise torn(self._name)

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Read every file that `stamp` stands for, as one set."""
        entries = stamp.value.entries if isinstance(stamp.value, _Seen) else ()
        if sum(file_size(entry.stamp) for entry in entries) > max_bytes:
            raise too_large(self._name, max_bytes)
        documents: list[Document] = []
        for entry in entries:
            name = os.path.join(self._name, *entry.keys)
            data = read_bytes(entry.where, name, entry.stamp, max_bytes, self._disk)
            documents.append(Document(name, data, "text"))
        if self.stamp().value != stamp.value:
            raise torn(self._name)
        if not documents:
            foreign = ", ".join(self.left_out())
            why = f" of the application: {foreign} is the platform's" if foreign else ""
            raise self._error(f"holds no files{why}")
        return documents

    def left_out(self) -> Sequence[str]:
        """Return the names in the directory that are taken for a platform's own and left out."""
        if self._only is not None:
            return []
        root = generation_in(resolved(self._path, self._disk), self._disk)
        return sorted("/".join(keys) for keys in FOREIGN if self._is_there(root, keys))

    def _is_there(self, root: str, keys: tuple[str, ...]) -> bool:
        with suppress(OSError):
            self._disk.stat(os.path.join(root, *keys))
            return True
        return False

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Nest the files' texts by their paths."""
        nest = Nest()
        for document in documents:
            keys = self._keys(document)
            nest.put(keys, Verbatim(text_of(document)), Origin(document.name))
            pause()
        return Layer(nest.tree, lambda path: self._origin(nest, path), untyped=True)

    def place(self) -> Place:
        """Return where the directory is found at present; what it holds is often secret."""
        root = generation_in(resolved(self._path, self._disk), self._disk)
        where = os.path.realpath(root)
        return Place(self._name, self._path, where, generation_of(where), confidential=True)

    def _keys(self, document: Document) -> KeyPath:
        parts = os.path.relpath(document.name, self._name).split(os.sep)
        if self._nested is None:
            return tuple(parts)
        keys = tuple(key for part in parts for key in part.split(self._nested))
        if not all(keys):
            raise ConfigSyntaxError(Problem("names an empty key", document.name))
        return keys

    def _origin(self, nest: Nest, path: KeyPath) -> Origin:
        known = nest.above(path) or (nest.inside(path) if self._nested and path else None)
        return known or Origin(os.path.join(self._name, *(str(key) for key in path)))

    def _takes(self, keys: tuple[str, ...]) -> bool:
        """Return whether a file is the application's, or a directory may hold some that is."""
        if keys[-1].startswith("."):
            return False
        if self._only is None:
            return not is_foreign(keys)
        return any(keys[: len(one)] == one[: len(keys)] for one in self._only)

    def _walk(self) -> Stamp:
        """Stamp every file; the time is the newest of all files and directories."""
        root = resolved(self._path, self._disk)
        entries: list[_Entry] = []
        statuses: list[os.stat_result] = []
        waiting: list[tuple[tuple[str, ...], str]] = [((), root)]
        left = _MAX_ENTRIES
        while waiting:
            keys, directory = waiting.pop()
            directory = generation_in(directory, self._disk)
            statuses.append(self._stat(directory, keys))
            names = self._names(directory, keys, left)
            left -= len(names)
            for name in names:
                where, inner = os.path.join(directory, name), (*keys, name)
                if not self._takes(inner):
                    continue
                status = self._stat(where, inner)
                if modes.S_ISDIR(status.st_mode):
                    waiting.append((self._checked(inner), where))
                    continue
                if (words := kind(status.st_mode)) is not None:
                    raise self._error(words, inner)
                statuses.append(status)
                entries.append(_Entry(self._checked(inner), where, file_stamp(status)))
        entries.sort(key=lambda entry: entry.keys)
        for one in self._only or ():
            if not any(entry.keys[: len(one)] == one for entry in entries):
                raise self._error("is not there, though only= names it", one)
        return Stamp(_Seen(tuple(entries)), newest_ns(*statuses))

    def _names(self, directory: str, keys: tuple[str, ...], left: int) -> Sequence[str]:
        try:
            names = self._disk.names(directory, left + 1)
        except FileNotFoundError:
            raise
        except NotADirectoryError:
            raise self._error("is a file, not a directory", keys) from None
        except OSError as error:
            raise self._error(refusal(directory, error, self._disk), keys) from None
        if len(names) > left:
            raise self._error(f"holds more than {_MAX_ENTRIES} entries")
        return names

    def _stat(self, where: str, keys: tuple[str, ...]) -> os.stat_result:
        try:
            return self._disk.stat(where)
        except FileNotFoundError:
            raise
        except OSError as error:
            raise self._error(refusal(where, error, self._disk), keys) from None

    def _checked(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        if len(keys) > _MAX_DEPTH:
            raise self._error(f"nests deeper than {_MAX_DEPTH} directories")
        try:
            keys[-1].encode()
        except UnicodeEncodeError:
            raise self._error("has a name that is not valid UTF-8", keys) from None
        return keys

    def _gone(self, error: FileNotFoundError) -> SourceError:
        """Make the error for what stayed missing, named without the generation it was looked in."""
        place = os.fsdecode(error.filename) if error.filename else self._path
        inner = os.path.relpath(place, self._path).split(os.sep)
        keys = tuple(key for key in inner if not key.startswith("."))
        return self._error(refusal(place, error, self._disk), keys)

    def _error(self, reason: str, keys: tuple[str, ...] = ()) -> SourceError:
        return SourceError(Problem(reason, path=os.path.join(self._name, *keys)))


def _chosen(only: Collection[str]) -> tuple[tuple[str, ...], ...]:
    """Take `database` and `smtp/password` apart."""
    names = [] if isinstance(only, str) else [tuple(name.split("/")) for name in only]
    if not names or not all(part not in ("", ".", "..") for name in names for part in name):
        raise OptionError('only is a list of names in the directory, as in only=["database"]')
    return tuple(names)


def file_size(stamp: FileStamp) -> int:
    """Return the size that a stamp tells."""
    return stamp[2]
