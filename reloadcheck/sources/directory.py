"""A directory with one file per key as a source: `/run/secrets`, a Kubernetes Secret or ConfigMap.

Takes a directory, gives a stamp over all its files, their bytes, and a tree of their texts. It must
never follow `..data` twice in one look, nor list or read without bounds.
"""

import os
import stat as modes
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from ..exceptions import ConfigSyntaxError, SourceError
from ..types import Document, KeyPath, Layer, Origin, Pause, Place, Problem, Stamp, Tree, Verbatim
from ._disk import Disk
from ._generation import generation_in, generation_of, resolved
from ._read import read_bytes, too_large, torn
from ._reasons import kind, refusal
from ._stamp import FileStamp, file_stamp, newest_ns
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

    Subdirectories nest; an empty one adds nothing. Names that start with a dot are skipped. A file
    may be empty, the directory may not. `max_bytes` bounds each file and all of them together.
    """

    def __init__(self, path: str | os.PathLike[str], *, disk: Disk | None = None) -> None:
        self._name = os.fspath(path)
        self._path = absolute(self._name)
        self._disk = Disk() if disk is None else disk

    def __repr__(self) -> str:
        return f"DirectorySource({self._name!r})"

    @property
    def name(self) -> str:
        """Give the path as it was written."""
        return self._name

    def stamp(self) -> Stamp:
        """Look at each file without opening any."""
        for _ in range(_TRIES - 1):
            # What went between two calls, a replaced generation for one, is looked for again.
            with suppress(FileNotFoundError):
                return self._walk()
        try:
            return self._walk()
        except FileNotFoundError as error:
            raise self._gone(error) from None

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
            raise self._error("holds no files; the configuration before it stays")
        return documents

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Nest the files' texts by their paths."""
        tree: Tree = {}
        for document in documents:
            *parents, last = os.path.relpath(document.name, self._name).split(os.sep)
            node = tree
            for key in parents:
                node = node.setdefault(key, {})
            node[last] = Verbatim(_text(document))
            pause()
        return Layer(tree, self._origin, untyped=True)

    def place(self) -> Place:
        """Tell where the directory is found at present; what it holds is often secret."""
        root = generation_in(resolved(self._path, self._disk), self._disk)
        where = os.path.realpath(root)
        return Place(self._name, self._path, where, generation_of(where), confidential=True)

    def _origin(self, key_path: KeyPath) -> Origin:
        return Origin(os.path.join(self._name, *(str(key) for key in key_path)))

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
                if name.startswith("."):
                    continue
                where, inner = os.path.join(directory, name), (*keys, name)
                status = self._stat(where, inner)
                if modes.S_ISDIR(status.st_mode):
                    waiting.append((self._checked(inner), where))
                    continue
                if (words := kind(status.st_mode)) is not None:
                    raise self._error(words, inner)
                statuses.append(status)
                entries.append(_Entry(self._checked(inner), where, file_stamp(status)))
        entries.sort(key=lambda entry: entry.keys)
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


def file_size(stamp: FileStamp) -> int:
    """Give the size that a stamp tells."""
    return stamp[2]


def _text(document: Document) -> str:
    """Decode strictly; one leading byte order mark and one final newline do not count."""
    try:
        text = document.data.decode()
    except UnicodeDecodeError as error:
        line = document.data.count(b"\n", 0, error.start) + 1
        raise ConfigSyntaxError(Problem("is not valid UTF-8", document.name, line)) from None
    if "\0" in text:
        line = text.count("\n", 0, text.index("\0")) + 1
        raise ConfigSyntaxError(Problem("holds a NUL character", document.name, line))
    newline = "\r\n" if text.endswith("\r\n") else "\n"
    return text.removeprefix("\ufeff").removesuffix(newline)
