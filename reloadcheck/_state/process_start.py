"""When a process of this machine began, as its kernel counts, and who its parent is.

The beginning tells two processes of one number apart.
"""

import os

__all__ = ["begun", "parent_id"]


def begun(pid: int) -> str | None:
    """Return when a process began, in the kernel's own ticks; None where it is gone or a corpse.

    Raise `OSError` where this system does not tell.
    """
    try:
        with open(f"/proc/{pid}/stat", "rb") as stat:
            words = stat.read().rpartition(b")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return None
    return None if words[0] in (b"Z", b"X") else words[19].decode()


def parent_id() -> str | None:
    """Return who this process and its siblings were started by; None for another program.

    Number and start time: a server's workers share it, and a server started anew has another.
    """
    parent = os.getppid()
    try:
        same = os.readlink(f"/proc/{parent}/exe") == os.readlink("/proc/self/exe")
        began = begun(parent)
    except OSError:
        return None
    return f"{parent}.{began}" if same and began else None
