"""A TCP relay on loopback that can go silent, as a cut cable or a lost route does.

What is silenced is held, not dropped, and nobody is told: no reset, no end. It goes on later.
"""

import socket
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

__all__ = ["Link", "Relay", "relay"]


@dataclass(eq=False)
class Link:
    """One connection through a relay: the ports at its ends, and what the client sent first."""

    port: int
    to: int
    first: bytes = b""


class Relay:
    """Takes connections at `port` for the server at `target`; `silent` says which are cut now."""

    def __init__(self, target: int) -> None:
        self.target = target
        self.silent: Callable[[Link], bool] = lambda link: False
        self.links: list[Link] = []
        self.received = self.sent = 0
        self._ended = threading.Event()
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=512)
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        """Reset everything."""
        self._ended.set()
        for one in (self._listener, *self._open):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def reset(self) -> None:
        """End every connection, and go on with new ones."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        self._open.clear()

    def _accept(self) -> None:
        while not self._ended.is_set():
            try:
                near, (_, port) = self._listener.accept()
            except OSError:
                return
            link = Link(port, self.port)
            self.links.append(link)
            threading.Thread(target=self._carry, args=(near, link), daemon=True).start()

    def _carry(self, near: socket.socket, link: Link) -> None:
        with suppress(OSError), near:
            if not self._may(link):
                return
            with socket.create_connection(("127.0.0.1", self.target)) as far:
                self._open += [near, far]
                back = threading.Thread(target=self._pump, args=(far, near, link, False))
                back.daemon = True
                back.start()
                self._pump(near, far, link, True)
                back.join()

    def _pump(self, one: socket.socket, other: socket.socket, link: Link, there: bool) -> None:
        with suppress(OSError):
            while data := one.recv(65536):
                link.first = link.first or data
                if not self._may(link):
                    return
                self.sent += len(data) if there else 0
                self.received += 0 if there else len(data)
                other.sendall(data)
        with suppress(OSError):
            other.shutdown(socket.SHUT_WR)

    def _may(self, link: Link) -> bool:
        while self.silent(link):
            if self._ended.wait(0.02):
                return False
        return not self._ended.is_set()


@contextmanager
def relay(target: int) -> Generator[Relay]:
    """Run a relay for the block."""
    made = Relay(target)
    try:
        yield made
    finally:
        made.close()
