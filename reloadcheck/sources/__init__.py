"""Where configuration bytes come from: files, directories with a file per key, the environment."""

import os
import re
from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final, TypeVar

from ..exceptions import OptionError
from ..types import Source
from ._disk import Disk
from ._one_moment import newest_of, raised_by, read_set, take_stamps
from .file import FileSource

if TYPE_CHECKING:
    from .directory import DirectorySource
    from .dotenv import DotenvSource
    from .environ import EnvironSource
    from .etcd import EtcdSource
    from .http import HTTPSource
    from .references import EnvReferences, FileReferences

__all__ = [
    "DirectorySource",
    "Disk",
    "DotenvSource",
    "EnvReferences",
    "EnvironSource",
    "EtcdSource",
    "FileReferences",
    "FileSource",
    "HTTPSource",
    "newest_of",
    "raised_by",
    "read_set",
    "reading",
    "source_of",
    "take_stamps",
]

R = TypeVar("R")

_DOTENV: Final = re.compile(r"\.env(?:\.(?!json\Z|toml\Z|ya?ml\Z)[^/.]+)?\Z", re.IGNORECASE)
"""`.env`, `.env.local`, `shop.env`."""


def source_of(value: str | os.PathLike[str] | Source) -> Source:
    """Take a path for a file, `.env` for a file of variables, and a source for what it is."""
    if isinstance(value, str | os.PathLike):
        if _DOTENV.search(os.fspath(value)) is None:
            return FileSource(value)
        from .dotenv import DotenvSource

        return DotenvSource(value)
    if _is_source(value):
        return value
    raise OptionError(f"a source is a path or a Source, not a {type(value).__name__}")


def reading(one: R, environ: Mapping[str, str] | None) -> R:
    """Let what reads the process's variables read these instead; all else stays as it is."""
    of_environ: Any = None if environ is None else getattr(one, "of_environ", None)
    return one if of_environ is None else of_environ(environ)


def _is_source(value: object) -> bool:
    """Ask at run time what the type checker takes for granted."""
    return isinstance(value, Source)


_LATE: Final = {
    "DirectorySource": "directory",
    "DotenvSource": "dotenv",
    "EnvReferences": "references",
    "FileReferences": "references",
    "EnvironSource": "environ",
    "EtcdSource": "etcd",
    "HTTPSource": "http",
}


def __getattr__(name: str) -> Any:
    """Load a kind of source when it is asked for: most applications have one file."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f".{_LATE[name]}", __name__), name)
