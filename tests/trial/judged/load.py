"""Visitors who come at a steady pace, whatever becomes of those before them."""

import http.client
import threading
import time
from collections import Counter
from collections.abc import Generator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count

__all__ = ["HANGS_SECONDS", "Load", "ask"]

CLIENTS = 64
HANGS_SECONDS = 5.0
"""Who waits so long for an answer was exposed to what hangs."""


def ask(port: int, path: str = "/", timeout: float = 30.0) -> str:
    """Return the body of an answer; its status where that is not 200, `lost` without one."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=timeout)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        body = answer.read().decode()
    except OSError as error:
        return "hangs" if isinstance(error, TimeoutError) else "lost"
    finally:
        connection.close()
    return body if answer.status == 200 else str(answer.status)


@dataclass(slots=True)
class Load:
    """So many requests a second; `seen` counts what they got, in words."""

    port: int
    rate: float
    seen: Counter[str] = field(default_factory=Counter[str])
    _open: dict[int, float] = field(default_factory=dict[int, float])
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def is_even(self) -> bool:
        """Return whether nobody has waited for long: what went wrong so far is counted."""
        eldest = min(list(self._open.values()), default=time.monotonic())
        return time.monotonic() - eldest < 1.0

    @property
    def bad(self) -> int:
        """Return how many got no good answer."""
        return sum(n for word, n in self.seen.items() if not word.startswith("version-"))

    def _visit(self, number: int) -> None:
        self._open[number] = time.monotonic()
        self.seen[ask(self.port, timeout=HANGS_SECONDS)] += 1
        del self._open[number]

    def _come(self) -> None:
        due, numbers = time.monotonic(), count()
        with ThreadPoolExecutor(CLIENTS) as clients:
            while not self._over.wait(max(0.0, due - time.monotonic())):
                clients.submit(self._visit, next(numbers))
                due += 1.0 / self.rate

    @contextmanager
    def running(self) -> Generator["Load"]:
        """Let them come while the block runs."""
        thread = threading.Thread(target=self._come)
        thread.start()
        try:
            yield self
        finally:
            self._over.set()
            thread.join()
