"""When a process of this machine began, as its kernel counts: it tells two of one number apart."""

__all__ = ["begun"]


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
