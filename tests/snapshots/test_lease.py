"""Units of work outside requests: leases, and the decorator on every kind of function.

Long because each kind of function that can be decorated has its own way to end.
"""

import asyncio
import contextlib
import inspect
from collections.abc import AsyncGenerator, AsyncIterator, Generator, Iterator
from typing import Any

import pytest

from reloadcheck import (
    ConfigSyntaxError,
    LeaseUsedError,
    NoSnapshotError,
    OptionError,
    OutsideWorkError,
    ReloadCheck,
    reload_check,
)
from tests.support.fixtures import Make
from tests.support.rig import Text, begin, reload


def leases(live: "ReloadCheck[Any]") -> int:
    """Count the units of work that hold any snapshot."""
    return sum(live.status().leases.values())


def test_a_lease_starts_the_engine_and_ends_whatever_happens(make: Make) -> None:
    """The first unit of work starts the engine; its lease ends with it, also by an exception."""
    live = make()
    with pytest.raises(NoSnapshotError, match=r"live\.start\(\)"):
        _ = live.snapshot

    def work() -> None:
        with live.lease() as snapshot:
            assert snapshot is live.snapshot
            assert leases(live) == 1
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        work()
    assert leases(live) == 0


def test_a_lease_is_used_once(make: Make) -> None:
    """Entering a lease a second time is refused; nothing is held by the attempt."""
    live = make()
    lease = live.lease()
    with lease, pytest.raises(LeaseUsedError, match="used once"):
        lease.__enter__()
    with pytest.raises(LeaseUsedError, match="used once"):
        lease.__enter__()
    assert leases(live) == 0


def test_a_lease_raises_what_is_wrong_before_the_first_good_config(make: Make, text: Text) -> None:
    """With nothing loaded yet, a unit of work fails with the cause, and works once it is mended."""
    text.write("a: [")
    live = make(window=0)
    for _ in range(3):
        with pytest.raises(ConfigSyntaxError, match=r"app\.yaml:1:"), live.lease():
            pass
    text.write("a: 1")
    with live.lease() as snapshot:
        assert snapshot.version == 1


def test_each_failure_is_an_exception_of_its_own(make: Make, text: Text) -> None:
    """Two threads that fail for one cause do not share one traceback."""
    text.write("a: [")
    live = make(window=1000.0)
    caught: list[BaseException] = []
    for _ in range(2):
        with pytest.raises(ConfigSyntaxError) as info, live.lease():
            pass
        caught.append(info.value)
    assert caught[0] is not caught[1]
    assert str(caught[0]) == str(caught[1])


def test_async_leases(make: Make, text: Text) -> None:
    """`async with` is the same unit of work, and joins a sync one around it."""
    live = make(window=0)

    async def main() -> None:
        async with live.lease() as snapshot:
            with live.lease() as inner:
                assert inner is snapshot
            assert leases(live) == 1
        assert leases(live) == 0
        await live.aclose()

    asyncio.run(main())


# ----------------------------------------------------------------------------- decorator


def test_a_decorated_function_is_one_unit_of_work(make: Make, text: Text) -> None:
    """Each call sees one version throughout, and the next call the next."""
    live = make(window=0)

    @reload_check(live)
    def work(edit: str | None = None) -> tuple[int, int]:
        """Do it."""
        before = live.current().version
        if edit is not None:
            text.write(edit)
            reload(live)
        return before, live.current().version

    begin(live)
    assert work("a: 2") == (1, 1)
    assert work() == (2, 2)
    assert leases(live) == 0
    assert work.live is live
    assert (getattr(work, "__name__", ""), work.__doc__) == ("work", "Do it.")


def test_the_kind_and_the_signature_of_a_function_are_kept(make: Make) -> None:
    """Frameworks look at functions: name, parameters and kind are those of the function itself."""
    live = make()

    def plain(a: int, *, b: str = "") -> None: ...
    async def coroutine(a: int, *, b: str = "") -> None: ...
    def generator(a: int, *, b: str = "") -> Iterator[int]:
        yield a

    async def stream(a: int, *, b: str = "") -> AsyncIterator[int]:
        yield a

    for function in (plain, coroutine, generator, stream):
        found = reload_check(live)(function)
        assert inspect.signature(found) == inspect.signature(function)
        assert getattr(found, "__qualname__", "") == function.__qualname__
        for kind in (
            inspect.iscoroutinefunction,
            inspect.isgeneratorfunction,
            inspect.isasyncgenfunction,
        ):
            assert kind(found) is kind(function)


def test_a_decorated_coroutine(make: Make) -> None:
    """The unit of work is the coroutine's run, not the call that made it."""
    live = make(window=0)

    @reload_check(live)
    async def work() -> int:
        await asyncio.sleep(0)
        return live.current().version

    async def main() -> None:
        await live.astart()
        coroutine = work()
        assert leases(live) == 0
        assert await coroutine == 1
        assert leases(live) == 0
        await live.aclose()

    asyncio.run(main())


