"""How commands end at signals.

At SIGTERM Python does not unwind by default, and servers, which are sessions of their own, would go
on.
"""

import signal
from types import FrameType

__all__ = ["HEAR_INTERRUPTS", "unwind_at_sigterm"]

HEAR_INTERRUPTS = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""Undoes what a shell's `&` does to its children, so that SIGINT means KeyboardInterrupt."""


def unwind_at_sigterm() -> None:
    """Turn the first SIGTERM into `SystemExit`, so that what was started ends too.

    Later ones do not interrupt the clearing up. For the main thread of a command, before it starts
    anything; not under pytest, for which that would be one failed test.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
