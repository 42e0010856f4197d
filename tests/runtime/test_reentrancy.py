"""Foreign code that the engine waits for and that waits for the engine is told so at once."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reloadcheck import (
    BlockingCallError,
    ConfigSyntaxError,
    FrozenDict,
    Outcome,
    ReloadCheck,
    Stamp,
)
from reloadcheck.testing import MemorySource, push
from tests.support.fixtures import Make
from tests.support.loops import Loop
from tests.support.rig import Call, Text, begin, reload, same, until

CALLS: dict[str, Callable[["ReloadCheck[Any]"], object]] = {
    "start": lambda live: live.start(),
    "check": lambda live: live.check(),
    "lease": lambda live: live.lease().__enter__(),
}
ASYNC_CALLS: dict[str, Callable[["ReloadCheck[Any]"], Any]] = {
    "astart": lambda live: live.astart(),
    "acheck": lambda live: live.acheck(),
    "async lease": lambda live: live.lease().__aenter__(),
}


def waits_for_itself(call: Callable[[], object]) -> str:
    """Return the refusal's text; the clock of these tests stands still, a wait would be endless."""
    with pytest.raises(BlockingCallError, match="would wait for itself") as caught:
        call()
    return str(caught.value)


@pytest.mark.parametrize("what", CALLS)
@pytest.mark.parametrize("place", ["factory", "generator", "probe", "schema"])
def test_a_sync_call_within_the_first_load(make: Make, what: str, place: str) -> None:
    """A factory, probe or schema that starts, checks or leases is refused, and the start ends."""
    told: list[str] = []

    def ask(here: str) -> None:
        if here == place and not told:
            told.append(waits_for_itself(lambda: CALLS[what](live)))

    def schema(tree: dict[str, Any]) -> FrozenDict:
        ask("schema")
        return FrozenDict(tree)

    def factory(a: int) -> int:
        ask("factory")
        return a

    def generator(a: int) -> Any:
        ask("generator")
        yield a

    live = make(schema=schema)
    live.resource("a", probe=lambda _: ask("probe"))(factory)
    live.resource("a")(generator)
    Call(live.start).result()
    assert len(told) == 1
    assert f"live.{what}()" in told[0]
    assert live.snapshot.version == 1


@pytest.fixture
def heed() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Return a way to have a function called for each record of the package's logger."""
    logger = logging.getLogger("reloadcheck")
    handlers: list[logging.Handler] = []
    before = logger.level

    def heed(function: Callable[[], None]) -> None:
        class Heeding(logging.Handler):
            def emit(self, record: logging.LogRecord) -> None:
                function()

        handlers.append(Heeding())
        logger.addHandler(handlers[-1])
        logger.setLevel(logging.INFO)

    yield heed
    logger.setLevel(before)
    for handler in handlers:
        logger.removeHandler(handler)


Heed = Callable[[Callable[[], None]], None]


@pytest.mark.parametrize("what", ["check", "lease", "start"])
def test_a_logging_handler_that_asks(make: Make, text: Text, heed: Heed, what: str) -> None:
    """A handler of the package's own records is refused where it would wait for their writer."""
    told: list[str] = []
    live = make(window=0)

    def ask() -> None:
        if what == "start" and told:
            return
        told.append(waits_for_itself(lambda: CALLS[what](live)))

    if what != "start":
        begin(live)
    else:
        text.write("a: [")
    heed(ask)
    text.write("a: [")
    if what == "start":
        with pytest.raises(ConfigSyntaxError):
            Call(live.start).result()
    else:
        assert Call(live.check).result() is Outcome.REJECTED
    assert [words.partition(" ")[0] for words in told] == [f"live.{what}()"]


def test_a_logging_handler_that_closes(make: Make, text: Text, heed: Heed) -> None:
    """It begins the close and does not wait for the thread that it runs in."""
    live, closed = make(drain=1000.0), threading.Event()

    def close() -> None:
        live.close()
        closed.set()

    begin(live)
    heed(close)
    text.write("a: [")
    waiting = Call(live.check)
    assert closed.wait(30)
    waiting.result()
    until(lambda: live.status().state == "closed")


