"""One running server of a trial: waits until it answers, asks each of its workers, and ends it."""

import asyncio
import signal
import time

from tests.support.processes import group_runs
from tests.support.servers import Server

from .asking import Answer, Client, Poll, Stream
from .catalog import Kind

__all__ = ["Side"]

PACE = 0.03
START_SECONDS, STOP_SECONDS, GONE_SECONDS = 40.0, 30.0, 30.0


class Side:
    """One server, with us or without; `workers` are the pids that answered."""

    def __init__(self, server: Server, kind: Kind) -> None:
        self.server = server
        self.kind = kind
        self.stream = Stream()
        self.poll = Poll([], PACE)
        self.workers: set[int] = set()
        self._clients: list[Client] = []

    def client(self) -> Client:
        """Return a client, which is closed with all others at the latest."""
        self._clients.append(Client(self.server.port))
        return self._clients[-1]

    async def close(self) -> None:
        """Stop asking, whatever has happened."""
        await self.poll.stop()
        await self.stream.close()
        for client in self._clients:
            client.close()

    async def ready(self) -> None:
        """Wait until it answers."""
        deadline = time.monotonic() + START_SECONDS
        client = self.client()
        while not await self._answers(client):
            if self.server.process.poll() is not None or time.monotonic() > deadline:
                raise AssertionError(f"the server did not start:\n{self.server.log}")
            await asyncio.sleep(0.05)
        client.close()

    async def asked(self, path: str) -> Answer:
        """Ask once."""
        client = self.client()
        answer = await client.ask(path)
        client.close()
        return answer

    async def ask_all(self) -> None:
        """Find every worker, and begin to ask each of them."""
        found = await self._find(time.monotonic() + START_SECONDS)
        self.workers = set(found)
        kept = [client for client in found.values() if client.connected]
        if len(kept) < len(found):  # each request takes any worker: ask so often that none idles
            kept = [self.client() for _ in range(3 * len(found))]
        self.poll = Poll(kept, PACE)
        self.poll.start()

    async def stop(self) -> tuple[int, float]:
        """Ask the server to end; give its exit status and the seconds that it took."""
        process = self.server.process
        begun = time.monotonic()
        process.send_signal(signal.SIGTERM)
        while process.poll() is None:
            if time.monotonic() - begun > STOP_SECONDS:
                raise AssertionError(f"the server did not end:\n{self.server.log}")
            await asyncio.sleep(0.005)
        took = time.monotonic() - begun
        await self.stream.ended()
        return process.returncode, took

    async def is_gone(self) -> bool:
        """Return whether nothing is left of the server's process group a moment after its end."""
        deadline = time.monotonic() + GONE_SECONDS
        while group_runs(self.server.process.pid):
            if time.monotonic() > deadline:
                return False
            await asyncio.sleep(0.02)
        return True

    async def _answers(self, client: Client) -> bool:
        try:
            await client.ask()
        except OSError:
            return False
        return True

    async def _find(self, deadline: float) -> dict[int, Client]:
        """Return a client for each worker, by pid; requests that hold theirs spread over all."""
        found: dict[int, Client] = {}
        while len(found) < self.kind.workers:
            if time.monotonic() > deadline:
                raise AssertionError(f"only {len(found)} worker(s) answer:\n{self.server.log}")
            clients = [self.client() for _ in range(2 * self.kind.workers)]
            answers = await asyncio.gather(*(client.ask("/hold") for client in clients))
            for client, answer in zip(clients, answers, strict=True):
                if found.setdefault(answer.worker, client) is not client:
                    client.close()
                client.worker = answer.worker
        return found
