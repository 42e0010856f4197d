"""A configuration file as a source.

Takes a path, gives a stamp, the file's bytes and the tree they parse to. It must never take "not
readable now" for "empty": whatever cannot be read is a `SourceError` that says why.
"""

import os
from codecs import BOM_UTF8
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from .._config.key_path import key_path_of
from .._runtime.paths import path_text
from ..exceptions import OptionError, SourceError
from ..types import (
    Document,
    KeyPath,
    Layer,
    Origin,
    Pause,
    Place,
    Problem,
    Stamp,
    Tree,
    Verbatim,
)
from ._disk import Disk
from ._exposure import exposure, ownership
from ._formats import format_of
from ._kubernetes_volume import generation_of, resolved
from ._nest import Nest
from ._os_reasons import kind, refusal
from ._read_file import read_bytes, torn
from ._stamp import FileStamp, file_stamp, newest_ns
from ._value_text import text_of

__all__ = ["FileSource"]

_PINNED: Final = (
    "pinned inode, will never update: edits are not seen, since it is mounted alone (Kubernetes "
    "subPath, docker -v file) and was replaced outside; mount its directory"
)
_TRIES: Final = 8
"""How often to follow a volume that is swapped under the look, before leaving it to the next."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """A file's stamp and the place it was taken at; `stamp` None stands for an absent file."""

    where: str
    stamp: FileStamp | None


class FileSource:
    """One file, parsed by its suffix.

    `optional` takes a missing file, and one of nothing but comments, for an empty one; a dangling
    link stays an error, and a file of zero bytes waits, since a rewrite leaves one for a moment.
    With `key` the file's whole text, less one final newline, is the value at that key path,
    whatever the suffix: `FileSource("/run/secrets/db_password", key="database.password")`.
    `within` refuses a path that leads out of that directory through links. `private` refuses a
    file that everybody may write or replace, of which others only warn, and one that neither root
    nor this process's user owns, with each directory and link on the way to it. A relative path
    means the working directory at construction. Construction touches no disk.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        optional: bool = False,
        *,
        key: str | None = None,
        within: str | os.PathLike[str] | None = None,
        private: bool = False,
        disk: Disk | None = None,
    ) -> None:
        self._name = path_text(path, "a FileSource")
        self._path = absolute(self._name)
        self._key = None if key is None else key_path_of(key)
        self._format = self._format_of()
        self._optional = optional
        self._within = None if within is None else absolute(path_text(within, "within"))
        self._private = private
        self._disk = Disk() if disk is None else disk
        self._last: tuple[Stamp, FileStamp] | None = None

    def __repr__(self) -> str:
        return f"FileSource({self._name!r})"

    def _format_of(self) -> str:
        return format_of(self._name) if self._key is None else "text"

    @property
    def name(self) -> str:
        """Return the path as it was written."""
        return self._name

    def stamp(self) -> Stamp:
        """Look at the file without opening it."""
        if (last := self._unmoved()) is not None:
            return last
        missing = self._path
        for _ in range(_TRIES):
            where = self._where()
            try:
                status = self._disk.stat(where)
                exposed = self._exposed()
            except FileNotFoundError as error:
                if self._where() == where == missing:
                    return self._absent(where, error)
                missing = where  # a volume's generation is believed to be gone at the second look
            except OSError as error:
                raise self._error(refusal(where, error, self._disk)) from None
            else:
                if (words := kind(status.st_mode)) is not None:
                    raise self._error(words)
                if exposed:
                    raise self._error(f"{exposed[0]}; it is to be private")
                return self._found(where, status)
        raise torn(self._name)

    def _found(self, where: str, status: os.stat_result) -> Stamp:
        seen = file_stamp(status)
        found = Stamp(_Seen(where, seen), newest_ns(status))
        guarded = self._private or self._within is not None
        self._last = None if guarded or where != self._path else (found, seen)
        return found

    def _unmoved(self) -> Stamp | None:
        """Return the last stamp if one call can tell that it still holds; None if not.

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
        if self._key is not None:
            return self._keyed(self._key, document)
        return Layer(self._parsed(document, pause), lambda key_path: origin_in(document, key_path))

    def _parsed(self, document: Document, pause: Pause) -> Tree:
        """Parse; what has no content is empty where the file is optional and not of zero bytes."""
        from ..parsers import parse  # at the first load: no import reads YAML's tables

        try:
            return parse(document, pause)
        except SourceError as error:
            reason = error.reason
        commented = bool(document.data.removeprefix(BOM_UTF8).strip())
        if self._optional and commented:
            return {}
        if self._optional:
            comment = "" if document.format == "json" else ", or leave a comment in it,"
            reason = f"is empty; delete it{comment} if nothing is meant"
        elif commented:
            reason += "; FileSource(…, optional=True) takes comments alone for nothing"
        raise self._error(reason)

    def _keyed(self, path: KeyPath, document: Document) -> Layer:
        """Put the file's text at its one key."""
        if not document.data:
            raise self._error("is empty, as one that is being written is; nothing is taken from it")
        nest = Nest()
        nest.put(path, Verbatim(text_of(document)), Origin(document.name))
        return Layer(nest.tree, lambda _: Origin(document.name), untyped=True)

    def place(self) -> Place:
        """Return where the file is found at present."""
        try:
            where = os.path.realpath(self._where())
        except (OSError, SourceError):
            where = None
        generation = None if where is None else generation_of(where)
        confidential = self._private or self._key is not None
        return Place(self._name, self._path, where, generation, confidential)

    def remarks(self) -> Sequence[str]:
        """Name what is odd about the file though it can be read; nothing when it cannot."""
        try:
            status = self._disk.stat(self._where())
            found = exposure(self._path, self._disk)
        except (OSError, SourceError):
            return ()
        if status.st_nlink == 0:
            found.append(_PINNED)
        return found

    def _exposed(self) -> list[str]:
        """Say by whom the file could be changed, where that matters; `OSError` as from a stat."""
        if not self._private:
            return []
        found = exposure(self._path, self._disk)
        return found or ownership(self._path, self._disk, os.geteuid(), os.getegid())

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


def absolute(path: str) -> str:
    """Pin a path to the present working directory, which a server may leave later."""
    if not path or "\0" in path:
        raise OptionError("a source's path must not be empty or hold a NUL character")
    return os.path.abspath(path)


def origin_in(document: Document, key_path: KeyPath) -> Origin:
    from ..parsers import origin_at

    return origin_at(document, key_path)
