"""Asks servers over HTTP without holding up anybody: thousands of requests from one event loop.

Takes ports, gives what was answered and when. A request over a new connection is never retried.
"""

import asyncio
import json
import re
import time
from dataclasses import dataclass, field

from tests.support.load import Answer

__all__ = ["Answer", "Client", "Poll", "Stream"]

TIMEOUT = 20.0
_LENGTH = re.compile(rb"(?i)\r\ncontent-length: *(\d+)")
_LINE = re.compile(rb'\{"pid[^}]*\}')


class Client:
    """A client that keeps its connection, and so its worker, where the server lets it.

    `worker` is the pid of the process that a poll is to ask over it, if that matters.
    """

    def __init__(self, port: int) -> None:
        self.worker: int | None = None
        self._port = port
        self._reader: asyncio.StreamReader | None = None
        self._writer: asyncio.StreamWriter | None = None

    async def ask(self, path: str = "/") -> Answer:
        """Make a request; raise `OSError` when there is no whole answer with status 200.

        A server may close a kept connection just when a request comes over it: that one is made
        once more, over a new one.
        """
        begun = time.monotonic()
        kept = self.connected
        async with asyncio.timeout(TIMEOUT):
            try:
                return await self._ask(path, begun)
            except ConnectionError:
                if not kept:
                    raise
            return await self._ask(path, begun)

    async def _ask(self, path: str, begun: float) -> Answer:
        try:
            reader, writer = await self._connected()
            writer.write(f"GET {path} HTTP/1.1\r\nHost: rig\r\n\r\n".encode())
            head = await reader.readuntil(b"\r\n\r\n")
            body = await reader.readexactly(int(_LENGTH.findall(head)[0]))
        except (OSError, asyncio.IncompleteReadError, IndexError) as error:
            self.close()
            raise ConnectionError(f"no whole answer: {error}") from error
        status = head.splitlines()[0]
        if b" 200 " not in status:
            self.close()
            raise OSError(status.decode())
        answer = Answer(begun, time.monotonic(), json.loads(body))
        if head.startswith(b"HTTP/1.0") or b"connection: close" in head.lower():
            self.close()
        return answer

    async def _connected(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self._reader is not None and self._writer is not None:
            if not self._reader.at_eof():  # a server may have closed it at a moment of its own
                return self._reader, self._writer
            self.close()
        self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        return self._reader, self._writer

    @property
    def connected(self) -> bool:
        """Return whether the connection was kept after the last answer."""
        return self._writer is not None

    def close(self) -> None:
        """Close the connection; the next request opens another."""
        if self._writer is not None:
            self._writer.close()
        self._reader = self._writer = None


@dataclass(slots=True)
class Poll:
    """Clients that ask at a steady pace until `stop`; they collect answers and failures."""

    clients: list[Client]
    pace: float
    answers: list[Answer] = field(default_factory=list[Answer])
    failures: list[str] = field(default_factory=list[str])
    _tasks: list["asyncio.Task[None]"] = field(default_factory=list["asyncio.Task[None]"])

    def start(self) -> None:
        """Begin to ask."""
        self._tasks = [asyncio.create_task(self._ask(client)) for client in self.clients]

    async def stop(self) -> None:
        """End, once every request has its answer."""
        tasks, self._tasks = self._tasks, []
        await asyncio.gather(*tasks)
        for client in self.clients:
            client.close()

    def first(self, number: int) -> dict[int, float]:
        """Return when each worker was first seen with this configuration, by its pid."""
        found: dict[int, float] = {}
        for answer in self.answers:
            if answer.number == number:
                found[answer.worker] = min(answer.ended, found.get(answer.worker, answer.ended))
        return found

    async def _ask(self, client: Client) -> None:
        mine = asyncio.current_task()
        while mine in self._tasks:
            begun = time.monotonic()
            try:
                answer = await client.ask()
                self.answers.append(answer)
                if client.worker not in (None, answer.worker):
                    client.close()  # its connection had been closed, and this is somebody else's
            except OSError as error:
                self.failures.append(f"{type(error).__name__}: {error}")
            await asyncio.sleep(max(0.0, begun + self.pace - time.monotonic()))


class Stream:
    """A response without an end, read in the background until the server breaks it off."""

    def __init__(self) -> None:
        self.numbers: list[int] = []
        self._task: asyncio.Task[None] | None = None

    async def open(self, port: int) -> None:
        """Have the server begin; returns with the first line."""
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(b"GET /stream HTTP/1.1\r\nHost: rig\r\n\r\n")
        first = asyncio.Event()
        self._task = asyncio.create_task(self._read(reader, writer, first))
        async with asyncio.timeout(TIMEOUT):
            await first.wait()

    async def _read(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, first: asyncio.Event
    ) -> None:
        rest = b""
        try:
            while piece := await reader.read(65_536):
                rest += piece
                for line in _LINE.findall(rest):
                    self.numbers.append(json.loads(line)["number"])
                    first.set()
                rest = rest[rest.rfind(b"}") + 1 :]
        except ConnectionError:
            return
        finally:
            writer.close()

    async def ended(self) -> None:
        """Wait until the server has broken it off."""
        if self._task is not None:
            await self._task

    async def close(self) -> None:
        """Stop reading."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
