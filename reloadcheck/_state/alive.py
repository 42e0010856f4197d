"""Whether the process behind a member is gone, as far as this host can tell.

Where a name is of this boot and this space of process numbers, the kernel knows; a number that
another process has by now is told by when that one began. No wall clock is asked.
"""

from .member_id import process_of
from .process_start import begun

__all__ = ["is_gone"]


def is_gone(name: str, own: str) -> bool:
    """Return whether a member's process has certainly ended; `own` is this worker's name."""
    there, here = process_of(name), process_of(own)
    if there is None or here is None or there[0] != here[0] or there[1] == here[1]:
        return False
    try:
        return begun(there[1]) != there[2]
    except (OSError, ValueError):
        return False
