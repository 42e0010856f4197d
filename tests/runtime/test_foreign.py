"""Which context the application's code runs in when the engine calls it: nobody's."""

import threading
from collections.abc import AsyncIterator, Iterator
from contextvars import ContextVar, copy_context
from typing import Any

import pytest

from reloadcheck import ReloadEvent, Stamp
from tests.support.fixtures import Make
from tests.support.loops import Loop
from tests.support.rig import Text, until

UNIT: ContextVar[str] = ContextVar("unit", default="nobody's")


@pytest.fixture
def handed_on(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have each thread run in the context of whoever started it, as tracers' patches do."""
    start, run = threading.Thread.start, threading.Thread.run
    contexts: dict[threading.Thread, Any] = {}

    def starting(self: threading.Thread) -> None:
        contexts[self] = copy_context()
        start(self)

    def running(self: threading.Thread) -> None:
        contexts.pop(self).run(run, self)

    monkeypatch.setattr(threading.Thread, "start", starting)
    monkeypatch.setattr(threading.Thread, "run", running)


class Told:
    """Notes in whose context each part of the application was called."""

    def __init__(self) -> None:
        self.units: dict[str, str] = {}

    def note(self, part: str) -> None:
        """Note it for this part."""
        self.units[part] = UNIT.get()


@pytest.mark.usefixtures("handed_on")
def test_what_the_engine_calls_belongs_to_no_unit_of_work(make: Make, text: Text) -> None:
    """Whoever starts the engine, its source, schema, factories and the rest run in no context.

    A tracer that hands contexts on to threads would else make every later reload a part of the one
    request that had started the engine.
    """
    told, loop = Told(), Loop()

    class Source(Text):
        def stamp(self) -> Stamp:
            told.note("source")
            return super().stamp()

    def schema(tree: dict[str, Any]) -> dict[str, Any]:
        told.note("schema")
        return tree

    source = Source("a: 1\n")
    live = make(source, schema=schema)

    @live.resource("a", probe=lambda _: told.note("probe"))
    def pool(a: int) -> Iterator[int]:
        told.note("factory")
        yield a
        told.note("closer")

    async def probed(_: int) -> None:
        told.note("async probe")

    @live.resource("a", probe=probed)
    async def client(a: int) -> AsyncIterator[int]:
        told.note("async factory")
        yield a
        told.note("async closer")

    def listener(event: ReloadEvent) -> None:
        told.note("listener")

    async def async_listener(event: ReloadEvent) -> None:
        told.note("async listener")

    live.subscribe(listener)
    live.subscribe(async_listener)

    async def request() -> None:
        UNIT.set("a request's")
        await live.astart()

    loop.run(request())
    told.units.clear()
    source.write("a: 2\n")

    async def check() -> None:
        UNIT.set("a request's")
        await live.acheck()

    loop.run(check())
    parts = ("factory", "closer", "probe", "listener")
    expected = {*parts, *(f"async {part}" for part in parts), "source", "schema"}
    until(lambda: expected <= set(told.units))
    assert dict.fromkeys(expected, "nobody's") == told.units
    loop.run(live.aclose())
    loop.close()
