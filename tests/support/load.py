"""A load on one of the rig's servers, and single requests to it.

Takes a port, gives every answer and every failure with its times. It must never retry: a request
that did not get its answer at the first try has failed.
"""

import http.client
import json
import random
import socket
import struct
import threading
import time
from collections.abc import Callable, Generator, Iterable
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote

from websockets.sync.client import ClientConnection, connect

__all__ = ["Answer", "Load", "Stream", "Talk", "get", "numbers", "until", "workers"]

TIMEOUT = 20.0
"""Seconds after which a request has failed."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered request: when it began and ended (monotonic seconds) and what it said."""

    begun: float
    ended: float
    said: dict[str, Any]

    @property
    def worker(self) -> int:
        """Return the pid of the process that answered."""
        return int(self.said["pid"])

    @property
    def number(self) -> int:
        """Return the configuration that the request was served with."""
        return int(self.said["number"])

    @property
    def torn(self) -> bool:
        """Return whether parts of the answer come from different versions, or a closed resource."""
        said = self.said
        same = said["number"] == said["pool"] == said["again"] == said["end"]
        return not same or bool(said["closed"])


def get(port: int, path: str = "/") -> Answer:
    """Make one request on a connection of its own; raise unless the answer is 200 with JSON."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
    try:
        begun = time.monotonic()
        connection.request("GET", path, headers={"Connection": "close"})
        response = connection.getresponse()
        body = response.read()
        ended = time.monotonic()
    finally:
        connection.close()
    if response.status != 200:
        raise http.client.HTTPException(f"status {response.status}")
    return Answer(begun, ended, json.loads(body))


def workers(port: int, path: str = "/") -> dict[int, Answer]:
    """Ask until both workers have answered; give each one's latest answer by its pid."""
    found: dict[int, Answer] = {}

    def all_found() -> bool:
        answer = get(port, path)
        found[answer.worker] = answer
        return len(found) >= 2

    until(all_found)
    return found


def until(condition: Callable[[], bool], seconds: float = 30.0) -> float:
    """Wait for something that another process does; give how long that took, fail if it does not.

    For what has no clock to inject: servers and the kernel.
    """
    begun = time.monotonic()
    while not condition():
        if time.monotonic() - begun > seconds:
            raise AssertionError(f"did not happen within {seconds:g} s")
        time.sleep(0.005)
    return time.monotonic() - begun


@dataclass(slots=True)
class Load:
    """Clients that ask in turn, from enter to exit; `reset` of them break their connections off.

    `pace` is the mean of the seconds between two requests of a client.
    """

    port: int
    clients: int = 4
    pace: float = 0.01
    reset: int = 0
    answers: list[Answer] = field(default_factory=list[Answer])
    failures: list[str] = field(default_factory=list[str])
    resets: int = 0
    _over: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list[threading.Thread])

    def __enter__(self) -> Self:
        targets = [self._ask] * self.clients + [self._break_off] * self.reset
        self._threads = [
            threading.Thread(target=self._run, args=(target, random.Random(seed)), daemon=True)
            for seed, target in enumerate(targets)
        ]
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(TIMEOUT + 5)

    def seen(self, number: int, *, since: float = 0.0) -> set[int]:
        """Return the workers that answered with it a request begun after `since`."""
        return {
            one.worker for one in list(self.answers) if one.number == number and one.begun >= since
        }

    def reaches(self, number: int, everyone: set[int]) -> float:
        """Wait until just these workers have served this configuration; give the seconds."""
        try:
            return until(lambda: self.seen(number) == everyone)
        except AssertionError as error:
            last = [(one.worker, one.number) for one in self.answers[-50:]]
            said = f"{number} at {everyone}; last {sorted(set(last))}; {self.failures[-5:]}"
            raise AssertionError(f"{error}: {said}, seen {self.seen(number)}") from None

    def outlast(self) -> None:
        """Wait until every request that has begun by now is answered."""
        begun = len(self.answers)
        until(lambda: len(self.answers) > begun + 2 * self.clients)

    def worst(self) -> float:
        """Return the longest time that a request took, in seconds."""
        return max(answer.ended - answer.begun for answer in self.answers)

    def _run(self, target: Callable[[random.Random], None], dice: random.Random) -> None:
        while not self._over.is_set():
            target(dice)
            self._over.wait(dice.uniform(0, 2 * self.pace))

    def _ask(self, dice: random.Random) -> None:
        try:
            self.answers.append(get(self.port))
        except (OSError, http.client.HTTPException, ValueError) as error:
            self.failures.append(f"{type(error).__name__}: {error}")

    def _break_off(self, dice: random.Random) -> None:
        """Send a request and reset the connection at some moment of it, without reading."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=TIMEOUT) as connection:
            connection.sendall(b"GET / HTTP/1.1\r\nHost: rig\r\n\r\n"[: dice.choice([30, 30, 12])])
            self._over.wait(dice.uniform(0, 0.004))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.resets += 1


def numbers(answers: Iterable[Answer]) -> list[int]:
    """Return the configurations of the answers, in the order in which the requests began."""
    return [answer.number for answer in sorted(answers, key=lambda answer: answer.begun)]


class Stream:
    """A response that is read line by line while it lasts; it lasts until `open_gate()`."""

    def __init__(self, port: int, gate: Path) -> None:
        self._gate = gate
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
        self._connection.request("GET", f"/stream?gate={quote(str(gate))}")
        self._response = self._connection.getresponse()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._connection.close()

    def line(self) -> dict[str, Any]:
        """Read the next line of the stream; what it says was so at most a moment ago."""
        said: dict[str, Any] = json.loads(self._response.readline())
        return said

    def open_gate(self) -> list[dict[str, Any]]:
        """Let the stream come to its end; give what it said until then."""
        self._gate.touch()
        return [json.loads(line) for line in self._response.read().splitlines()]


class Talk:
    """A websocket that is told the facts once for each time that it asks; it lasts until closed."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection
        self.first = self._read()

    @classmethod
    @contextmanager
    def to(cls, port: int) -> Generator[Self]:
        """Open one, and close it at the end of the block."""
        with connect(f"ws://127.0.0.1:{port}/ws", open_timeout=TIMEOUT) as connection:
            yield cls(connection)

    def ask(self) -> dict[str, Any]:
        """Ask, and give what is so now."""
        self._connection.send("?")
        return self._read()

    def _read(self) -> dict[str, Any]:
        said: dict[str, Any] = json.loads(self._connection.recv(timeout=TIMEOUT))
        return said
