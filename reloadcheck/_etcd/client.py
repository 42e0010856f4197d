"""Call a cluster of etcds over HTTP, at whichever of its endpoints answers.

Knows keys and bytes alone: boards are `stores/etcd`'s, configurations `sources/etcd`'s. One call at
a time, from one thread; a forked child has connections of its own. Every exchange has an end of its
own, since a stopped server is never noticed by TCP. It never repeats a write whose answer was lost.
"""

import http.client
import json
import os
import socket
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from typing import Any, Final

from .._runtime.deadline import Deadline, TimedSocket, connected
from .._runtime.tls import TLSFiles, TLSFilesError
from ..exceptions import OptionError, StoreLostError, StoreUnsureError
from .tokens import CHANCE, SlowError, token_for
from .watch import Watch
from .wire import LeaderError, TokenError, answer_of, b64, end_of, endpoint_of, reason_of

__all__ = ["Etcd"]

TIMEOUT: Final = 2.0

_IDLE: Final = 1.0
"""Seconds after which a connection may have been cut: no write is tried on an old one."""

_SHAKEN: Final = 60.0
"""Seconds after a broken connection in which a lost token tells of a restart."""

_MOST: Final = 64 * 2**20

Endpoint = tuple[bool, str, int]


class Etcd:
    """A client of one cluster. `timeout` bounds each exchange with one endpoint, all of it.

    `password` may be a function. Files for TLS are read anew when they change. `connections` counts
    those that were made: only over one that has lasted is a revision sure not to have gone back.
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
    ) -> None:
        named = [endpoints] if isinstance(endpoints, str) else list(endpoints)
        if not named:
            raise OptionError("name at least one endpoint of etcd, as http://127.0.0.1:2379")
        self._endpoints = [endpoint_of(one) for one in named]
        self._name = _shown(self._endpoints[0])
        self._user = user
        self._token = token_for(frozenset(self._endpoints), user, password)
        # A thousand workers with one list would all ask the first.
        first = CHANCE.randrange(len(named))
        self._endpoints = [*self._endpoints[first:], *self._endpoints[:first]]
        self._tls = TLSFiles(ca, cert, key)
        self._timeout = timeout
        self._connection: http.client.HTTPConnection | None = None
        self._socket: TimedSocket | None = None
        self._made_for(os.getpid())

    def _made_for(self, pid: int) -> None:
        self._pid = pid
        self.connections = 0
        self.date: str | None = None
        self._used = 0.0
        self._shaken = -_SHAKEN

    @property
    def name(self) -> str:
        """The first endpoint that was named, as messages name the cluster."""
        return self._name

    @property
    def asks(self) -> str:
        """The endpoint that is asked at present."""
        return _shown(self._endpoints[0])

    def singles(self) -> tuple["Etcd", ...]:
        """Return a client for each endpoint by itself, for who looks at them one by one."""
        found: list[Etcd] = []
        for endpoint in sorted(self._endpoints):
            one = copy(self)
            one._endpoints, one._name = [endpoint], _shown(endpoint)
            one._connection = one._socket = None
            found.append(one)
        return tuple(found)

    def call(self, path: str, body: Mapping[str, Any], *, writes: bool = False) -> dict[str, Any]:
        """Call the gateway; raise `StoreLostError`, or `StoreUnsureError` for a write."""
        if self._pid != os.getpid():
            self.close()  # this process's copies; the parent's connection goes on
            self._made_for(os.getpid())
        token = self._authorized()
        try:
            return self._called(path, body, token, writes=writes)
        except TokenError as error:
            self._refuse(token, error)
        token = self._authorized()
        try:
            return self._called(path, body, token, writes=writes)
        except TokenError:
            pass
        raise StoreLostError(f"{self.name}: refuses the token that it gave: user=, password=")

    def watch(self, key: str, revision: int, *, below: bool = True) -> Watch:
        """Begin to watch a key, or all `below` it, from a revision on; raise `StoreLostError`."""
        create = {"key": b64(key), "start_revision": str(revision)}
        if below:
            create["range_end"] = end_of(key)
        headers = self._headers(self._authorized())
        # A node that is cut off from its majority ends the watch, rather than be silent.
        headers["Grpc-Metadata-hasleader"] = "true"
        endpoint = self._endpoints[0]
        deadline = Deadline(self._timeout)
        try:
            sock = self._connected(endpoint, deadline)
        except (OSError, TLSFilesError) as error:
            raise StoreLostError(f"{_shown(endpoint)}: {_reason(error)}") from None
        try:
            lines = {"Host": _shown(endpoint).partition("//")[2], **headers}
            request = json.dumps({"create_request": create})
            watch = Watch(sock, "/v3/watch", lines, request, deadline)
        except (OSError, ValueError) as error:
            sock.close()
            raise StoreLostError(f"{_shown(endpoint)}: {_reason(error)}") from None
        watch.endpoint = _shown(endpoint)
        return watch

    def close(self) -> None:
        """Let go of the connection."""
        connection, self._connection = self._connection, None
        timed, self._socket = self._socket, None
        if connection is not None:
            connection.close()
        if timed is not None:
            timed.sock.close()

    # ------------------------------------------------------------------ within

    def _authorized(self) -> str | None:
        if self._token is None:
            return None
        try:
            return self._token.get(self._authenticated)
        except SlowError:
            raise
        except StoreLostError as error:
            text = str(error)
            text = text if "//" in text else f"{self.name}: {text}"
        raise StoreLostError(f"{text} (user {self._user!r})")

    def _authenticated(self, password: str) -> str:
        body = {"name": self._user, "password": password}
        try:
            answer = self._called("/v3/auth/authenticate", body, None, writes=False)
        except TokenError:
            raise StoreLostError(f"{self.name}: authentication failed") from None
        return str(answer.get("token", ""))

    def _refuse(self, token: str | None, error: TokenError) -> None:
        if self._token is None or token is None:
            raise StoreLostError(f"{self.name}: wants a user: user=, password=") from None
        shaken = time.monotonic() - self._shaken < _SHAKEN
        self._token.drop(token, herd=shaken or error.everybody)

    def _called(
        self, path: str, body: Mapping[str, Any], token: str | None, *, writes: bool
    ) -> dict[str, Any]:
        data, headers = json.dumps(body), self._headers(token)
        if writes and time.monotonic() - self._used > _IDLE:
            self.close()
        failed: list[str] = []
        slow = False
        while len(failed) < len(self._endpoints):
            endpoint, kept = self._endpoints[0], self._connection is not None
            try:
                deadline = Deadline(self._timeout)
                connection = self._ready(endpoint, deadline)
            except (OSError, TLSFilesError) as error:
                self._shaken = time.monotonic()
                slow = slow or isinstance(error, TimeoutError)
                failed.append(f"{_shown(endpoint)}: {_reason(error)}")
                self._turn()
                continue
            reason: str
            try:
                connection.request("POST", path, data, headers)
                response = connection.getresponse()
                text = response.read(_MOST + 1)
                self._used, self.date = time.monotonic(), response.getheader("Date")
                if response.will_close:
                    self.close()
                if len(text) > _MOST:
                    self.close()
                    raise StoreLostError(f"{_shown(endpoint)}: answers with more than 64 MiB")
                return answer_of(response.status, text, _shown(endpoint))
            except (OSError, http.client.HTTPException) as error:
                self._shaken = time.monotonic()
                reason = _reason(error)
                slow = slow or isinstance(error, TimeoutError)
                if kept and not writes and not isinstance(error, TimeoutError):
                    self.close()  # it was cut while nobody spoke
                    continue
            except LeaderError as error:
                reason = str(error)
            failed.append(f"{_shown(endpoint)}: {reason}")
            self._turn()
            if writes:
                raise StoreUnsureError(failed[-1])
        kind = SlowError if slow else StoreLostError
        raise kind("; ".join(dict.fromkeys(failed)))

    def _turn(self) -> None:
        """Go on with the next endpoint."""
        self.close()
        self._endpoints = [*self._endpoints[1:], self._endpoints[0]]

    def _ready(self, endpoint: Endpoint, deadline: Deadline) -> http.client.HTTPConnection:
        if self._connection is None or self._socket is None:
            _, host, port = endpoint
            self._socket = TimedSocket(self._connected(endpoint, deadline), deadline)
            self._connection = http.client.HTTPConnection(host, port)
            self.connections += 1
        self._connection.sock = self._socket  # which an answer that ends it has taken away
        self._socket.deadline = deadline
        return self._connection

    def _connected(self, endpoint: Endpoint, deadline: Deadline) -> socket.socket:
        secure, host, port = endpoint
        context = self._tls.context() if secure else None
        sock = connected(host, port, deadline)
        try:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if context is not None:
                sock.settimeout(deadline.left())
                return context.wrap_socket(sock, server_hostname=host)
        except BaseException:
            sock.close()
            raise
        return sock

    def _headers(self, token: str | None) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if token:
            headers["Authorization"] = token
        return headers


def _shown(endpoint: Endpoint) -> str:
    secure, host, port = endpoint
    shown = f"[{host}]" if ":" in host else host
    return f"{'https' if secure else 'http'}://{shown}:{port}"


def _reason(error: Exception) -> str:
    return str(error) if isinstance(error, TLSFilesError) else reason_of(error)
