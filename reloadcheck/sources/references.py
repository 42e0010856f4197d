"""The kinds of references: files of a directory for `${file:…}`, variables for `${env:…}`.

Finding them in documents is `_load/references`'s. `${file:db/password}` is the text of that file
below the directory, `${env:DB_PASSWORD}` that of the variable with the prefix before it. Takes
names, gives stamps and texts; a name never leads out of its directory, and no text stands in an
error.
"""

import os
from collections.abc import Mapping
from typing import Final

from .._runtime.paths import path_text
from ..exceptions import ConfigError, SourceError
from ..types import Document, Problem, Stamp, Untyped, Verbatim
from ._disk import Disk
from ._kubernetes_volume import generation_in, resolved
from ._os_reasons import kind, refusal
from ._read_file import read_bytes
from ._stamp import FileStamp, file_stamp, newest_ns
from ._value_text import text_of
from .file import absolute

__all__ = ["EnvReferences", "FileReferences"]

_TRIES: Final = 3


class FileReferences:
    """`${file:db/password}` is the text of `db/password` in a directory, less one final newline.

    A file that is replaced or rewritten is an edit. One that is missing, empty or unreadable holds
    the last good configuration. Names are relative to the directory, whatever file names them, and
    a `..data` of Kubernetes is followed once a file. A relative directory means the working
    directory at construction, which touches no disk.
    """

    kind: str = "file"

    def __init__(self, directory: str | os.PathLike[str], *, disk: Disk | None = None) -> None:
        self._name = path_text(directory, "the directory of FileReferences")
        self._path = absolute(self._name)
        self._disk = Disk() if disk is None else disk

    def __repr__(self) -> str:
        return f"FileReferences({self._name!r})"

    def stamp(self, name: str) -> Stamp:
        """Look at the file without opening it; raise `SourceError` where there is none."""
        for _ in range(_TRIES):
            where = self._where(name)
            try:
                status = self._disk.stat(where)
            except FileNotFoundError as error:
                if self._where(name) == where:
                    raise self._error(refusal(where, error, self._disk), name) from None
            except OSError as error:
                raise self._error(refusal(where, error, self._disk), name) from None
            else:
                if (words := kind(status.st_mode)) is not None:
                    raise self._error(words, name)
                return Stamp((where, file_stamp(status)), newest_ns(status))
        raise self._error("changed while it was being looked at", name)

    def read(self, name: str, stamp: Stamp, max_bytes: int) -> str:
        """Return the text that the stamp stands for; raise `TornError` if it changed meanwhile."""
        where, seen = _seen(stamp)
        shown = os.path.join(self._name, name)
        text = text_of(
            Document(shown, read_bytes(where, shown, seen, max_bytes, self._disk), "text")
        )
        if text == "":
            raise self._error("is empty", name)
        return Verbatim(text)

    def _where(self, name: str) -> str:
        parts = name.split("/")
        if not all(part not in ("", ".", "..") for part in parts) or "\0" in name:
            raise self._error("must be a path below that directory, without . and ..", name)
        root = generation_in(resolved(self._path, self._disk), self._disk)
        return resolved(os.path.join(root, *parts), self._disk)

    def _error(self, reason: str, name: str) -> SourceError:
        return SourceError(Problem(reason, os.path.join(self._name, name)))


def _seen(stamp: Stamp) -> tuple[str, FileStamp]:
    value = stamp.value
    assert isinstance(value, tuple)
    return value  # pyright: ignore[reportUnknownVariableType]


class EnvReferences:
    """`${env:DB_PASSWORD}` is the text of the variable of that name, with `prefix` before it.

    Each is read once, so that what one process serves cannot drift; the field's type says what a
    text means, and without a schema it is one YAML scalar.
    """

    kind: str = "env"

    def __init__(self, prefix: str = "", environ: Mapping[str, str] | None = None) -> None:
        self._prefix = prefix
        self._environ = environ
        self._read: dict[str, str] = {}

    def __repr__(self) -> str:
        return f"EnvReferences({self._prefix!r})"

    def of_environ(self, environ: Mapping[str, str]) -> "EnvReferences":
        """Return the same of another environment; itself where it was given its own."""
        return self if self._environ is not None else EnvReferences(self._prefix, environ)

    def stamp(self, name: str) -> Stamp:
        """Return a stamp that never changes; raise `SourceError` where it is not set."""
        if name not in self._read:
            environ = os.environ if self._environ is None else self._environ
            found = environ.get(self._prefix + name)
            if found is None:
                raise SourceError(Problem("is not set", f"variable {self._prefix}{name}"))
            self._read[name] = found
        return Stamp(self._prefix + name)

    def read(self, name: str, stamp: Stamp, max_bytes: int) -> str:
        """Return the text as it was at the first look."""
        text = self._read[name]
        if len(text) > max_bytes:
            reason = f"holds more than {max_bytes} characters"
            raise ConfigError(Problem(reason, f"variable {self._prefix}{name}"))
        return Untyped(text)
