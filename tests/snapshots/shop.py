"""A shop with a pool, and the ways to be a unit of work in it that is taken step by step."""

from collections.abc import Callable, Generator, Iterator
from contextvars import Context
from typing import Any

from reloadcheck import (
    ReloadCheck,
    Resource,
)
from reloadcheck._engine.api import engine_of
from reloadcheck.asgi import ReloadCheckMiddleware as AsgiDoor
from reloadcheck.testing import FakeClock
from reloadcheck.wsgi import ReloadCheckMiddleware as WsgiDoor
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, until

DRAIN = 30.0


class Box:
    """What is built: a number that knows whether it is open."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.open = True


class Shop:
    """An engine with a pool on `a`, a search that needs it, and nothing on `b`."""

    def __init__(self, make: Make, text: Text, clock: FakeClock) -> None:
        self.live: ReloadCheck[Any] = make(window=1.0, settle=0.0, drain=DRAIN)
        self.text, self.clock = text, clock
        self.boxes: list[Box] = []
        self.pools: list[Box] = []
        self.pool: Resource[Box] = self.live.resource("a", name="pool")(self._pool)
        self.search: Resource[Box] = self.live.resource("c", needs=[self.pool], name="search")(
            self._build
        )
        text.write("a: 1\nb: 1\nc: 1")
        begin(self.live)

    def _build(self, number: int, *needs: Box) -> Iterator[Box]:
        box = Box(number)
        self.boxes.append(box)
        yield box
        assert all(need.open for need in needs)
        box.open = False

    def _pool(self, number: int) -> Iterator[Box]:
        for box in self._build(number):
            self.pools.append(box)
            yield box

    @property
    def open(self) -> list[int]:
        """Return the pools that are open."""
        return [box.number for box in self.pools if box.open]

    def edit(self, a: int, b: int = 1) -> None:
        """Have an edit go live; time passes meanwhile."""
        version = self.live.snapshot.version
        self.text.write(f"a: {a}\nb: {b}\nc: 1")
        Call(self.live.check).result(self.clock)
        assert self.live.snapshot.version == version + 1

    def pass_time(self, seconds: float) -> None:
        """Let time pass, and have the engine look."""
        self.clock.advance(seconds)
        self.live.check()

    def fast(self) -> None:
        """Have the doors go on without asking."""
        WsgiDoor(lambda environ, start_response: [], self.live)({}, ignore)
        self.live.check()
        until(lambda: engine_of(self.live).cell.fresh is not None)


def ignore(status: str, headers: list[tuple[str, str]]) -> None:
    """Ignore what is answered."""


Body = Callable[[Any], Iterator[bytes]]
Door = Callable[[Shop, Body], Generator[bytes]]


def through_lease(shop: Shop, body: Body) -> Generator[bytes]:
    """Run in a lease."""
    with shop.live.lease() as snapshot:
        yield from body(snapshot)


def through_wsgi(shop: Shop, body: Body) -> Generator[bytes]:
    """Run in the body of a response, as a door on its fast path has it."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        return body(environ["reloadcheck.snapshot"])

    shop.fast()
    answer: Any = WsgiDoor(app, shop.live)({}, ignore)
    try:
        yield from answer
    finally:
        answer.close()


def through_wsgi_by_name(shop: Shop, body: Body) -> Generator[bytes]:
    """Run in the body of a response of a door that had to ask."""

    def app(environ: Any, start_response: Any) -> Iterator[bytes]:
        return body(environ["reloadcheck.snapshot"])

    assert engine_of(shop.live).cell.fresh is None
    answer: Any = WsgiDoor(app, shop.live)({}, ignore)
    try:
        yield from answer
    finally:
        answer.close()


def through_asgi(shop: Shop, body: Body) -> Generator[bytes]:
    """Run in a request of the ASGI door on its fast path, a step at a time."""

    class Step:
        def __await__(self) -> Any:
            yield

    async def app(scope: Any, receive: Any, send: Any) -> None:
        for _ in body(scope["state"]["snapshot"]):
            await Step()

    async def nothing(*_: object) -> Any: ...

    shop.fast()
    context = Context()
    running = AsgiDoor(app, shop.live)({"type": "websocket", "path": "/"}, nothing, nothing)
    coroutine: Any = running
    try:
        while True:
            context.run(coroutine.send, None)
            yield b""
    except StopIteration:
        return
    finally:
        context.run(coroutine.close)


def stays_open_to_its_end(shop: Shop, stream: Generator[bytes]) -> None:
    """See that what a unit of work has read is open for as long as it runs, and no longer."""
    shop.edit(2)
    shop.pass_time(DRAIN - 1)
    next(stream)
    stream.close()
    until(lambda: shop.open == [2], shop.clock)
