"""What goes over the wire: keys and values for the gateway, and what its answers mean.

Pure. Takes a status and bytes, gives a JSON object or raises what there is to do about it.
"""

import base64
import json
import os
import ssl
from typing import Any, Final
from urllib.parse import urlsplit

from .._config.containers import is_dict
from ..exceptions import OptionError, StoreLostError, StoreRefusedError

__all__ = [
    "LeaderError",
    "TokenError",
    "answer_of",
    "b64",
    "end_of",
    "endpoint_of",
    "reason_of",
    "unb64",
]


_TOO_MUCH: Final = ("request is too large", "too many operations", "message larger than max")


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


class TokenError(Exception):
    """The token is not, or no longer, good; `everybody`: nor is anybody else's."""

    def __init__(self, *, everybody: bool = False) -> None:
        super().__init__()
        self.everybody = everybody


class LeaderError(Exception):
    """The endpoint cannot answer now: it has no leader, or too much to do."""


def answer_of(status: int, data: bytes, endpoint: str) -> dict[str, Any]:
    """Return the object that was answered; raise what stands in its place."""
    found: Any = None
    try:
        found = json.loads(data)
    except ValueError:
        if b"CommonName of client" in data:
            words = "refuses a client's certificate with a common name: use one without"
            raise StoreLostError(f"{endpoint}: {words}") from None
    if not is_dict(found):
        raise StoreLostError(f"{endpoint}: answers with status {status} and no JSON: is it etcd?")
    if status == 200:
        return found
    code = found.get("code")
    message = str(found.get("message") or found.get("error") or f"status {status}")
    message = message.removeprefix("etcdserver: ")
    if status == 401 or code == 16:
        raise TokenError
    if "revision of auth store is old" in message:  # somebody changed a user or a role
        raise TokenError(everybody=True)
    if code == 7:
        message = "permission denied: no role of its user (user=) may do this to these keys"
    if "database space exceeded" in message:
        message = "its database is full: compact and defragment it, then disarm the alarm NOSPACE"
    if status in (500, 503, 504) and code in (2, 4, 14):
        raise LeaderError(message)
    if any(words in message for words in _TOO_MUCH):
        raise StoreRefusedError(f"{endpoint}: {message}")
    raise StoreLostError(f"{endpoint}: {message}")


def endpoint_of(text: str) -> tuple[bool, str, int]:
    """Read an endpoint: whether it speaks TLS, its host and its port; raise `OptionError`."""
    try:
        parts = urlsplit(text if "//" in text else f"http://{text}")
        bare = not (parts.username or parts.path.strip("/") or parts.query)
        if parts.scheme in ("http", "https") and parts.hostname and bare:
            return parts.scheme == "https", parts.hostname, parts.port or 2379
    except ValueError:
        pass
    raise OptionError("an endpoint of etcd is written as http://127.0.0.1:2379") from None


def reason_of(error: Exception) -> str:
    """Say why an endpoint did not answer, and which option that is about."""
    if isinstance(error, TimeoutError):
        return "does not answer in time"
    if isinstance(error, ssl.SSLCertVerificationError):
        if error.verify_code == 62 or error.verify_code == 64:
            return "its certificate is one of another host"
        return f"its certificate is not trusted here ({error.verify_message}): ca="
    if isinstance(error, ssl.SSLError):
        why = str(error.reason or "")
        if "CERTIFICATE_REQUIRED" in why or why.endswith("BAD_CERTIFICATE"):
            return "wants a client's certificate: cert=, key="
        if why.endswith(("UNKNOWN_CA", "CERTIFICATE_UNKNOWN", "CERTIFICATE_EXPIRED")):
            return "does not trust the client's certificate: cert=, key="
        return "does not speak TLS as expected: http:// or https://"
    if isinstance(error, ConnectionResetError):  # http.client's own word for it is one
        return "ends the connection without an answer: http:// or https://"
    if isinstance(error, OSError) and error.errno:
        return os.strerror(error.errno).lower()
    return f"breaks the connection off ({type(error).__name__})"
