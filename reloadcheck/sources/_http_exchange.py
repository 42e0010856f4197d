"""One request over HTTP, and one answer, within one time-out for all of it and one size.

Takes where to ask and what to say, gives a status, headers and a whole body, or an `ExchangeError`
whose words quote neither credentials nor content. Never follows to another host.
"""

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.client import (
    HTTPConnection,
    HTTPException,
    HTTPResponse,
    IncompleteRead,
    RemoteDisconnected,
)
from typing import TYPE_CHECKING, Final
from urllib.parse import SplitResult, urljoin, urlsplit

from .._runtime.deadline import Deadline, TimedSocket, connected
from ..types import printable

if TYPE_CHECKING:
    import ssl

__all__ = ["Answer", "ExchangeError", "ask", "origin_of"]

_REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_MOST_REDIRECTS: Final = 5
_PORTION: Final = 64 * 1024
_PORTS: Final = {"http": 80, "https": 443}


class ExchangeError(Exception):
    """Why there is no answer that can be used; the text is for an operator."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back; `whole` is false where only the end of the connection ended the body."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    whole: bool


def ask(
    url: SplitResult,
    headers: Mapping[str, str],
    timeout: float,
    max_bytes: int,
    tls: "ssl.SSLContext | None",
) -> Answer:
    """Ask for a document, following redirects within one host; `timeout` bounds all of it."""
    deadline = Deadline(timeout)
    for _ in range(_MOST_REDIRECTS + 1):
        answer = _once(url, headers, deadline, max_bytes, tls)
        if answer.status not in _REDIRECTS:
            return answer
        try:
            there = urlsplit(urljoin(url.geturl(), answer.headers.get("location", "")))
        except ValueError:  # half of an address in brackets, for one
            raise ExchangeError("redirects to what is no URL") from None
        if origin_of(there) != origin_of(url):
            host = printable(there.hostname or "nowhere")
            raise ExchangeError(f"redirects to {there.scheme}://{host}, which is not followed")
        url = there
    raise ExchangeError(f"redirects more than {_MOST_REDIRECTS} times")


def origin_of(url: SplitResult) -> tuple[str, str | None, int | None]:
    """Return scheme, host and port, the port that is meant where none is written."""
    try:
        port = url.port
    except ValueError:
        port = -1
    return url.scheme, url.hostname, _PORTS.get(url.scheme) if port is None else port


def _once(
    url: SplitResult,
    headers: Mapping[str, str],
    deadline: Deadline,
    max_bytes: int,
    tls: "ssl.SSLContext | None",
) -> Answer:
    _, host, port = origin_of(url)
    connection = HTTPConnection(host or "", port)
    connection.default_port = _PORTS[url.scheme]  # which the Host header does not tell
    sock: socket.socket | None = None
    reason: str
    try:
        sock = connected(host or "", port or 0, deadline)
        if tls is not None:
            sock.settimeout(deadline.left())
            sock = tls.wrap_socket(sock, server_hostname=host)
        connection.sock = TimedSocket(sock, deadline)
        path = (url.path or "/") + (f"?{url.query}" if url.query else "")
        connection.request("GET", path, headers=dict(headers))
        with connection.getresponse() as response:
            return _answer(response, max_bytes)
    except TimeoutError:
        reason = f"has not answered in full within {deadline.seconds:g} s"
    except RemoteDisconnected:
        reason = "closes the connection without an answer"
    except OSError as error:
        reason = _trouble(error)
    except IncompleteRead:
        reason = "the answer broke off"
    except (HTTPException, ValueError):
        reason = "what answers does not speak HTTP"
    finally:
        connection.close()
        if sock is not None:
            sock.close()
    raise ExchangeError(reason)


def _answer(response: HTTPResponse, max_bytes: int) -> Answer:
    headers = {name.lower(): value for name, value in response.getheaders()}
    lengths = {one.strip() for one in response.headers.get_all("content-length") or ()}
    coding = headers.get("transfer-encoding", "chunked").strip().lower()
    sound = all(one.isascii() and one.isdigit() for one in lengths)
    if coding != "chunked" or len(lengths) > 1 or not sound:
        raise ExchangeError("does not tell how long its answer is")
    told = response.length
    parts: list[bytes] = []
    size = 0
    while told is None or size < told:
        part = b"" if (told or 0) > max_bytes else _part(response, told, size)
        size += len(part)
        if max(size, told or 0) > max_bytes:
            raise ExchangeError(f"is larger than max_bytes ({max_bytes} bytes)")
        if not part:
            break
        parts.append(part)
    if size < (told or 0):
        raise ExchangeError("the answer broke off")
    if told is not None and size > told:
        raise ExchangeError("sends more than it says: its Content-Length is wrong")
    whole = told is not None or bool(response.chunked)
    return Answer(response.status, headers, b"".join(parts), whole)


def _part(response: HTTPResponse, told: int | None, size: int) -> bytes:
    """Read on, up to a byte beyond what was told: counted in characters, the end would be lost."""
    if told is None:
        return response.read1(_PORTION)
    return response.fp.read1(min(_PORTION, told + 1 - size))


def _trouble(error: OSError) -> str:
    verified = getattr(error, "verify_message", None)
    if verified:
        return f"its certificate is not trusted: {printable(str(verified))}"
    if isinstance(error, socket.gaierror):
        return "its host name cannot be resolved"
    if type(error).__module__ == "ssl":
        why = str(getattr(error, "reason", "") or "closed")
        return f"the TLS connection failed ({printable(why)})"
    words = (error.strerror or type(error).__name__).lower()
    return f"cannot be reached: {printable(words)}"
