"""Wait for a notification on a connection to PostgreSQL, and be woken from any thread meanwhile."""

import socket
import threading
import time
from contextlib import suppress
from selectors import EVENT_READ, DefaultSelector
from typing import Protocol

__all__ = ["Waking"]


class _Told(Protocol):
    def fileno(self) -> int: ...
    def is_broken(self) -> bool: ...
    def take_told(self) -> bool: ...


class Waking:
    """Two ends of a socket, made when they are needed, so that one wait listens to both."""

    def __init__(self) -> None:
        self._woken = threading.Event()
        self._pair: tuple[socket.socket, socket.socket] | None = None

    def wake(self) -> None:
        """End a wait that is under way, or the next one."""
        self._woken.set()
        pair = self._pair
        if pair is not None:
            with suppress(OSError):
                pair[1].send(b"!")

    def wait(self, seconds: float, session: _Told | None) -> None:
        """Wait so long, until woken, or until something is told or the connection breaks."""
        deadline = time.monotonic() + seconds
        if self._pair is None:
            pair = socket.socketpair()
            for end in pair:
                end.setblocking(False)
            self._pair = pair
        with DefaultSelector() as selector:
            selector.register(self._pair[0], EVENT_READ)
            if session is not None and not session.is_broken():
                selector.register(session.fileno(), EVENT_READ)
            else:
                session = None
            while not self._woken.is_set():
                if session is not None and (session.is_broken() or session.take_told()):
                    break
                rest = deadline - time.monotonic()
                if rest <= 0 or not selector.select(rest):
                    break
        self._woken.clear()
        with suppress(OSError):
            while self._pair[0].recv(512):
                pass

    def close(self) -> None:
        """Let go of both ends; a later wait makes others."""
        pair, self._pair = self._pair, None
        for end in pair or ():
            end.close()
