"""A steady load on the example: a few clients at an even pace, half of them on kept connections.

Takes an address, gives every answer and every failure with its time. It must never retry: a request
that did not get its answer at the first try has failed.
"""

import http.client
import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

__all__ = ["Answer", "Load", "Watch"]

CLIENTS = 6
PACE = 0.05
KEPT_FOR = 20
TIMEOUT = 10.0


@dataclass(frozen=True, slots=True)
class Answer:
    """One answered request: when the answer was complete, how long it took, what it said."""

    at: float
    seconds: float
    worker: int
    version: int
    greeting: str
    pool: str
    pool_size: int
    wanted_size: int

    @property
    def torn(self) -> bool:
        """Return whether config and pool came from different versions."""
        return self.pool_size != self.wanted_size


@dataclass(slots=True)
class Watch:
    """What the load came to since the account before was closed."""

    answers: list[Answer] = field(default_factory=list[Answer])
    failures: list[str] = field(default_factory=list[str])

    def first(self, version: Mapping[int, int]) -> dict[int, float]:
        """Return when each worker first answered with the version expected of it, or a later."""
        seen: dict[int, float] = {}
        for answer in self.answers:
            if answer.version >= version.get(answer.worker, 0):
                seen.setdefault(answer.worker, answer.at)
        return seen


class Load:
    """Runs the clients from enter to exit, and keeps account of what they see."""

    def __init__(self, host: str, port: int, path: str = "/orders") -> None:
        self._host = host
        self._port = port
        self._path = path
        self._lock = threading.Lock()
        self._current = Watch()
        self._over = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, args=(number,), name=f"client-{number}", daemon=True)
            for number in range(CLIENTS)
        ]

    def look(self) -> Watch:
        """Return a copy of the account as it stands."""
        with self._lock:
            return Watch(list(self._current.answers), list(self._current.failures))

    def take(self) -> Watch:
        """Close the account and give it; the next one starts here, so that nothing is lost."""
        with self._lock:
            taken, self._current = self._current, Watch()
        return taken

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *ended_by: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(TIMEOUT)

    def _run(self, number: int) -> None:
        keep = KEPT_FOR if number % 2 else 1
        self._over.wait(PACE * number / CLIENTS)
        while not self._over.is_set():
            connection = http.client.HTTPConnection(self._host, self._port, timeout=TIMEOUT)
            try:
                for _ in range(keep):
                    self._ask(connection)
                    if self._over.wait(PACE):
                        return
            except (OSError, http.client.HTTPException, ValueError, KeyError, TypeError) as error:
                self._failed(f"{type(error).__name__}: {error}")
                self._over.wait(PACE)
            finally:
                connection.close()

    def _ask(self, connection: http.client.HTTPConnection) -> None:
        begun = time.monotonic()
        connection.request("GET", self._path)
        response = connection.getresponse()
        body = response.read()
        ended = time.monotonic()
        if response.status != 200:
            raise http.client.HTTPException(f"status {response.status}")
        said = json.loads(body)
        answer = Answer(
            at=ended,
            seconds=ended - begun,
            worker=int(said["worker"]),
            version=int(said["version"]),
            greeting=str(said["greeting"]),
            pool=str(said["pool"]),
            pool_size=int(said["pool_size"]),
            wanted_size=int(said["wanted_size"]),
        )
        with self._lock:
            self._current.answers.append(answer)

    def _failed(self, reason: str) -> None:
        with self._lock:
            self._current.failures.append(reason)
