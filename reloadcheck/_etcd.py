"""A small client for etcd's version 3, over its JSON gateway and `http.client`.

One call at a time, from one thread; a forked child has connections of its own. Times out by itself,
since a stopped server is never noticed by TCP. It never repeats a write whose answer was lost.
"""

import base64
import http.client
import json
import os
import random
import select
import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Final
from urllib.parse import urlsplit

from ._config.containers import is_dict
from .exceptions import OptionError, StoreLostError, StoreUnsureError

__all__ = ["Etcd", "Watch", "b64", "end_of", "unb64"]

TIMEOUT: Final = 2.0
_IDLE: Final = 1.0
"""Seconds after which a connection may have been cut: no write is tried on an old one."""


def b64(text: str | bytes) -> str:
    """Write a key or a value as the gateway wants it."""
    data = text.encode() if isinstance(text, str) else text
    return base64.b64encode(data).decode("ascii")


def unb64(text: str) -> bytes:
    """Read a key or a value."""
    return base64.b64decode(text)


def end_of(prefix: str) -> str:
    """Return the end of the range of all keys below a prefix, for the gateway."""
    data = bytearray(prefix.encode())
    while data and data[-1] == 0xFF:
        data.pop()
    if not data:
        return b64(b"\0")
    data[-1] += 1
    return b64(bytes(data))


class Etcd:
    """Calls to one cluster, at whichever of its endpoints answers.

    `password` may be a function, asked at each authentication. A token that is refused is asked for
    anew once, after up to `jitter` seconds: a thousand workers at once would stop a server.
    """

    def __init__(
        self,
        endpoints: str | Sequence[str],
        *,
        user: str | None = None,
        password: str | Callable[[], str] | None = None,
        ca: str | None = None,
        cert: str | None = None,
        key: str | None = None,
        timeout: float = TIMEOUT,
        jitter: float = 60.0,
    ) -> None:
        named = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        self._endpoints = [_endpoint(one) for one in named]
        if not self._endpoints:
            raise OptionError("name at least one endpoint of etcd, as http://127.0.0.1:2379")
        self._user, self._password = user, password
        self._tls = (ca, cert, key)
        self._timeout, self._jitter = timeout, jitter
        self._context: ssl.SSLContext | None = None
        self._made_for(os.getpid())

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self._connection: http.client.HTTPConnection | None = None
        self._used = 0.0
        self._token: str | None = None
        self._authenticates_at = 0.0

    @property
    def name(self) -> str:
        """The first endpoint, as messages name the cluster."""
        secure, host, port = self._endpoints[0]
        return f"{'https' if secure else 'http'}://{host}:{port}"

    def call(self, path: str, body: Mapping[str, Any], *, writes: bool = False) -> dict[str, Any]:
        """Call the gateway; raise `StoreLostError`, or `StoreUnsureError` for a write."""
        if self._pid != os.getpid():
            self._made_for(os.getpid())  # the parent's sockets are dropped, not spoken on
        if self._user is not None and self._token is None:
            self._authenticate()
        try:
            return self._called(path, body, writes=writes)
        except _TokenError:
            now = time.monotonic()
            if self._authenticates_at == 0.0:
                self._authenticates_at = now + random.uniform(0.0, self._jitter)
            if now < self._authenticates_at:
                raise StoreLostError(f"{self.name}: waits a while to authenticate anew") from None
            self._authenticate()
            try:
                return self._called(path, body, writes=writes)
            except _TokenError:
                raise StoreLostError(f"{self.name}: refuses the token that it gave") from None

    def watch(self, prefix: str, revision: int) -> "Watch":
        """Begin to watch a prefix from a revision on; raise `StoreLostError`."""
        if self._user is not None and self._token is None:
            self._authenticate()
        connection = self._connected(self._endpoints[0])
        request = {
            "create_request": {
                "key": b64(prefix),
                "range_end": end_of(prefix),
                "start_revision": str(revision),
            }
        }
        try:
            connection.request("POST", "/v3/watch", json.dumps(request), self._headers(watch=True))
            response = connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            connection.close()
            raise StoreLostError(f"{self.name}: {_reason(error)}") from None
        return Watch(connection, response)

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.close()

    # ------------------------------------------------------------------ within

    def _authenticate(self) -> None:
        password = self._password() if callable(self._password) else self._password
        body = {"name": self._user, "password": password or ""}
        self._token = None
        answer = self._called("/v3/auth/authenticate", body, writes=False)
        self._token = str(answer.get("token", ""))
        self._authenticates_at = 0.0

    def _called(self, path: str, body: Mapping[str, Any], *, writes: bool) -> dict[str, Any]:
        reason = "no endpoint answers"
        data = json.dumps(body)
        for _ in range(len(self._endpoints) + 1):
            old = time.monotonic() - self._used > _IDLE
            if self._connection is not None and writes and old:
                self.close()
            try:
                if self._connection is None:
                    self._connection = self._connected(self._endpoints[0])
                connection = self._connection
            except OSError as error:
                reason = _reason(error)
                self._turn()
                continue
            try:
                connection.request("POST", path, data, self._headers())
                response = connection.getresponse()
                text = response.read()
                self._used = time.monotonic()
                return _understood(response.status, text)
            except (OSError, http.client.HTTPException) as error:
                reason = _reason(error)
                self._turn()
                if writes:
                    raise StoreUnsureError(f"{self.name}: {reason}") from None
            except _LeaderError as error:
                reason = str(error)
                self._turn()
                if writes:
                    raise StoreUnsureError(f"{self.name}: {reason}") from None
        raise StoreLostError(f"{self.name}: {reason}")

    def _turn(self) -> None:
        """Go on with the next endpoint."""
        self.close()
        self._endpoints = [*self._endpoints[1:], self._endpoints[0]]

    def _connected(self, endpoint: tuple[bool, str, int]) -> http.client.HTTPConnection:
        secure, host, port = endpoint
        if not secure:
            connection = http.client.HTTPConnection(host, port, timeout=self._timeout)
        else:
            if self._context is None:
                ca, cert, key = self._tls
                self._context = ssl.create_default_context(cafile=ca)
                if cert is not None:
                    self._context.load_cert_chain(cert, key)
            connection = http.client.HTTPSConnection(
                host, port, timeout=self._timeout, context=self._context
            )
        connection.connect()
        connection.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def _headers(self, *, watch: bool = False) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = self._token
        if watch:  # a node that is cut off from its majority ends the watch, rather than be silent
            headers["Grpc-Metadata-hasleader"] = "true"
        return headers


