"""Times as people write and read them: `2h`, `2026-11-27T06:00+01:00`, `3d`."""

import re
import time
from datetime import datetime
from typing import Final

from .._runtime.clock import dated
from ..exceptions import UsageError
from ..types import printable

__all__ = ["age", "day", "moment"]

_SPANS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def moment(text: str, *, past: bool) -> float:
    """Read `2h`, before or after now, or a time in ISO 8601 with an offset, as epoch seconds."""
    span = re.fullmatch(r"(\d+(?:\.\d+)?)([smhd])", text.strip())
    if span is not None:
        seconds = float(span[1]) * _SPANS[span[2]]
        return dated(time.time() - seconds if past else time.time() + seconds)
    try:
        when = datetime.fromisoformat(text.strip())
    except ValueError:
        when = None
    if when is None or when.tzinfo is None:
        shown = printable(text)
        raise UsageError(f"{shown}: is no time: write 2h, or 2026-11-27T06:00+01:00")
    return dated(when.timestamp())


def age(at: float) -> float:
    """Return for how many seconds something has been so."""
    return time.time() - at


def day(at: float) -> str:
    """Say when something was, by this machine's clock."""
    return f"{datetime.fromtimestamp(at):%Y-%m-%d %H:%M:%S}"
