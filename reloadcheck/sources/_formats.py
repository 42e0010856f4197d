"""Which format a file is in: told by its suffix, before any reader is loaded."""

from collections.abc import Mapping
from os.path import splitext
from types import MappingProxyType
from typing import Final

from ..exceptions import OptionError
from ..types import printable

FORMATS: Final[Mapping[str, str]] = MappingProxyType(
    {".json": "json", ".toml": "toml", ".yaml": "yaml", ".yml": "yaml"}
)
"""The format that each suffix stands for."""


def format_of(path: str) -> str:
    """Return the format of a file by its suffix, in any case."""
    suffix = splitext(path)[1].lower()
    if suffix in FORMATS:
        return FORMATS[suffix]
    known = ", ".join(FORMATS)
    directory = "" if suffix else "; for a directory, write DirectorySource(path)"
    raise OptionError(
        f"{printable(path)}: the format is told by the suffix, one of {known}{directory}"
    )