class Watch:
    """One stream of changes; it only makes things fast, and a look makes them right."""

    def __init__(
        self, connection: http.client.HTTPConnection, response: http.client.HTTPResponse
    ) -> None:
        self._connection = connection
        self._response = response
        self._socket = connection.sock
        self.ended = False

    def wait(self, seconds: float) -> bool:
        """Return whether something was told within so many seconds."""
        pending = getattr(self._socket, "pending", None)
        if not (pending is not None and pending()):
            try:
                ready, _, _ = select.select([self._socket], [], [], seconds)
            except (OSError, ValueError):
                self.ended = True
                return True
            if not ready:
                return False
        try:
            line = self._response.readline()
            found: Any = json.loads(line) if line else None
        except (OSError, ValueError, http.client.HTTPException):
            found = None
        if not is_dict(found) or "error" in found:
            self.ended = True
            return True
        result: dict[str, Any] = found.get("result") or {}
        if result.get("canceled"):
            self.ended = True
            return True
        return bool(result.get("events"))

    def close(self) -> None:
        """End the stream."""
        with suppress(OSError):
            self._response.close()
        self._connection.close()


class _TokenError(Exception):
    """The token is not, or no longer, good."""


class _LeaderError(Exception):
    """The endpoint cannot answer now: it has no leader, or too much to do."""


def _understood(status: int, text: bytes) -> dict[str, Any]:
    try:
        answer: Any = json.loads(text)
    except ValueError:
        raise StoreLostError(f"etcd: answers with status {status} and no JSON") from None
    if not is_dict(answer):
        raise StoreLostError("etcd: answers with no object")
    if status == 200:
        return answer
    code = answer.get("code")
    message = str(answer.get("message") or answer.get("error") or f"status {status}")
    if status == 401 or code == 16:
        raise _TokenError
    if status in (500, 503, 504) and code in (4, 14, 2):
        raise _LeaderError(message)
    raise StoreLostError(f"etcd: {message}")


def _endpoint(text: str) -> tuple[bool, str, int]:
    parts = urlsplit(text if "//" in text else f"http://{text}")
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
        raise OptionError("an endpoint of etcd is written as http://127.0.0.1:2379")
    return parts.scheme == "https", parts.hostname, parts.port or 2379


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        return "its certificate is not signed by who is trusted here: ca="
    if isinstance(error, ssl.SSLError):
        return "does not speak TLS as expected: http:// or https://"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno)
    return type(error).__name__
