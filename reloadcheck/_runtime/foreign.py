"""Say in words what foreign code raised, without quoting the configuration.

Running such code is `jobs`'.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Final, TypeAlias, cast

Mask: TypeAlias = Callable[[str], str]


class FactoryMisuseError(Exception):
    """A factory that breaks the protocol; its text is ours and quotes nothing."""


_LONGEST: Final = 2_000
_PACKAGE: Final = os.path.join(os.path.dirname(os.path.dirname(__file__)), "")
_ADAPTERS: Final = os.path.join(_PACKAGE, "integrations", "")


def placed(error: BaseException) -> str:
    """Name what was raised and the application's line that it came through, not its words.

    No source is read for it: the lines of every library on the way would stay in memory.
    """
    name = type(error).__name__
    adapted = False
    trace = error.__traceback__
    while trace is not None:
        path, line, trace = trace.tb_frame.f_code.co_filename, trace.tb_lineno, trace.tb_next
        adapted = adapted or path.startswith(_ADAPTERS)
        library = adapted and "-packages/" in path  # a framework's line, which our adapter called
        if not library and not path.startswith(_PACKAGE):
            return f"{name} ({os.path.basename(path)}:{line})"
    return name


def described(error: BaseException, mask: Mask) -> str:
    """Say what was raised and where, its words masked as far as they quote what is hidden."""
    text = mask(_text(error)[:_LONGEST])
    return placed(error) + (f": {text}" if text else "")


def raised(error: BaseException) -> str:
    """Say the same without its words, which may quote a value of any version, unless ours."""
    return placed(error) + (f": {error}" if isinstance(error, FactoryMisuseError) else "")


def _text(error: BaseException) -> str:
    """Return what the error says of itself, if that does not raise in turn."""
    try:
        return str(error)
    except BaseException:
        return "its text cannot be had"


def causes(error: BaseException, mask: Mask) -> str:
    """Say the same of an error that may be a group of others."""
    if isinstance(error, BaseExceptionGroup):
        group = cast("BaseExceptionGroup[BaseException]", error)
        return ", ".join(causes(one, mask) for one in group.exceptions)
    return described(error, mask)
