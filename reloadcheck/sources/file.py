"""A configuration file as a source.

Takes a path, gives a stamp, the file's bytes and the tree they parse to. It must never take "not
readable now" for "empty": whatever cannot be read is a `SourceError` that says why.
"""

import os
import stat as modes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..exceptions import OptionError, SourceError
from ..types import Document, KeyPath, Layer, Origin, Pause, Place, Problem, Stamp
from ._disk import Disk
from ._formats import format_of
from ._generation import generation_of, resolved
from ._read import read_bytes, torn
from ._reasons import kind, refusal
from ._stamp import FileStamp, file_stamp, newest_ns

__all__ = ["FileSource"]

_TRIES: Final = 8
"""How often to follow a volume that is swapped under the look, before leaving it to the next."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file's stamp and the place it was taken at; `stamp` None stands for an absent file."""

    where: str
    stamp: FileStamp | None


class FileSource:
    """One file, parsed by its suffix.

    `optional` takes a missing file for an empty one; a dangling link stays an error. `within`
    refuses a path that leads out of that directory through links. `private` refuses a file that
    everybody may write or replace, of which others only warn. A relative path means the working
    directory at construction. Construction touches no disk.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        optional: bool = False,
        *,
        within: str | os.PathLike[str] | None = None,
        private: bool = False,
        disk: Disk | None = None,
    ) -> None:
        self._name = os.fspath(path)
        self._path = absolute(self._name)
        self._format = format_of(self._name)
        self._optional = optional
        self._within = None if within is None else absolute(os.fspath(within))
        self._private = private
        self._disk = Disk() if disk is None else disk
        self._last: tuple[Stamp, FileStamp] | None = None

    def __repr__(self) -> str:
        return f"FileSource({self._name!r})"

    @property
    def name(self) -> str:
        """Give the path as it was written."""
        return self._name

    def stamp(self) -> Stamp:
        """Look at the file without opening it."""
        if (last := self._unmoved()) is not None:
            return last
        for _ in range(_TRIES):
            where = self._where()
            try:
                status = self._disk.stat(where)
            except FileNotFoundError as error:
                if self._where() == where:
                    return self._absent(where, error)
            except OSError as error:
                raise self._error(refusal(where, error, self._disk)) from None
            else:
                if (words := kind(status.st_mode)) is not None:
                    raise self._error(words)
                self._refuse_exposed(where, status)
                return self._found(where, status)
        raise torn(self._name)

    def _found(self, where: str, status: os.stat_result) -> Stamp:
        seen = file_stamp(status)
        found = Stamp(_Seen(where, seen), newest_ns(status))
        guarded = self._private or self._within is not None
        self._last = None if guarded or where != self._path else (found, seen)
        return found

    def _unmoved(self) -> Stamp | None:
        """Give the last stamp if one call can tell that it still holds; None if not.

        It can where the path leads through no volume. A thousand files are looked at once a window,
        and equal stamps that are one object are compared at once.
        """
        if self._last is None:
            return None
        stamp, seen = self._last
        try:
            status = self._disk.lstat(self._path)
        except OSError:
            return None
        return stamp if file_stamp(status) == seen else None

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Read the bytes that `stamp` stands for; no document for an absent optional file."""
        documents: list[Document] = []
        seen = stamp.value
        if isinstance(seen, _Seen) and seen.stamp is not None:
            data = read_bytes(seen.where, self._name, seen.stamp, max_bytes, self._disk)
            documents.append(Document(self._name, data, self._format))
        if self.stamp().value != seen:
            raise torn(self._name)
        return documents

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse the document; places are looked up in it only when they are asked for."""
        if not documents:
            return Layer({}, lambda _: Origin(self._name))
        (document,) = documents
        from ..parsers import parse  # at the first load: no import reads YAML's tables

        return Layer(parse(document, pause), lambda key_path: _origin(document, key_path))

    def place(self) -> Place:
        """Tell where the file is found at present."""
        try:
            where = os.path.realpath(self._where())
        except (OSError, SourceError):
            where = None
        generation = None if where is None else generation_of(where)
        return Place(self._name, self._path, where, generation, self._private)

    def remarks(self) -> Sequence[str]:
        """Name what is odd about the file though it can be read; nothing when it cannot."""
        try:
            where = self._where()
            status = self._disk.stat(where)
            parent = self._disk.stat(os.path.dirname(where))
        except (OSError, SourceError):
            return ()
        found = exposure(status, parent)
        if status.st_nlink == 0:
            found.append("pinned inode, will never update: mount its directory, not the file")
        return found

    def _refuse_exposed(self, where: str, status: os.stat_result) -> None:
        if not self._private:
            return
        try:
            parent = self._disk.stat(os.path.dirname(where))
        except OSError as error:
            raise self._error(refusal(where, error, self._disk)) from None
        for words in exposure(status, parent):
            raise self._error(f"{words}; it is to be private")

    def _where(self) -> str:
        if self._within is None:
            return resolved(self._path, self._disk)
        where, base = os.path.realpath(self._path), os.path.realpath(self._within)
        if where == base or os.path.commonpath((where, base)) != base:
            raise self._error(f"leads out of {base}, which it is confined to")
        return where

    def _absent(self, where: str, error: FileNotFoundError) -> Stamp:
        """Take an absent file for an empty one, no older than the directory it would be in."""
        link = self._disk.link(self._path)
        if not self._optional or link is not None:
            place = where if link is None else self._path
            reason = refusal(place, error, self._disk)
            if reason == "does not exist" and not os.path.isabs(self._name):
                reason += f" in {os.path.dirname(self._path)}"  # where the process was started
            raise self._error(reason) from None
        parent = os.path.dirname(where)
        while True:
            try:
                return Stamp(_Seen(where, None), newest_ns(self._disk.stat(parent)))
            except FileNotFoundError:
                parent = os.path.dirname(parent)
            except OSError as trouble:
                raise self._error(refusal(parent, trouble, self._disk)) from None

    def _error(self, reason: str) -> SourceError:
        return SourceError(Problem(reason, path=self._name))


def exposure(file: os.stat_result, directory: os.stat_result) -> list[str]:
    """Say how everybody could change the file; a sticky directory lets nobody replace it."""
    found: list[str] = []
    if file.st_mode & modes.S_IWOTH:
        found.append("can be written by everybody")
    if directory.st_mode & modes.S_IWOTH and not directory.st_mode & modes.S_ISVTX:
        found.append("can be replaced by everybody: its directory is writable by others")
    return found


def absolute(path: str) -> str:
    """Pin a path to the present working directory, which a server may leave later."""
    if not path or "\0" in path:
        raise OptionError("a source's path must not be empty or hold a NUL character")
    return os.path.abspath(path)


def _origin(document: Document, key_path: KeyPath) -> Origin:
    from ..parsers import locate

    place = locate(document, key_path)
    return Origin(document.name) if place is None else Origin(document.name, *place)
