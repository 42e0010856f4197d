"""One end for all of an exchange over a socket, however slowly it drips.

`http.client` counts its time-out anew at each portion. Give it a `TimedSocket`, and every wait ends
with the deadline, by a `TimeoutError`.
"""

import io
import socket
import time
from typing import Any

__all__ = ["Deadline", "TimedSocket"]


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
