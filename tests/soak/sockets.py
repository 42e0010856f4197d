"""Which connections are open at both ends, as the kernel knows it (Linux).

A server's own list may still have a connection that its client has closed: it takes the server a
moment to notice.
"""

from collections.abc import Iterable
from pathlib import Path

__all__ = ["established"]

ESTABLISHED = "01"


def established(ports: Iterable[int]) -> set[tuple[int, int]]:
    """Return (server's port, client's port) of the connections that no end has closed yet."""
    wanted = set(ports)
    found: set[tuple[int, int]] = set()
    for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        port = int(local.rpartition(":")[2], 16)
        if state == ESTABLISHED and port in wanted:
            found.add((port, int(remote.rpartition(":")[2], 16)))
    return found
