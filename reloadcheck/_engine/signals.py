"""A check on a signal, for those who ask for it: no signal is handled otherwise.

The handler asks and returns; what was there before it is called after it. In a forked child it
asks that child's engine.
"""

import signal
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from ..exceptions import OptionError, UsageError
from .engine import Engine

__all__ = ["check_on"]


def check_on(engine: Engine[Any], number: int) -> Callable[[], None]:
    """Check at each signal of that number; return the way to stop.

    Raise `UsageError` outside the main thread, where alone Python handles signals, and
    `OptionError` for what is no signal that can be handled.
    """
    if threading.current_thread() is not threading.main_thread():
        raise UsageError("live.check_on(…) is called in the main thread, where signals are handled")
    listening = True

    def check(received: int, frame: FrameType | None) -> None:
        thread = engine.thread
        if listening and thread is not None and not thread.closing:
            thread.admission.ask()
        if callable(before):
            before(received, frame)

    try:
        before = signal.getsignal(number)
        signal.signal(number, check)
    except (ValueError, OSError, TypeError):
        raise OptionError(
            f"live.check_on takes a signal that can be handled, not {number}"
        ) from None

    def stop() -> None:
        nonlocal listening
        listening = False  # somebody may have put a handler of his own over this one
        here = threading.current_thread() is threading.main_thread()
        if here and before is not None and signal.getsignal(number) is check:
            signal.signal(number, before)

    return stop
