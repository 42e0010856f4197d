"""A small HTTP upstream in a process of its own: `python -m tests.support.upstream`.

Every request needs the right bearer token. `/wait?seconds=0.3` sends half of its answer, waits, and
sends the rest: the caller's own user agent. `/connections` lists the open connections: the user
agent by the client's port. It must never close a connection before its client does.
"""

import asyncio
import json
import os
import secrets
import sys
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import parse_qs, urlsplit

from reloadcheck.demo.workspace import Workspace

from .load import until
from .servers import ROOT

__all__ = ["UpstreamServer", "upstream_server"]

HOST = "127.0.0.1"
TOKEN = "RIG_UPSTREAM_TOKEN"


@dataclass(frozen=True, slots=True)
class UpstreamServer:
    """A running upstream."""

    port: int
    token: str

    @property
    def url(self) -> str:
        """Return its address."""
        return f"http://{HOST}:{self.port}"

    def connections(self) -> dict[int, str]:
        """Return the user agents of the open connections by the client's port, but for this one."""
        connection = HTTPConnection(HOST, self.port, timeout=30)
        try:
            headers = {"Authorization": f"Bearer {self.token}", "User-Agent": "count"}
            connection.request("GET", "/connections", headers=headers)
            said: dict[str, str] = json.loads(connection.getresponse().read())
        finally:
            connection.close()
        return {int(port): agent for port, agent in said.items()}


@contextmanager
def upstream_server() -> Generator[UpstreamServer]:
    """Run an upstream until the block ends."""
    token = secrets.token_urlsafe(18)
    with Workspace.open("reloadcheck-upstream-") as workspace:
        process = workspace.run(
            [sys.executable, "-m", "tests.support.upstream"],
            log="upstream.log",
            env={**os.environ, "PYTHONPATH": str(ROOT), TOKEN: token},
        )
        until(lambda: "\n" in process.log.read_text() or process.status() is not None)
        yield UpstreamServer(int(process.log.read_text()), token)


class _Upstream:
    def __init__(self, token: str) -> None:
        self._authorized = f"Bearer {token}"
        self._open: dict[asyncio.StreamWriter, str] = {}

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Answer the requests of one connection until its client closes it."""
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                await self._answer(head.decode("latin-1"), writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has gone
        finally:
            self._open.pop(writer, None)
            writer.close()

    async def _answer(self, head: str, writer: asyncio.StreamWriter) -> None:
        target = urlsplit(head.split(" ", 2)[1])
        fields = (line.partition(": ") for line in head.split("\r\n")[1:])
        headers = {name.lower(): value for name, _, value in fields}
        agent = self._open[writer] = headers.get("user-agent", "")
        status, body = "200 OK", agent
        if headers.get("authorization") != self._authorized:
            status, body = "401 Unauthorized", "who are you?"
        elif target.path == "/connections":
            others = [(one, agent) for one, agent in self._open.items() if one is not writer]
            body = json.dumps({one.get_extra_info("peername")[1]: agent for one, agent in others})
        half = len(body) // 2
        writer.write(
            f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body[:half]}".encode()
        )
        await writer.drain()
        await asyncio.sleep(float(parse_qs(target.query).get("seconds", ["0"])[0]))
        writer.write(body[half:].encode())
        await writer.drain()


async def _main() -> None:
    upstream = _Upstream(os.environ[TOKEN])
    server = await asyncio.start_server(upstream.serve, HOST, 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_main())