@pytest.mark.parametrize("what", CALLS)
def test_a_source_that_asks(make: Make, what: str) -> None:
    """What a source raises then is the source's; nobody waits for ever."""
    told: list[str] = []

    class Source(Text):
        def stamp(self) -> Stamp:
            if not told:
                told.append(waits_for_itself(lambda: CALLS[what](live)))
            return super().stamp()

    live = make(Source("a: 1"))
    Call(live.start).result()
    assert f"live.{what}()" in told[0]


@pytest.mark.parametrize("what", ASYNC_CALLS)
@pytest.mark.parametrize("place", ["coroutine", "generator", "probe"])
def test_an_async_call_within_the_first_load(make: Make, what: str, place: str) -> None:
    """The async twins are refused in async factories and probes alike."""
    told: list[str] = []

    async def ask(here: str) -> None:
        if here == place:
            with pytest.raises(BlockingCallError, match="would wait for itself"):
                await ASYNC_CALLS[what](live)
            told.append(here)

    async def probe(_: object) -> None:
        await ask("probe")

    async def coroutine(a: int) -> int:
        await ask("coroutine")
        return a

    async def generator(a: int) -> Any:
        await ask("generator")
        yield a

    live = make()
    live.resource("a", probe=probe)(coroutine)
    live.resource("a")(generator)
    loop = Loop()
    loop.run(live.astart())
    assert [place] == told
    loop.run(live.aclose())
    loop.close()


def test_the_refusal_rejects_an_edit(make: Make, text: Text) -> None:
    """One that is not caught fails its build, with the place it was called at."""
    live = make()

    def pool(a: int) -> int:
        if a > 1:
            live.check()
        return a

    live.resource("a")(pool)
    begin(live)
    assert push(live, text, "a: 2") is Outcome.REJECTED
    error = str(live.status().error)
    assert "its factory raised BlockingCallError (test_reentrancy.py:" in error
    assert "live.check() would wait for itself" in error


def test_a_probe_on_demand_that_asks_for_itself(make: Make) -> None:
    """Refused too, sync and async, as any probe's failure is told."""
    live = make()

    def probe(_: object) -> None:
        if live.status().version:
            live.status(probe=True)

    async def probe_async(_: object) -> None:
        if live.status().version:
            await live.astatus(probe=True)

    live.resource("a", name="pool", probe=probe)(same)
    live.resource("a", name="client", probe=probe_async)(same)
    loop = Loop()
    loop.run(live.astart())
    status = Call(lambda: live.status(probe=True)).result()
    assert status.failed_probes == ("pool", "client")
    for one in status.resources:
        assert one.probe is not None
        assert "would wait for itself" in str(one.probe.error)
    loop.run(live.aclose())
    loop.close()


def test_what_a_factory_starts_may_ask_later(make: Make) -> None:
    """A task that outlives its factory's call is no longer inside; nor is a listener ever."""
    live, outcomes = make(), list[str]()

    async def client(a: int) -> Any:
        built = asyncio.Event()

        async def later() -> None:
            await built.wait()
            outcomes.append(await live.acheck())

        task = asyncio.create_task(later())
        asyncio.get_running_loop().call_later(0.01, built.set)
        yield a
        await task

    live.resource("a")(client)
    loop = Loop()
    loop.run(live.astart())
    until(lambda: outcomes == ["unchanged"])
    loop.run(live.aclose())
    loop.close()


def test_listeners_and_other_engines_may_be_asked(make: Make, text: Text) -> None:
    """Nobody waits for a listener, and a factory may well use another engine."""
    other, live = make(MemorySource("x: 1")), make()
    heard, lasting = list[str](), threading.Event()

    def listener(_: object) -> None:
        heard.append(live.check())
        lasting.set()

    def pool(a: int) -> int:
        with other.lease() as snapshot:
            return a + int(snapshot.config["x"])

    handle = live.resource("a")(pool)
    begin(live)
    assert live.snapshot[handle] == 2
    live.subscribe(listener)
    text.write("a: 2")
    reload(live)
    assert lasting.wait(30)
    assert heard == ["unchanged"]
