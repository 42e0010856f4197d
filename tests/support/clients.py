"""Async clients that know where they were made, and how to wait in a loop."""

import asyncio
import time
from collections.abc import AsyncIterator
from typing import Any

from reloadcheck import Outcome, ReloadCheck
from tests.support.rig import SECONDS


class Client:
    """An async client that knows the task and loop it was made in."""

    def __init__(self, value: int) -> None:
        self.value = value
        self.task = asyncio.current_task()
        self.loop = asyncio.get_running_loop()
        self.open = True


class Clients:
    """An engine with one async resource on `a`, and all clients that were ever made."""

    def __init__(self, live: "ReloadCheck[Any]") -> None:
        self.live = live
        self.made: list[Client] = []
        self.closing_tasks: list[object] = []
        self.client = live.resource("a", name="client", timeout=5.0)(self._client)

    async def _client(self, a: int) -> AsyncIterator[Client]:
        client = Client(a)
        self.made.append(client)
        try:
            yield client
        finally:
            client.open = False
            self.closing_tasks.append(asyncio.current_task())

    @property
    def open(self) -> list[int]:
        """Return the values of the open ones."""
        return [client.value for client in self.made if client.open]


async def abegin(live: "ReloadCheck[Any]") -> None:
    """Start the engine and see its second check end."""
    await live.astart()
    assert await live.acheck() is Outcome.UNCHANGED


async def areload(live: "ReloadCheck[Any]") -> None:
    """Have an edit go live and see the check that follows end."""
    await live.acheck()
    assert await live.acheck() is Outcome.UNCHANGED


async def auntil(condition: Any) -> None:
    """Wait in the loop for other threads to make it true."""
    ends = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < ends, "it does not come true"
        await asyncio.sleep(0.001)
