"""What a server process sees of its own resources: who uses them, and when they are closed.

Wraps factories so that each instance is followed from its build to its close. It must never hold an
instance open, nor keep one that is closed.
"""

import os
import threading
import time
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from reloadcheck import Attempt, Code, Outcome, ReloadCheck, ReloadEvent

from .matrix import Settings, resource_of

__all__ = ["Watch"]

T = TypeVar("T")

KEPT = 100
"""How many versions are remembered."""


@dataclass(slots=True)
class _Served:
    """An instance: the first version that it serves in, and the last one once it is retired."""

    first: int | None = None
    last: int | None = None


@dataclass(slots=True)
class _Use:
    """The units of work on one version, by the resource that they have read.

    `began` is when we heard that it was swapped in, `ended` when the last of them ended.
    """

    began: float = 0.0
    users: Counter[str] = field(default_factory=Counter[str])
    ended: dict[str, float] = field(default_factory=dict[str, float])


@dataclass(slots=True)
class _Heard:
    """One event of the engine: when we heard of it, and the configuration that serves since."""

    number: int
    at: float
    outcome: str
    build: float
    error: str


@dataclass(slots=True)
class Watch:
    """The account of one process.

    `late` has the longest time, by resource, from the end of the last unit of work on any version
    that an instance served in, or of the close before its own, because they are closed one after
    the other, to the beginning of its close; `early` counts the units of work under way then.
    """

    live: ReloadCheck[Settings]
    late: dict[str, float] = field(default_factory=dict[str, float])
    early: int = 0
    _served: dict[str, _Served] = field(default_factory=dict[str, _Served])
    _uses: dict[int, _Use] = field(default_factory=dict[int, _Use])
    _newest: dict[str, str] = field(default_factory=dict[str, str])
    _serving: dict[str, str] = field(default_factory=dict[str, str])
    _heard: "deque[_Heard]" = field(default_factory=lambda: deque(maxlen=64))
    _closed_at: float = 0.0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def factory(self, build: Callable[[Any], Iterator[T]]) -> Callable[[Any], Iterator[T]]:
        """Follow the instances of a sync factory."""

        def watched(part: Any) -> Iterator[T]:
            for client in build(part):
                self._built(part.name)
                yield client
                self._closing(part.name)
            self._closed_at = time.monotonic()

        return watched

    def async_factory(
        self, build: Callable[[Any], AsyncIterator[T]]
    ) -> Callable[[Any], AsyncIterator[T]]:
        """Follow the instances of an async factory."""

        async def watched(part: Any) -> AsyncIterator[T]:
            async for client in build(part):
                self._built(part.name)
                yield client
                self._closing(part.name)
            self._closed_at = time.monotonic()

        return watched

    @contextmanager
    def using(self, version: int, resource: str) -> Generator[None]:
        """Count a unit of work that has read a resource of a version."""
        with self._lock:
            use = self._uses.setdefault(version, _Use())
            use.users[resource] += 1
        try:
            yield
        finally:
            with self._lock:
                use.users[resource] -= 1
                use.ended[resource] = time.monotonic()

    def heard(self, event: ReloadEvent) -> None:
        """Take note of a swap or a rejection."""
        now, seconds = time.monotonic(), dict(event.seconds)
        number, version = self.live.snapshot.config.number, event.version or 0
        with self._lock:
            built, error = seconds.get("build", 0.0), str(event.error or "")
            self._heard.append(_Heard(number, now, event.outcome, built, error))
            for resource in event.built:
                before = self._served.get(self._serving.get(resource, ""))
                if before is not None:
                    before.last = version - 1
                self._serving[resource] = self._newest[resource]
                self._served[self._newest[resource]].first = version
            if event.outcome is Outcome.RELOADED:
                self._uses.setdefault(version, _Use()).began = now
            for old in [one for one in self._uses if one < version - KEPT]:
                del self._uses[old]

    def report(self) -> dict[str, Any]:
        """Return how this process is, in JSON's types."""
        status, wall = self.live.status(), time.time() - time.monotonic()
        waits = [one.at - wall for one in status.history if _waited(one)]
        with self._lock:
            heard = [asdict(one) for one in self._heard]
            late, early = dict(self.late), self.early
        return {
            "pid": os.getpid(),
            "number": self.live.snapshot.config.number,
            "version": status.version,
            "reloads": status.reloads,
            "forced": status.forced_closes,
            "resources": {one.name: asdict(one) for one in status.resources},
            "heard": heard,
            "waits": waits,
            "late": late,
            "early": early,
        }

    def _built(self, name: str) -> None:
        with self._lock:
            self._served[name] = _Served()
            self._newest[resource_of(name)] = name

    def _closing(self, name: str) -> None:
        now, resource = time.monotonic(), resource_of(name)
        with self._lock:
            served = self._served.pop(name)
            if served.first is None or served.last is None:
                return  # it never served, or we have yet to hear of its end: then it is not late
            versions = range(served.first, served.last + 1)
            uses = [use for one, use in self._uses.items() if one in versions]
            self.early += sum(use.users[resource] for use in uses)
            began = self._uses[served.last + 1].began
            if any(use.users.total() for use in uses):
                return  # it was kept for units of work that might have read it yet
            ends = [at for use in uses for at in use.ended.values()]
            last = max([began, self._closed_at, *ends])
            self.late[resource] = max(now - last, self.late.get(resource, 0.0))


def _waited(attempt: Attempt) -> bool:
    """Return whether an edit would have needed a third instance, at once or while it was built."""
    builds = [phase for phase in attempt.phases if phase.name == "build"]
    return attempt.code == Code.DRAIN or len(builds) > 1
