"""What applications test themselves with does what it says, on real engines."""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import ConfigSyntaxError, Outcome, ReloadCheck, Source
from reloadcheck.testing import (
    AsyncRecordingFactory,
    FakeClock,
    MemorySource,
    RecordingFactory,
    apush,
    assert_all_closed,
    push,
)
from tests.support.rig import Call
from tests.support.steady import SteadyClock


def test_a_memory_source_is_a_source() -> None:
    """It satisfies the protocol, and its repr shows no content."""
    source = MemorySource("password: hunter2")
    assert isinstance(source, Source)
    assert repr(source) == "MemorySource('memory.yaml')"


def test_pushed_edits_are_live_and_broken_ones_are_not() -> None:
    """Push answers with what came of the edit, and after `reloaded` the engine is at rest."""
    source = MemorySource("a: 1")
    live = ReloadCheck(source)
    assert push(live, source, "a: 2") is Outcome.RELOADED
    assert live.snapshot.config == {"a": 2}
    assert push(live, source, "# the same\na: 2") is Outcome.UNCHANGED
    assert push(live, source, "a: [") is Outcome.REJECTED
    assert "memory.yaml:1:" in str(live.status().error)
    assert push(live, source, b"\xff\xfe") is Outcome.REJECTED
    assert push(live, source, "") is Outcome.DEFERRED
    assert live.snapshot.config == {"a": 2}
    assert push(live, source, {"a": {"b": [1, None]}}) is Outcome.RELOADED
    assert live.snapshot.config["a"]["b"] == [1, None]
    source.fail("is on strike")
    assert live.check() is Outcome.DEFERRED
    assert "is on strike" in str(live.status().error)
    assert push(live, source, "a: 3") is Outcome.RELOADED
    assert live.status().error is None
    live.close()
    assert_all_closed(live)


def test_the_format_is_told_by_the_name() -> None:
    """As a file's is, and places are found in it."""
    source = MemorySource("a = 1", "app.toml")
    live = ReloadCheck(source)
    live.start()
    assert live.snapshot.config == {"a": 1}
    assert push(live, source, "a = 1\na = 2") is Outcome.REJECTED
    assert "app.toml:2:" in str(live.status().error)
    live.close()


def test_a_broken_start_is_raised() -> None:
    """A broken first content fails the start as a file's does, also one that is too large."""
    clock = SteadyClock()
    with pytest.raises(ConfigSyntaxError):
        ReloadCheck(MemorySource("a: [")).start()
    live = ReloadCheck(MemorySource("a: 12345"), max_bytes=4, patience=2.0, clock=clock)
    with pytest.raises(Exception, match="larger than 4 bytes"):
        Call(live.start).result(clock, 0.1)


@pytest.mark.parametrize("settles", [False, True], ids=["quiet at once", "has to settle"])
def test_push_on_a_fake_clock(settles: bool) -> None:
    """Time passes by itself where the edit has to settle, and only as far as it has to."""
    clock = FakeClock()
    source = MemorySource("a: 1", clock=clock if settles else None)
    live = ReloadCheck(source, clock=clock, settle=0.5)
    begun = clock.monotonic()
    assert push(live, source, "a: 2", clock=clock if settles else None) is Outcome.RELOADED
    assert live.snapshot.config == {"a": 2}
    assert (clock.monotonic() - begun >= 0.5) is settles
    live.close()
    assert_all_closed(live)


