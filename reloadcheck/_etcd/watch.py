"""One stream of changes; it only makes things fast, and a range makes them right.

Takes a connected socket, sends one request and reads what comes as long as it comes, a JSON object
a line in HTTP's chunks. It reads only what is there, so that nobody hangs on half a line.
"""

import json
import select
import socket
import ssl
from collections.abc import Mapping
from contextlib import suppress
from typing import Any, Final

from .._config.containers import is_dict
from .._runtime.deadline import Deadline

__all__ = ["Watch"]

_PORTION: Final = 65536
_LONGEST_HEAD: Final = 65536


class Watch:
    """A watch that was asked for; `ended` once it tells nothing more, for whatever reason.

    `told` is set by every event, and taken back by whoever has heard of it.
    """

    def __init__(
        self,
        sock: socket.socket,
        path: str,
        headers: Mapping[str, str],
        body: str,
        deadline: Deadline,
    ) -> None:
        self._socket = sock
        self._data = bytearray()
        self._line = bytearray()
        self._left: int | None = None
        self.endpoint = ""
        self.ended = self.told = False
        lines = [f"POST {path} HTTP/1.1", *(f"{name}: {text}" for name, text in headers.items())]
        lines += [f"Content-Length: {len(body)}", "", body]
        sock.settimeout(deadline.left())
        sock.sendall("\r\n".join(lines).encode("latin-1"))
        self._begin(deadline)

    def _begin(self, deadline: Deadline) -> None:
        """Read the head of the answer."""
        while b"\r\n\r\n" not in self._data:
            self._socket.settimeout(deadline.left())
            part = self._socket.recv(_PORTION)
            if not part or len(self._data) > _LONGEST_HEAD:
                raise ConnectionResetError
            self._data += part
        head, _, rest = bytes(self._data).partition(b"\r\n\r\n")
        self._data = bytearray(rest)
        if b" 200 " not in head.split(b"\r\n")[0] + b" " or b"chunked" not in head.lower():
            raise ValueError("no stream")

    def wait(self, seconds: float, or_for: socket.socket | None = None) -> list[dict[str, Any]]:
        """Wait at most so long, and return the events that have come; `ended` may be set.

        Something to be read from `or_for` ends the wait, too.
        """
        events: list[dict[str, Any]] = []
        self._take_lines(events)  # what came with the head of the answer
        if self.ended or events or not self._readable(seconds, or_for):
            return events
        while not self.ended and self._readable(0.0):
            self._receive()
            self._take_lines(events)
            if events:
                break
        return events

    def close(self) -> None:
        """End the stream."""
        self.ended = True
        with suppress(OSError):
            self._socket.close()

    def _readable(self, seconds: float, or_for: socket.socket | None = None) -> bool:
        if isinstance(self._socket, ssl.SSLSocket) and self._socket.pending():
            return True
        try:
            poll = select.poll()  # `select` takes no descriptor beyond a thousand
            for one in (self._socket, or_for):
                if one is not None:
                    poll.register(one, select.POLLIN)
            found = poll.poll(max(seconds, 0.0) * 1000)
            return any(descriptor == self._socket.fileno() for descriptor, _ in found)
        except (OSError, ValueError):
            self.ended = True
            return False

    def _receive(self) -> None:
        try:
            self._socket.settimeout(0.0)
            part = self._socket.recv(_PORTION)
        except (BlockingIOError, ssl.SSLWantReadError):
            return  # a record of TLS that is not whole yet
        except OSError:
            part = b""
        self.ended = self.ended or not part
        self._data += part

    def _lines(self) -> list[bytes]:
        """Take whole lines out of the chunks that have come."""
        while True:
            if self._left is None:
                size, found, rest = self._data.partition(b"\r\n")
                if not found:
                    break
                try:
                    self._left = int(size.split(b";")[0], 16)
                except ValueError:
                    self._left = 0
                self._data = rest
                self.ended = self.ended or self._left == 0
            if self.ended or len(self._data) < self._left + 2:
                break
            self._line += self._data[: self._left]
            del self._data[: self._left + 2]
            self._left = None
        *lines, last = bytes(self._line).split(b"\n")
        self._line = bytearray(last)
        return lines

    def _take_lines(self, events: list[dict[str, Any]]) -> None:
        for line in self._lines():
            self._take(line, events)

    def _take(self, line: bytes, events: list[dict[str, Any]]) -> None:
        found: Any = None
        with suppress(ValueError):
            found = json.loads(line)
        if not is_dict(found) or "error" in found:
            self.ended = True
            return
        result: Any = found.get("result")
        if is_dict(result):
            self.ended = self.ended or bool(result.get("canceled"))
            events.extend(result.get("events") or ())
            self.told = self.told or bool(events)
