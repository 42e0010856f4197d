"""Stop processes in their tracks: whoever goes on after it knows that they do nothing more."""

import os
import signal
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from .rig import until

__all__ = ["halt"]


def halt(pids: Iterable[int]) -> None:
    """Send `SIGSTOP` and see every thread stop; a process that ends meanwhile does nothing, too.

    The signal has only been left for them when `kill` returns: a thread that runs on another
    processor, or waits for one on a busy machine, may answer a request after that.
    """
    told = list(pids)
    for pid in told:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
    until(lambda: not any(_at_work(pid) for pid in told))


def _at_work(pid: int) -> bool:
    with suppress(OSError):  # it has ended
        for thread in os.listdir(f"/proc/{pid}/task"):
            with suppress(OSError):  # so has a thread of it
                stat = Path(f"/proc/{pid}/task/{thread}/stat").read_text()
                if stat.rpartition(")")[2].split()[0] not in "TtZX":
                    return True
    return False
