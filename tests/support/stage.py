"""An engine with three resources, a schema and a listener, each of which can be told to fail."""

import asyncio
import threading
from collections.abc import AsyncIterator, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from reloadcheck import FrozenDict, Outcome, ReloadCheck, ReloadEvent
from tests.support.fixtures import Make
from tests.support.loops import Loop
from tests.support.rig import until

CANARY = "canary1"
TIMEOUT = 5.0


class Stage:
    """An engine whose parts fail when told to: `part` is the one, `fault` what it raises.

    With a `gate` it hangs until that opens; `entered` counts how often the part was called.
    """

    def __init__(self, make: Make, *, sync: bool) -> None:
        self.part: str = ""
        self.fault: type[BaseException] | None = None
        self.gate: threading.Event | None = None
        self.entered = 0
        self.log: list[str] = []
        self.heard: list[int | None] = []
        self.live: ReloadCheck[Any] = make(schema=self._schema)
        low: Any = self.live.resource("a", name="low", timeout=TIMEOUT)(self._sync("low"))
        factory: Any = self._sync("mid") if sync else self._async
        probe: Any = self._probe if sync else self._probe_async
        register = self.live.resource("a", name="mid", needs=[low], probe=probe, timeout=TIMEOUT)
        mid: Any = register(factory)
        self.live.resource("a", name="top", needs=[mid])(self._sync("top"))
        self.live.subscribe(self._listener if sync else self._listener_async)
        self.live.subscribe(lambda event: self.heard.append(event.version))

    def _sync(self, name: str) -> Any:
        def factory(a: int, *needs: object) -> Iterator[str]:
            if name == "mid":
                self._here("build")
            self.log.append(f"+{name}{a}")
            yield f"{name}{a}"
            self.log.append(f"-{name}{a}")
            if name == "mid":
                self._here("close")

        return factory

    async def _async(self, a: int, *needs: object) -> AsyncIterator[str]:
        await self._here_async("build")
        self.log.append(f"+mid{a}")
        try:
            yield f"mid{a}"
        finally:
            self.log.append(f"-mid{a}")
        await self._here_async("close")

    def _probe(self, value: str) -> None:
        self._here("probe")

    async def _probe_async(self, value: str) -> None:
        await self._here_async("probe")

    def _schema(self, tree: dict[str, Any]) -> FrozenDict:
        self._here("schema")
        return FrozenDict(tree)

    def _listener(self, event: ReloadEvent) -> None:
        self._here("listener")

    async def _listener_async(self, event: ReloadEvent) -> None:
        await self._here_async("listener")

    def _here(self, part: str) -> None:
        if part == self.part:
            self.entered += 1
            if self.gate is not None:
                self.gate.wait(30)
            if self.fault is not None:
                raise self.fault(CANARY)

    async def _here_async(self, part: str) -> None:
        if part == self.part:
            self.entered += 1
            while self.gate is not None and not self.gate.is_set():
                await asyncio.sleep(0.002)
            if self.fault is not None:
                raise self.fault(CANARY)

    def counts(self) -> set[int]:
        """Return how many instances there are of each."""
        return {one.instances for one in self.live.status().resources}

    def settled(self) -> bool:
        """Return whether there is one instance of each."""
        return self.counts() == {1}

    def serves(self, version: int, a: int) -> None:
        """Assert that this version serves, whole."""
        snapshot = self.live.snapshot
        assert (version, a) == (snapshot.version, snapshot.config["a"])
        assert [*snapshot.resources.values()] == [f"low{a}", f"mid{a}", f"top{a}"]


@contextmanager
def staged(make: Make, *, sync: bool) -> Generator[Stage]:
    """Return a stage on version 1; its home loop runs in a thread of its own."""
    stage = Stage(make, sync=sync)
    loop = Loop()
    loop.run(stage.live.astart())
    assert stage.live.check() is Outcome.UNCHANGED
    until(lambda: stage.heard == [1])
    stage.log.clear()
    yield stage
    if stage.gate is not None:
        stage.gate.set()
    stage.part = ""
    loop.run(stage.live.aclose())
    loop.close()
