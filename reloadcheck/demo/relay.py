"""A relay of TCP connections that can be cut, as a cable is, and mended."""

import contextlib
import socket
import threading

__all__ = ["Relay"]


class Relay:
    """Passes everything on to one port of this host, both ways; use as a context manager."""

    def __init__(self, port: int) -> None:
        self._there = port
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._is_cut = False
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    def cut(self) -> None:
        """Break every connection off, and let nobody through until `mend`."""
        with self._lock:
            self._is_cut = True
            for one in self._open:
                with contextlib.suppress(OSError):
                    one.shutdown(socket.SHUT_RDWR)

    def mend(self) -> None:
        """Let everybody through again."""
        self._is_cut = False

    def close(self) -> None:
        """End it, and what it passes on."""
        self.cut()
        self._listener.close()

    def __enter__(self) -> "Relay":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _accept(self) -> None:
        while True:
            try:
                here, _ = self._listener.accept()
            except OSError:
                return
            there: socket.socket | None = None
            with contextlib.suppress(OSError), self._lock:
                if not self._is_cut:
                    there = socket.create_connection(("127.0.0.1", self._there), timeout=2)
                    there.settimeout(None)
                    self._open |= {here, there}
            if there is None:
                here.close()
                continue
            for pair in ((here, there), (there, here)):
                threading.Thread(target=self._pass_on, args=pair, daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(65536):
                target.sendall(data)
        for one in (source, target):
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
        with self._lock:
            self._open -= {source, target}
        source.close()
