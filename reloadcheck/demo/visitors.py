"""Visitors of the fleet demo: a thread for each application asks, counts, notes who serves what.

A connection a request, so that both workers of an application are met.
"""

import http.client
import json
import threading
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Seen", "Visitors"]

HOST = "127.0.0.1"
_SURE = 12
"""Answers in a row that make it sure that a worker serves one thing to everybody."""


@dataclass(slots=True)
class Seen:
    """What one worker said last, since when it has said nothing else, and how often."""

    greeting: str = ""
    edition: int | None = None
    since: float = 0.0
    times: int = 0


@dataclass(slots=True)
class Visitors:
    """Everybody who asks one application; use as a context manager."""

    app: str
    port: int
    requests: int = 0
    failed: int = 0
    reasons: deque[str] = field(default_factory=lambda: deque[str](maxlen=3))
    seen: dict[int, Seen] = field(default_factory=dict[int, Seen])
    _over: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def ask(self) -> tuple[int, dict[str, Any]]:
        """Ask once."""
        connection = http.client.HTTPConnection(HOST, self.port, timeout=10.0)
        try:
            connection.request("GET", "/", headers={"Connection": "close"})
            answer = connection.getresponse()
            said: dict[str, Any] = json.loads(answer.read())
            return answer.status, said
        finally:
            connection.close()

    def take(self) -> tuple[int, int]:
        """Return how many requests there were since the last time, and how many failed."""
        counted = self.requests, self.failed
        self.requests = self.failed = 0
        return counted

    def serving(self, greeting: str, since: float) -> dict[int, float]:
        """Return the workers that serve a greeting to all, and how long after a moment they did."""
        return {
            pid: max(0.0, one.since - since)
            for pid, one in sorted(self.seen.copy().items())
            if one.greeting == greeting and one.times >= _SURE
        }

    def __enter__(self) -> "Visitors":
        self._thread = threading.Thread(target=self._run, name=f"visitors of {self.app}")
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self) -> None:
        while not self._over.wait(0.01):
            try:
                status, said = self.ask()
            except (OSError, http.client.HTTPException, ValueError) as error:
                self._fail(type(error).__name__)
                continue
            self.requests += 1
            if status != 200:
                self.failed += 1
                self.reasons.append(str(status))
            self._note(said)

    def _fail(self, reason: str) -> None:
        self.requests += 1
        self.failed += 1
        self.reasons.append(reason)

    def _note(self, said: dict[str, Any]) -> None:
        one = self.seen.setdefault(said["pid"], Seen())
        if one.greeting != said["greeting"]:
            one.greeting, one.since, one.times = said["greeting"], time.monotonic(), 0
        one.edition = said["edition"]
        one.times += 1
