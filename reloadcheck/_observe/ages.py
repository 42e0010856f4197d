"""How long ago something was, in words or in a few letters: one rule for page, status and lists.

It is told in the largest unit of which there are two, so that it is never wrong by half. Moments
are shown by whoever tells them, in their reader's clock.
"""

from typing import Final

__all__ = ["ago", "in_letters"]

_UNITS: Final = (("days", 86_400.0), ("hours", 3_600.0), ("minutes", 60.0))


def ago(seconds: float) -> str:
    """Say it in words, for a sentence: `5 minutes ago`."""
    count, unit = _counted(seconds)
    return f"{count} {unit} ago"


def in_letters(seconds: float) -> str:
    """Say it for a column of four characters: `5m`."""
    count, unit = _counted(seconds)
    return f"{count}{unit[0]}"


def _counted(seconds: float) -> tuple[int, str]:
    for unit, size in _UNITS:
        if seconds >= 2 * size:
            return int(seconds // size), unit
    return int(max(seconds, 0.0)), "s"
