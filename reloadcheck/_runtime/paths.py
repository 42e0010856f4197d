"""A path that somebody gave, as text: what is none is refused where it was given, by name."""

import os
from typing import cast

from ..exceptions import OptionError

__all__ = ["path_text"]


def path_text(given: object, what: str) -> str:
    """Return a path as text; raise `OptionError` for what is no `str` and no path to one."""
    try:
        text = os.fspath(cast("str | os.PathLike[str]", given))
    except TypeError:
        text = None
    if isinstance(text, str):
        return text
    raise OptionError(f"{what} is a path, a str or a Path, not {type(given).__name__}")
