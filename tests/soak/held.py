"""How much memory a process holds, once what it has freed went back to the system.

Without that, a run tells of holes: each pool that is built and closed leaves the C library's heap
a little more scattered, with this package or without it.
"""

import ctypes
import gc
from pathlib import Path

__all__ = ["Memory", "memory"]

Memory = tuple[float, float]
"""MiB that the process takes up, and that it holds."""


def memory() -> Memory:
    """Give the two of this process."""
    taken = _resident()
    gc.collect()
    give_back = getattr(ctypes.CDLL(None), "malloc_trim", None)  # the GNU library's alone
    if give_back is not None:
        give_back(0)
    return taken, _resident()


def _resident() -> float:
    lines = Path("/proc/self/status").read_text().splitlines()
    (kib,) = (line.split()[1] for line in lines if line.startswith("VmRSS"))
    return int(kib) / 1024
