"""An open-loop load: requests begin at their appointed times, whatever became of those before.

Takes ports and resources, keeps an account of each. It must never retry, nor wait for an answer
before it asks the next question; only a machine that cannot keep up is spared the next ones.
"""

import asyncio
import json
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Account", "Load", "Target"]

TIMEOUT = 15.0
"""Seconds after which a request has failed."""

MOST_AT_ONCE = 48
"""Requests under way at which the next is left out: several times what an idle machine has."""

KEPT = 5.0
"""Seconds for which an idle connection is kept; the servers keep it longer."""

SLOW, SLOW_SHARE = 0.3, 0.1
"""Seconds that a slow question takes the server, and the share of them: some outlast any reload."""

VERY_SLOW, VERY_SLOW_EVERY = 1.6, 1000
"""Seconds that a question takes which outlasts a whole edit and the next, and how rare they are."""


@dataclass(frozen=True, slots=True)
class Target:
    """A resource in the app that serves on a port."""

    port: int
    resource: str


@dataclass(slots=True)
class Account:
    """What the requests for one resource came to."""

    requests: int = 0
    outlasted: int = 0
    errors: list[str] = field(default_factory=list[str])
    torn: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    slowest: float = 0.0

    def add(self, said: dict[str, Any], seconds: float) -> None:
        """Check an answer: all of it must belong to one version.

        `seconds` are what it took beyond what it was asked to take.
        """
        self.requests += 1
        self.outlasted += said["outlasted"]
        self.slowest = max(self.slowest, seconds)
        whole = said["said"] == said["wanted"] and said["number"] == said["end"] and said["same"]
        if not whole:
            self.torn.append(said)


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter, float]


class Load:
    """The requests for all targets, at an even pace.

    `first` is when each configuration was first seen, by port (monotonic seconds): the end of an
    answer, less the seconds that it was asked to take. `left_out` counts what was not asked.
    """

    def __init__(self, targets: Sequence[Target], rate: float, seed: int = 1) -> None:
        self.accounts = {target.resource: Account() for target in targets}
        self.left_out = 0
        self.first: dict[int, dict[int, float]] = {target.port: {} for target in targets}
        self._targets = targets
        self._rate = rate
        self._under_way = 0
        self._dice = random.Random(seed)
        self._idle: dict[int, list[Connection]] = {target.port: [] for target in targets}

    def run(self, over: threading.Event) -> None:
        """Ask until told to stop, and wait for the last answers."""
        asyncio.run(self._run(over))

    def seen(self, port: int, number: int) -> float | None:
        """Return when an answer first came from this configuration or a later one."""
        times = [at for one, at in list(self.first[port].items()) if one >= number]
        return min(times, default=None)

    async def _run(self, over: threading.Event) -> None:
        begun, count = time.monotonic(), 0
        order: list[Target] = []
        async with asyncio.TaskGroup() as group:
            while not over.is_set():
                due = begun + count / self._rate
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                order = order or self._dice.sample(self._targets, len(self._targets))
                count += 1
                if self._under_way >= MOST_AT_ONCE:
                    self.left_out += 1
                    continue
                self._under_way += 1
                group.create_task(self._ask(order.pop(), self._seconds(count)))
        for idle in self._idle.values():
            for _, writer, _ in idle:
                writer.close()
                await writer.wait_closed()

    def _seconds(self, count: int) -> float:
        if count % VERY_SLOW_EVERY == VERY_SLOW_EVERY // 2:
            return VERY_SLOW
        return SLOW if self._dice.random() < SLOW_SHARE else 0.0

    async def _ask(self, target: Target, seconds: float) -> None:
        account, begun = self.accounts[target.resource], time.monotonic()
        try:
            async with asyncio.timeout(TIMEOUT):
                said = await self._answer(target, seconds)
        except (OSError, ValueError, KeyError, asyncio.IncompleteReadError) as error:
            account.requests += 1
            account.errors.append(f"{type(error).__name__}: {error}")
            return
        finally:
            self._under_way -= 1
        now = time.monotonic()
        account.add(said, now - begun - seconds)
        first = self.first[target.port]
        first[said["number"]] = min(now - seconds, first.get(said["number"], now))

    async def _answer(self, target: Target, seconds: float) -> dict[str, Any]:
        reader, writer = await self._connection(target.port)
        try:
            path = f"/ask/{target.resource}?seconds={seconds}"
            writer.write(f"GET {path} HTTP/1.1\r\nHost: soak\r\n\r\n".encode())
            head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
            length = int(head.partition("content-length:")[2].split("\r\n")[0])
            body = await reader.readexactly(length)
            status = head.split(" ", 2)[1]
            if status != "200":
                raise ValueError(f"status {status}: {body[:80]!r}")
            said: dict[str, Any] = json.loads(body)
        except BaseException:
            writer.close()
            raise
        self._idle[target.port].append((reader, writer, time.monotonic()))
        return said

    async def _connection(self, port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        idle = self._idle[port]
        while idle and idle[0][2] < time.monotonic() - KEPT:
            idle.pop(0)[1].close()
        if idle:
            reader, writer, _ = idle.pop()
            return reader, writer
        return await asyncio.open_connection("127.0.0.1", port)
