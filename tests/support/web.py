"""A real HTTP server on loopback whose answers a test writes, down to the bytes and their pace."""

import socket
import ssl
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from typing import TypeAlias

Respond: TypeAlias = Callable[["Request", socket.socket], None]


@dataclass(frozen=True)
class Request:
    """What was asked: the path and the headers, their names in lower case."""

    path: str
    headers: dict[str, str] = field(default_factory=dict)


class Web:
    """The server; `respond` may be replaced at any time."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.respond: Respond = answering("a: 1\n")
        self.requests: list[Request] = []
        self.ended = threading.Event()
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._threads = [threading.Thread(target=self._accept, daemon=True)]
        self._threads[0].start()

    def url(self, path: str = "/app.yaml", user: str = "") -> str:
        """Return the URL of a path here."""
        return f"{'http' if self._tls is None else 'https'}://{user}127.0.0.1:{self.port}{path}"

    def close(self) -> None:
        """Answer nobody any more."""
        self.ended.set()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for thread in self._threads:
            thread.join(30)

    def _accept(self) -> None:
        while not self.ended.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            thread = threading.Thread(target=self._serve, args=(connection,), daemon=True)
            self._threads.append(thread)
            thread.start()

    def _serve(self, connection: socket.socket) -> None:
        with suppress(OSError, ValueError), connection:
            connection.settimeout(10)
            if self._tls is None:
                self._answer(connection)
            else:
                with self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._answer(secured)

    def _answer(self, connection: socket.socket) -> None:
        data = b""
        while b"\r\n\r\n" not in data:
            part = connection.recv(65536)
            if not part:
                return
            data += part
        first, *lines = data.decode("latin-1").split("\r\n\r\n")[0].split("\r\n")
        pairs = (line.partition(": ") for line in lines)
        request = Request(first.split()[1], {name.lower(): text for name, _, text in pairs})
        self.requests.append(request)
        self.respond(request, connection)


@contextmanager
def web(tls: ssl.SSLContext | None = None) -> Generator[Web]:
    """Run a server for the block."""
    server = Web(tls)
    try:
        yield server
    finally:
        server.close()


def answering(
    body: str | bytes, status: str = "200 OK", *, length: bool = True, **headers: str
) -> Respond:
    """Answer with a body; header names take an underscore for a hyphen."""
    data = body.encode() if isinstance(body, str) else body

    def respond(request: Request, connection: socket.socket) -> None:
        lines = [f"HTTP/1.1 {status}", *(f"{n.replace('_', '-')}: {v}" for n, v in headers.items())]
        lines += [f"Content-Length: {len(data)}"] if length else ["Connection: close"]
        connection.sendall("\r\n".join([*lines, "", ""]).encode() + data)

    return respond


def validating(body: str, tag: str) -> Respond:
    """Answer with an entity tag, and with 304 to whoever has it."""

    def respond(request: Request, connection: socket.socket) -> None:
        if request.headers.get("if-none-match") == tag:
            answering("", "304 Not Modified", ETag=tag)(request, connection)
        else:
            answering(body, ETag=tag)(request, connection)

    return respond


def raw(*portions: bytes, pause: float = 0.0) -> Respond:
    """Answer with these bytes, with a pause after each."""
    ended = threading.Event()

    def respond(request: Request, connection: socket.socket) -> None:
        for portion in portions:
            connection.sendall(portion)
            ended.wait(pause)

    return respond
