"""Send one POST of a webhook, within one time-out for all of it; follows to no other place.

The words of its errors quote neither the address, which may be a secret, nor an answer.
"""

import http.client
import socket
import threading
from collections.abc import Mapping
from contextlib import suppress
from urllib.parse import SplitResult

from ..types import printable

__all__ = ["PostError", "post"]


class PostError(Exception):
    """Why it was not taken; the text is for an operator."""


def post(url: SplitResult, headers: Mapping[str, str], body: bytes, timeout: float) -> None:
    """Send a body; raise `PostError` unless the answer is one of success."""
    host, path = url.hostname or "", (url.path or "/") + (f"?{url.query}" if url.query else "")
    connection = (
        http.client.HTTPSConnection(host, url.port, timeout=timeout)
        if url.scheme == "https"
        else http.client.HTTPConnection(host, url.port, timeout=timeout)
    )
    over = threading.Timer(timeout, lambda: _cut(connection))  # however slowly an answer drips
    over.daemon = True
    over.start()
    try:
        connection.request("POST", path, body, dict(headers))
        status = connection.getresponse().status
    except TimeoutError:
        raise PostError(f"has not answered within {timeout:g} s") from None
    except http.client.HTTPException:
        raise PostError("has not answered in time, or not by HTTP") from None
    except OSError as error:
        words = (error.strerror or type(error).__name__).lower()
        raise PostError(f"cannot be reached: {printable(words)}") from None
    except (ValueError, AttributeError):  # a header or path that cannot be sent; cut while it reads
        raise PostError("cannot be asked") from None
    finally:
        over.cancel()
        connection.close()
    if not 200 <= status < 300:
        raise PostError(f"answered {status}")


def _cut(connection: http.client.HTTPConnection) -> None:
    sock: socket.socket | None = connection.sock
    with suppress(OSError):
        if sock is not None:
            sock.shutdown(socket.SHUT_RDWR)
