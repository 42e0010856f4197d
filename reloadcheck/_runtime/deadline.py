"""One end for all of an exchange over a socket, however slowly it drips.

`http.client` counts its time-out anew at each portion. Give it a `TimedSocket`, and every wait ends
with the deadline, by a `TimeoutError`.
"""

import io
import socket
import time
from typing import Any

__all__ = ["Deadline", "TimedSocket", "connected"]


class Deadline:
    """When all of an exchange has to be over: so many seconds from now."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._at = time.monotonic() + seconds

    def left(self) -> float:
        """Return the seconds that are left; raise `TimeoutError` when there are none."""
        left = self._at - time.monotonic()
        if left <= 0:
            raise TimeoutError
        return left


def connected(host: str, port: int, deadline: Deadline) -> socket.socket:
    """Connect to the first address of a host that answers; the caller closes the socket.

    Each address may take its share of what is left: one that swallows everything hides no other,
    and however many there are, they end with the deadline. Raise `OSError`.
    """
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    failed: OSError = OSError("no address")
    for number, (family, kind, protocol, _, address) in enumerate(found):
        sock = socket.socket(family, kind, protocol)
        try:
            sock.settimeout(deadline.left() / (len(found) - number))
            sock.connect(address)
        except OSError as error:
            sock.close()
            failed = error
        else:
            return sock
    raise failed


class _Bytes(io.RawIOBase):
    """What comes from a timed socket; the deadline is looked at anew for each portion."""

    def __init__(self, owner: "TimedSocket") -> None:
        super().__init__()
        self._owner = owner

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any, /) -> int:
        self._owner.sock.settimeout(self._owner.deadline.left())
        return self._owner.sock.recv_into(buffer)


class TimedSocket:
    """As much of a socket as `http.client` uses, under a deadline that may be set anew."""

    def __init__(self, sock: socket.socket, deadline: Deadline) -> None:
        self.sock = sock
        self.deadline = deadline

    def makefile(self, *_: object) -> io.BufferedReader:
        """Return what an answer is read from."""
        return io.BufferedReader(_Bytes(self))

    def sendall(self, data: bytes) -> None:
        """Send it all before the deadline."""
        self.sock.settimeout(self.deadline.left())
        self.sock.sendall(data)

    def close(self) -> None:
        """Leave it open: an answer may be still to be read, and who opened it closes it."""
