"""Where configuration bytes come from: files, directories with a file per key, the environment."""

import os
import re
from typing import Final

from ..exceptions import OptionError
from ..types import Source
from ._disk import Disk
from ._set import newest_of, raised_by, read_set, take_stamps
from .directory import DirectorySource
from .dotenv import DotenvSource
from .environ import EnvironSource
from .file import FileSource

__all__ = [
    "DirectorySource",
    "Disk",
    "DotenvSource",
    "EnvironSource",
    "FileSource",
    "newest_of",
    "raised_by",
    "read_set",
    "source_of",
    "take_stamps",
]

_DOTENV: Final = re.compile(r"\.env(?:\.(?!json\Z|toml\Z|ya?ml\Z)[^/.]+)?\Z", re.IGNORECASE)
"""`.env`, `.env.local`, `shop.env`."""


def source_of(value: str | os.PathLike[str] | Source) -> Source:
    """Take a path for a file, `.env` for a file of variables, and a source for what it is."""
    if isinstance(value, str | os.PathLike):
        is_dotenv = _DOTENV.search(os.fspath(value)) is not None
        return DotenvSource(value) if is_dotenv else FileSource(value)
    if _is_source(value):
        return value
    raise OptionError(f"a source is a path or a Source, not a {type(value).__name__}")


def _is_source(value: object) -> bool:
    """Ask at run time what the type checker takes for granted."""
    return isinstance(value, Source)
