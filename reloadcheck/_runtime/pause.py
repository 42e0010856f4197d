"""Let other threads run between portions of work: `nap`."""

import time

NAP = 0.0002
"""Seconds that the reader sleeps between portions of parsing, so that other threads get the GIL."""

COOPERATIVE = ("gevent", "eventlet")
TURN = 0.002
"""Whose `time.sleep` alone lets anybody else work, and the seconds until the reader does."""


class Nap:
    """Let others have their turn.

    Under gevent nothing else interrupts us, and the shortest sleep is rounded up to a millisecond:
    there we sleep once we have worked for `TURN`.
    """

    def __init__(self) -> None:
        self._woken = 0.0

    def __call__(self) -> None:
        if time.sleep.__module__.partition(".")[0] not in COOPERATIVE:
            time.sleep(NAP)
        elif time.perf_counter() - self._woken >= TURN:
            time.sleep(NAP)
            self._woken = time.perf_counter()


nap = Nap()
