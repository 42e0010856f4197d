"""How a command of ours ends at SIGTERM: as at an exception, so that what it started ends with it.

By default Python does not unwind then, and servers, which are sessions of their own, would go on.
"""

import signal
from types import FrameType

__all__ = ["unwind_at_sigterm"]


def unwind_at_sigterm() -> None:
    """Turn the first SIGTERM into `SystemExit`; later ones do not interrupt the clearing up.

    For the main thread of a command, before it starts anything; not under pytest, for which that
    would be one failed test.
    """

    def stop(number: int, frame: FrameType | None) -> None:
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, stop)