@pytest.mark.parametrize("settles", [False, True], ids=["quiet at once", "has to settle"])
def test_push_in_async_tests(settles: bool) -> None:
    """The async twin does the same without blocking the loop, with async factories."""

    async def main() -> None:
        clock = FakeClock()
        source = MemorySource("a: 1", clock=clock if settles else None)
        live = ReloadCheck(source, clock=clock, settle=0.5)
        clients = AsyncRecordingFactory("client")
        live.resource("a", probe=clients.probe)(clients)
        passing = clock if settles else None
        assert await apush(live, source, "a: 1", clock=passing) is Outcome.RELOADED
        assert await apush(live, source, "a: 2", clock=passing) is Outcome.RELOADED
        assert await apush(live, source, "a: [", clock=passing) is Outcome.REJECTED
        clients.probe_error = ConnectionError("gone")
        assert await apush(live, source, "a: 3", clock=passing) is Outcome.REJECTED
        assert (await live.astatus(probe=True)).failed_probes == ("client",)
        await live.aclose()
        assert_all_closed(live)
        assert (clients.log) == [
            "+client1",
            "+client2",
            "-client1",
            "+client3",
            "-client3",
            "-client2",
        ]

    asyncio.run(main())


def test_recording_factories_remember() -> None:
    """What was asked of them, what is open, and in which order it was closed."""
    source, log = MemorySource("a: 1\nb: 1"), list[str]()
    live = ReloadCheck(source)
    pools, users = RecordingFactory("pool", log=log), RecordingFactory("user", log=log)
    pool = live.resource("a", probe=pools.probe)(pools)
    live.resource("b", needs=[pool])(users)
    live.start()
    with live.lease() as snapshot:
        assert snapshot[pool] is pools.built[0]
        assert users.built[0].arguments == (1, snapshot[pool])
    pools.build_error = ConnectionError("nobody there")
    assert push(live, source, "a: 2\nb: 1") is Outcome.REJECTED
    assert pools.open == pools.built[:1]
    pools.build_error, pools.probe_error = None, ConnectionError("sick")
    assert push(live, source, "a: 3\nb: 1") is Outcome.REJECTED
    pools.probe_error = None
    assert push(live, source, "a: 4\nb: 1") is Outcome.RELOADED
    live.close()
    assert_all_closed(live)
    assert pools.open == []
    assert {one.closes for one in pools.built} == {1}
    assert log[:3] == ["+pool1", "+user1", "+pool2"]
    assert log[-2:] == ["-user2", "-pool3"]
    assert "4" not in repr(pools.built)


def test_an_open_engine_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is not closed fails the assertion, which names the leases, instances and threads."""
    monkeypatch.setattr("reloadcheck.testing.open.MOMENT", 0.02)
    live: ReloadCheck[Any] = ReloadCheck(MemorySource("a: 1"), drain=0.0)
    assert_all_closed(live)
    pools = RecordingFactory("pool")
    live.resource("a")(pools)
    lease = live.lease()
    lease.take()
    with pytest.raises(AssertionError, match=r"1 lease\(s\) on version 1; the engine, .* serving"):
        assert_all_closed(live)
    live.close()
    with pytest.raises(AssertionError, match=r"1 lease\(s\) that were not given back"):
        assert_all_closed(live)


def test_an_open_instance_and_its_thread_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A close that hangs is told for as long as it hangs."""
    monkeypatch.setattr("reloadcheck.testing.open.MOMENT", 0.02)
    gate = threading.Event()

    def pool(a: int) -> Iterator[int]:
        yield a
        gate.wait(30)

    live: ReloadCheck[Any] = ReloadCheck(MemorySource("a: 1"), drain=0.0)
    live.resource("a")(pool)
    live.start()
    live.close()
    try:
        with pytest.raises(AssertionError, match=r"1 instance\(s\) of resource pool; thread rel"):
            assert_all_closed(live)
    finally:
        gate.set()


def test_the_earlier_names_of_a_recording_factorys_errors_still_work() -> None:
    """For one release, and they say what they are called now."""
    error = ConnectionError("gone")
    with pytest.warns(DeprecationWarning, match="fault is called build_error"):
        pools = RecordingFactory(fault=error)
    assert pools.build_error is error
    with pytest.warns(DeprecationWarning, match="sick is called probe_error"):
        pools.sick = error
    assert pools.probe_error is error
    with pytest.warns(DeprecationWarning, match="is called"):
        assert (pools.fault, pools.sick) == (error, error)
