"""Programs that are only checked, never run: what users write has the types that they expect."""

from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import assert_type

from reloadcheck import (
    FrozenDict,
    Outcome,
    ProbeStatus,
    ReloadCheck,
    Resource,
    Snapshot,
    Source,
    Status,
    current_snapshot,
    reload_check,
)
from reloadcheck.asgi import ReloadCheckMiddleware as ASGIMiddleware
from reloadcheck.testing import (
    AsyncRecorded,
    AsyncRecordingFactory,
    MemorySource,
    Recorded,
    RecordingFactory,
    apush,
    push,
)
from reloadcheck.wsgi import ReloadCheckMiddleware as WSGIMiddleware


@dataclass(frozen=True)
class Settings:
    """A schema."""

    greeting: str


class Pool:
    """Something built."""


live = ReloadCheck("config.yaml", schema=Settings)
plain = ReloadCheck("config.yaml", "local.yaml", window=0.5)


@live.resource("greeting")
def by_generator(greeting: str) -> Iterator[Pool]:
    """Build with a generator."""
    yield Pool()


@live.resource("greeting")
async def by_async_generator(greeting: str) -> AsyncIterator[Pool]:
    """Build with an async generator."""
    yield Pool()


@live.resource("greeting", needs=[by_generator])
async def by_coroutine(greeting: str, pool: Pool) -> Pool:
    """Build with a coroutine function."""
    return pool


@live.resource(("greeting",), timeout=2.0, drain=1.0, name="another")
def by_function(greeting: str) -> Pool:
    """Build with a function."""
    return Pool()


@reload_check(live)
def job(count: int, *, name: str = "") -> str:
    """Do something in one unit of work."""
    return name * count


@reload_check("config.yaml", schema=Settings, settle=0.1)
async def async_job(count: int) -> int:
    """Do something in one unit of work."""
    return count


class Work:
    """Something with a decorated method."""

    @reload_check(live)
    def method(self, count: int) -> int:
        """Do something in one unit of work."""
        return count


async def use(asgi: ASGIMiddleware, wsgi: WSGIMiddleware) -> None:
    """Read everything that is public."""
    assert_type(live, ReloadCheck[Settings])
    assert_type(plain, ReloadCheck[FrozenDict])
    for handle in (by_generator, by_async_generator, by_coroutine, by_function):
        assert_type(handle, Resource[Pool])
    assert_type(live.snapshot, Snapshot[Settings])
    assert_type(live.snapshot.config.greeting, str)
    assert_type(live.snapshot[by_generator], Pool)
    assert_type(live.current(), Snapshot[Settings])
    with live.lease() as snapshot:
        assert_type(snapshot, Snapshot[Settings])
    async with live.lease() as snapshot:
        assert_type(snapshot, Snapshot[Settings])
    assert_type(job(1, name="x"), str)
    assert_type(await async_job(1), int)
    assert_type(Work().method(1), int)
    job.live.start()
    current_snapshot()


async def ask() -> None:
    """Ask whether what serves works."""
    assert_type(live.status(probe=True), Status)
    status = await live.astatus(probe=True)
    assert_type(status.failed_probes, tuple[str, ...])
    assert_type(status.resources[0].probe, ProbeStatus | None)


async def test() -> None:
    """Test an application."""
    source: Source = MemorySource({"greeting": "hello"})
    memory = MemorySource("greeting: hello")
    tested = ReloadCheck(source, memory, schema=Settings)
    assert_type(tested.resource("greeting")(RecordingFactory()), Resource[Recorded])
    assert_type(tested.resource("greeting")(AsyncRecordingFactory()), Resource[AsyncRecorded])
    assert_type(push(tested, memory, b"greeting: hi"), Outcome)
    assert_type(await apush(tested, memory, {"greeting": "hi"}), Outcome)
