"""A transaction pooler in front of a PostgreSQL, as pgbouncer is one.

Every transaction gets another connection to the server than the one before: whatever is set on a
connection, or listened to on it, is another client's next. It lets anybody in, and logs in itself.
"""

import socket
import struct
import threading
from collections import Counter, deque
from collections.abc import Generator
from contextlib import contextmanager, suppress

import psycopg
from psycopg import pq

__all__ = ["Pooler", "pooler"]

_NO_TLS = {80877103, 80877104}
_CANCEL = 80877102
_TOLD = {"server_version": "18.0", "client_encoding": "UTF8", "standard_conforming_strings": "on"}
_ASKS_FOR_AN_ANSWER = {b"Q", b"S", b"F"}
_READY = b"Z"
_NO_TRANSACTION = b"I"


class _Ended(Exception):
    """One side has gone."""


class _Backend:
    """One connection to the server, of which libpq has done the beginning."""

    def __init__(self, url: str) -> None:
        self._connection = psycopg.connect(url, autocommit=True)
        self.pid = self._connection.pgconn.backend_pid
        self.sock = socket.socket(fileno=self._connection.pgconn.socket)
        self.sock.setblocking(True)

    def close(self) -> None:
        self.sock.detach()  # libpq closes it
        assert self._connection.pgconn.status in (pq.ConnStatus.OK, pq.ConnStatus.BAD)
        self._connection.close()


class Pooler:
    """Takes clients at `port`; `served` counts the transactions of each connection of the server.

    `listening` are the statements that a pooler of this kind cannot keep its word for.
    """

    def __init__(self, url: str, size: int = 4) -> None:
        self._url = url
        self._free = deque(_Backend(url) for _ in range(size))
        self._changed = threading.Condition()
        self._clients: list[socket.socket] = []
        self._threads: list[threading.Thread] = []
        self.served = Counter[int]()
        self.turns: list[int] = []
        self.listening: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port: int = self._listener.getsockname()[1]
        self._start(self._accept)

    @property
    def url(self) -> str:
        """Return the address for a client."""
        return f"postgresql://anybody@127.0.0.1:{self.port}/postgres?sslmode=prefer"

    def close(self) -> None:
        """End every client, then the connections to the server."""
        for one in (self._listener, *self._clients):
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()
        for thread in self._threads:
            thread.join(30)
        for backend in self._free:
            backend.close()

    def _start(self, target: object, *given: object) -> None:
        thread = threading.Thread(target=target, args=given, daemon=True)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._clients.append(client)
            self._start(self._serve, client)

    def _serve(self, client: socket.socket) -> None:
        with suppress(OSError, _Ended), client:
            if _welcomed(client):
                while True:
                    self._transaction(client)

    def _transaction(self, client: socket.socket) -> None:
        """Carry what belongs together between a client and one connection of the server."""
        message = _message(client)
        if message[:1] == b"X":
            raise _Ended
        backend = self._taken()
        try:
            while True:
                if b"LISTEN" in message:
                    self.listening.append(message)
                backend.sock.sendall(message)
                if message[:1] in _ASKS_FOR_AN_ANSWER and _answered(backend.sock, client):
                    break
                message = _message(client)
        except (OSError, _Ended):
            backend.close()  # in the middle of something: nobody else's next
            backend = _Backend(self._url)
            raise
        finally:
            self._given_back(backend)

    def _taken(self) -> _Backend:
        with self._changed:
            self._changed.wait_for(lambda: bool(self._free))
            backend = self._free.popleft()
            self.served[backend.pid] += 1
            self.turns.append(backend.pid)
            return backend

    def _given_back(self, backend: _Backend) -> None:
        with self._changed:
            self._free.append(backend)
            self._changed.notify()


def _welcomed(client: socket.socket) -> bool:
    """Answer what a client begins with; False for one that wants to cancel something."""
    while True:
        (length,) = struct.unpack("!I", _exactly(client, 4))
        (code,) = struct.unpack("!I", _exactly(client, length - 4)[:4])
        if code == _CANCEL:
            return False
        if code not in _NO_TLS:
            break
        client.sendall(b"N")
    told = [_packed(b"S", f"{name}\0{value}\0".encode()) for name, value in _TOLD.items()]
    made_up = struct.pack("!II", 1, 1)
    welcome = [_packed(b"R", struct.pack("!I", 0)), *told, _packed(b"K", made_up)]
    client.sendall(b"".join([*welcome, _packed(_READY, _NO_TRANSACTION)]))
    return True


def _answered(backend: socket.socket, client: socket.socket) -> bool:
    """Carry an answer back; return whether a transaction ended with it."""
    while True:
        message = _message(backend)
        client.sendall(message)
        if message[:1] == _READY:
            return message[5:] == _NO_TRANSACTION


def _message(sock: socket.socket) -> bytes:
    head = _exactly(sock, 5)
    return head + _exactly(sock, struct.unpack("!I", head[1:])[0] - 4)


def _packed(kind: bytes, body: bytes) -> bytes:
    return kind + struct.pack("!I", len(body) + 4) + body


def _exactly(sock: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        part = sock.recv(size - len(data))
        if not part:
            raise _Ended
        data += part
    return data


@contextmanager
def pooler(url: str) -> Generator[Pooler]:
    """Run a pooler for the block."""
    made = Pooler(url)
    try:
        yield made
    finally:
        made.close()