def test_a_decorated_generator_keeps_one_version(make: Make, text: Text) -> None:
    """From its first value to its end a generator sees one version, whatever comes meanwhile."""
    live = make(window=0)

    @reload_check(live)
    def rows() -> Generator[int, str, str]:
        got = yield live.current().version
        got += yield live.current().version
        return got

    begin(live)
    stream = rows()
    assert leases(live) == 0
    assert next(stream) == 1
    text.write("a: 2")
    reload(live)
    assert stream.send("x") == 1
    with pytest.raises(StopIteration) as stop:
        stream.send("y")
    assert stop.value.value == "xy"
    assert leases(live) == 0
    assert next(rows()) == 2


def test_the_consumer_of_a_generator_is_outside(make: Make, text: Text) -> None:
    """Between two values the code that consumes is in no unit of work of the generator's."""
    live = make(window=0)

    @reload_check(live)
    def rows() -> Iterator[int]:
        yield live.current().version
        yield live.current().version

    begin(live)
    stream = rows()
    next(stream)
    with pytest.raises(OutsideWorkError):
        live.current()
    text.write("a: 2")
    reload(live)
    with live.lease() as snapshot:
        assert snapshot.version == 2
        assert next(stream) == 1
        assert live.current() is snapshot
    stream.close()  # type: ignore[attr-defined]
    assert leases(live) == 0


def test_interleaved_generators_each_see_their_own(make: Make, text: Text) -> None:
    """Two generators of two versions, consumed in turn, do not disturb one another."""
    live = make(window=0)

    @reload_check(live)
    def rows() -> Iterator[int]:
        for _ in range(3):
            yield live.current().version

    begin(live)
    one = rows()
    assert next(one) == 1
    text.write("a: 2")
    reload(live)
    two = rows()
    assert next(two) == 2
    assert list(one) == [1, 1]
    assert list(two) == [2, 2]
    assert leases(live) == 0


def test_what_is_thrown_into_a_generator_arrives(make: Make) -> None:
    """`throw` and `close` reach the generator itself, in its unit of work."""
    live, seen = make(), list[object]()

    @reload_check(live)
    def rows() -> Iterator[int]:
        try:
            yield 1
        except ZeroDivisionError as error:
            seen.append((type(error), live.current().version))
            yield 2
        finally:
            seen.append(live.current().version)

    stream = rows()
    next(stream)
    assert stream.throw(ZeroDivisionError) == 2  # type: ignore[attr-defined]
    stream.close()  # type: ignore[attr-defined]
    assert [(ZeroDivisionError, 1), 1] == seen
    assert leases(live) == 0


def test_a_generator_that_is_dropped_gives_its_lease_back(make: Make) -> None:
    """A generator that nobody exhausts ends its unit of work when it is collected."""
    live = make()

    @reload_check(live)
    def rows() -> Iterator[int]:
        yield 1
        yield 2

    stream = rows()
    next(stream)
    assert leases(live) == 1
    del stream
    assert leases(live) == 0


def test_a_decorated_async_generator(make: Make, text: Text) -> None:
    """Values, sends, throws and the end pass through; it sees one version throughout."""
    live, seen = make(window=0), list[object]()

    @reload_check(live)
    async def rows() -> AsyncGenerator[object, str]:
        got = yield live.current().version
        try:
            yield got
        except ZeroDivisionError:
            seen.append(live.current().version)
            yield live.current().version
        finally:
            seen.append(live.current().version)

    async def main() -> None:
        await live.astart()
        stream = rows()
        assert await anext(stream) == 1
        with pytest.raises(OutsideWorkError):
            live.current()
        text.write("a: 2")
        await live.acheck()
        assert await stream.asend("x") == "x"
        assert await stream.athrow(ZeroDivisionError()) == 1
        with pytest.raises(StopAsyncIteration):
            await anext(stream)
        assert seen == [1, 1]
        assert leases(live) == 0
        second = rows()
        assert await anext(second) == 2
        await second.aclose()
        assert leases(live) == 0
        await live.aclose()

    asyncio.run(main())


def test_a_decorated_async_generator_makes_a_context_manager(make: Make) -> None:
    """`asynccontextmanager` on top hears of the body's exception and may swallow it."""
    live = make()

    @contextlib.asynccontextmanager
    @reload_check(live)
    async def unit() -> AsyncGenerator[int, None]:
        with contextlib.suppress(ZeroDivisionError):
            yield live.current().version

    async def fail(version: int) -> None:
        raise ZeroDivisionError if version == 1 else LookupError

    async def main() -> None:
        async with unit() as version:
            await fail(version)
        assert leases(live) == 0
        await live.aclose()

    asyncio.run(main())


def test_the_decorator_makes_an_engine(text: Text) -> None:
    """Given sources it makes the engine itself, found as `.live`; nothing starts before a call."""

    @reload_check(text, window=0, environ={})
    def work() -> int:
        return 1

    live = work.live
    assert live.status().state == "idle"
    assert work() == 1
    assert live.status().version == 1
    live.close()


def test_options_and_an_engine_do_not_mix(make: Make) -> None:
    """Options for an engine that is there already are a mistake that says so."""
    mixed: Any = reload_check
    with pytest.raises(OptionError, match="belong to ReloadCheck"):
        mixed(make(), window=2)


def test_a_decorated_function_may_recurse(make: Make) -> None:
    """A function that calls itself is in one unit of work all the way down."""
    live = make(window=0)

    @reload_check(live)
    def down(depth: int) -> int:
        return live.current().version if depth == 0 else down(depth - 1)

    assert down(50) == 1
    assert leases(live) == 0
