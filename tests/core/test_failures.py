"""Failure of every part: what foreign code does wrong, and what must come of it, cell by cell."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck, ReloadEvent
from reloadcheck._check import VALIDATION_TIMEOUT
from reloadcheck._diff import diff
from reloadcheck.testing import FakeClock

from .conftest import Make
from .loops import Loop
from .rig import Call, Text, begin, reload, threads_named, until

FAULTS: list[type[BaseException]] = [
    Exception,
    RecursionError,
    MemoryError,
    SystemExit,
    KeyboardInterrupt,
    asyncio.CancelledError,
]
CANARY = "canary-of-the-error"


class Stage:
    """Three resources `low`, `mid`, `top`; `mid` can be told to fail in any part.

    `fault` is what `part` of `mid` raises; with `gate` it hangs there until the gate opens.
    """

    def __init__(self, live: "ReloadCheck[Any]", *, sync: bool) -> None:
        self.live = live
        self.log: list[str] = []
        self.part = ""
        self.fault: type[BaseException] | None = None
        self.gate: threading.Event | None = None
        self.entered = 0
        self.low = live.resource("a", name="low", timeout=5.0)(self._sync("low"))
        factory = self._sync("mid") if sync else self._async("mid")
        probe = self._probe_sync if sync else self._probe_async
        mid: Any = live.resource("a", name="mid", needs=[self.low], probe=probe, timeout=5.0)
        self.mid = mid(factory)
        self.top = live.resource("a", name="top", needs=[self.mid], timeout=5.0)(self._sync("top"))

    def _sync(self, name: str) -> Any:
        def factory(a: int, *needs: object) -> Iterator[str]:
            if name == "mid":
                self._part("build")
            self.log.append(f"+{name}{a}")
            yield f"{name}{a}"
            self.log.append(f"-{name}{a}")
            if name == "mid":
                self._part("close")

        return factory

    def _async(self, name: str) -> Any:
        async def factory(a: int, *needs: object) -> AsyncIterator[str]:
            await self._part_async("build")
            self.log.append(f"+{name}{a}")
            try:
                yield f"{name}{a}"
            finally:
                self.log.append(f"-{name}{a}")
            await self._part_async("close")

        return factory

    def _probe_sync(self, value: str) -> bool:
        self._part("probe")
        return True

    async def _probe_async(self, value: str) -> bool:
        await self._part_async("probe")
        return True

    def _part(self, part: str) -> None:
        if part != self.part:
            return
        self.entered += 1
        if self.gate is not None:
            self.gate.wait(10)
        if self.fault is not None:
            raise self.fault(CANARY)

    async def _part_async(self, part: str) -> None:
        if part != self.part:
            return
        self.entered += 1
        while self.gate is not None and not self.gate.is_set():
            await asyncio.sleep(0.002)
        if self.fault is not None:
            raise self.fault(CANARY)

    def counts(self) -> set[int]:
        """Give how many instances there are of each."""
        return {one.instances for one in self.live.status().resources}


@pytest.fixture(params=["sync", "async"])
def stage(request: pytest.FixtureRequest, make: Make) -> Iterator[Stage]:
    """An engine on version 1 with three resources, the middle one sync or async."""
    live = make()
    stage = Stage(live, sync=request.param == "sync")
    loop = Loop()
    loop.run(live.astart())
    assert live.check() is Outcome.UNCHANGED
    del stage.log[:]
    yield stage
    if stage.gate is not None:
        stage.gate.set()
    stage.part = ""
    loop.run(live.aclose())
    loop.close()


def holds(stage: Stage, version: int) -> None:
    """Assert that this version serves with all three of its resources open."""
    snapshot = stage.live.snapshot
    assert snapshot.version == version
    assert len(snapshot.resources) == 3
    # An async one may be read outside any loop: nobody can misuse it there unknowingly.
    assert snapshot.resources["low"].startswith("low")
    assert snapshot.resources["top"].startswith("top")


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("part", ["build", "probe"])
def test_what_a_factory_or_probe_raises_rejects_the_edit(
    stage: Stage,
    text: Text,
    part: str,
    fault: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """All or nothing: what was built closes in reverse, the old serves on, an edit heals."""
    stage.part, stage.fault = part, fault
    text.write("a: 2")
    assert Call(stage.live.check).result() is Outcome.REJECTED
    built = ["+low2"] + ["+mid2"] * (part == "probe")
    until(lambda: stage.counts() == {1})
    assert built + [f"-{name[1:]}" for name in reversed(built)] == stage.log
    holds(stage, 1)
    error = str(stage.live.status().error)
    assert fault.__name__ in error
    assert "'mid'" in error
    assert sum(record.levelname == "WARNING" for record in caplog.records) == 1
    stage.part = ""
    text.write("a: 3")
    reload(stage.live)
    holds(stage, 2)
    assert stage.live.status().error is None


@pytest.mark.parametrize(
    "late", [None, *FAULTS[:4]], ids=["success", *(f.__name__ for f in FAULTS[:4])]
)
@pytest.mark.parametrize("part", ["build", "probe"])
def test_what_hangs_is_abandoned_and_never_published(
    stage: Stage, text: Text, clock: FakeClock, part: str, late: type[BaseException] | None
) -> None:
    """A hang rejects at the time-out; a late result is closed where it was made; it heals."""
    stage.part, stage.gate = part, threading.Event()
    text.write("a: 2")
    checking = Call(lambda: stage.live.check())
    until(lambda: stage.entered == 1)
    clock.advance(4.9)
    checking.join(0.02)
    clock.advance(0.2)
    checking.result()
    until(lambda: stage.live.status().code == "timeout")
    holds(stage, 1)
    stage.fault = late
    stage.gate.set()
    until(lambda: stage.counts() == {1})
    until(lambda: not threads_named("mid"))
    until(lambda: stage.log.count("-low2") == 1)
    assert stage.log.count("+mid2") == stage.log.count("-mid2")
    holds(stage, 1)
    stage.part = ""
    text.write("a: 3")
    until(lambda: Call(stage.live.check).result() is not Outcome.REJECTED)
    until(lambda: stage.live.snapshot.version == 2)
    holds(stage, 2)
    assert stage.live.snapshot.config["a"] == 3


@pytest.mark.parametrize("part", ["build", "probe"])
def test_at_most_one_thread_of_a_resource_is_stuck(
    stage: Stage, text: Text, clock: FakeClock, part: str
) -> None:
    """However many edits come while a call hangs, no second one of that resource is made."""
    stage.part, stage.gate = part, threading.Event()
    for number in range(2, 7):
        text.write(f"a: {number}")
        checking = Call(stage.live.check)
        checking.result(clock, step=0.5)
        until(lambda: stage.live.status().outcome is not Outcome.UNCHANGED, clock)
        until(lambda: len(threads_named("mid")) <= 1)  # the close of what the probe hangs on ends
    holds(stage, 1)
    assert stage.counts() <= {1, 2}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_closer_that_raises_stops_no_other(
    stage: Stage, text: Text, fault: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """The others still close, in reverse order; the failure is logged without its text."""
    stage.part, stage.fault = "close", fault
    text.write("a: 2")
    reload(stage.live)
    until(lambda: stage.counts() == {1})
    assert ["+low2", "+mid2", "+top2", "-top1", "-mid1", "-low1"] == stage.log
    holds(stage, 2)
    assert f"closing resource mid raised {fault.__name__}" in caplog.text
    assert CANARY not in caplog.text


def test_a_closer_that_hangs_stops_no_other(
    stage: Stage, text: Text, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """After its time-out the others still close, and the engine goes on."""
    stage.part, stage.gate = "close", threading.Event()
    text.write("a: 2")
    reload(stage.live)
    until(lambda: stage.entered)
    assert "-low1" not in stage.log
    clock.advance(5.1)
    until(lambda: "-low1" in stage.log)
    until(lambda: stage.counts() == {1})
    assert "closing resource mid did not return within 5 s" in caplog.text
    holds(stage, 2)
    stage.gate.set()
    until(lambda: not threads_named("mid-close"))
    stage.part = ""
    text.write("a: 3")
    until(lambda: Call(stage.live.check).result() is not Outcome.REJECTED)
    until(lambda: stage.live.snapshot.version == 3)


# ------------------------------------------------------------------------------- schemas


class Schema:
    """A callable schema that fails or hangs when told to."""

    def __init__(self) -> None:
        self.fault: type[BaseException] | None = None
        self.gate: threading.Event | None = None
        self.calls = 0

    def __call__(self, tree: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        if self.gate is not None:
            self.gate.wait(10)
        if self.fault is not None:
            raise self.fault(CANARY)
        return tree


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_a_validator_raises_rejects_the_edit(
    make: Make, text: Text, fault: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever a callable schema raises rejects that edit, and the next good one heals."""
    schema = Schema()
    live = make(schema=schema)
    begin(live)
    schema.fault = fault
    text.write("a: canary-of-the-file")
    assert live.check() is Outcome.REJECTED
    assert live.check() is Outcome.REJECTED
    assert schema.calls == 2
    assert live.status().code == "schema"
    assert fault.__name__ in str(live.status().error)
    assert "canary-of-the-file" not in caplog.text
    schema.fault = None
    text.write("a: 3")
    reload(live)
    assert live.snapshot.version == 2


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_what_a_validator_raises_at_the_start_is_raised(
    make: Make, fault: type[BaseException]
) -> None:
    """On the first start the same is an exception of ours, never the foreign one."""
    schema = Schema()
    schema.fault = fault
    live = make(schema=schema)
    with pytest.raises(Exception, match=fault.__name__) as caught:
        live.start()
    assert type(caught.value).__name__ == "SchemaError"
    assert caught.value.__context__ is None


def test_a_validator_that_hangs_rejects_and_holds_one_thread(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """At the time-out the edit is rejected; further edits add no stuck thread; it heals."""
    schema = Schema()
    live = make(schema=schema, patience=1.0)
    begin(live)
    schema.gate = threading.Event()
    for number in range(2, 6):
        text.write(f"a: {number}")
        Call(live.check).result(clock, step=0.3)
        clock.advance(VALIDATION_TIMEOUT)
        until(lambda: live.status().outcome is Outcome.REJECTED)
        assert len(threads_named("schema")) <= 1
    assert schema.calls == 2
    assert live.snapshot.version == 1
    schema.gate.set()
    until(lambda: not threads_named("schema"))
    text.write("a: 9")
    reload(live)
    assert live.snapshot.config["a"] == 9


# ----------------------------------------------------------------------------- listeners


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
def test_a_listener_that_raises_is_logged_and_isolated(
    stage: Stage,
    text: Text,
    sync: bool,
    fault: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The others hear of it all the same, the swap stands, and the text is not logged."""
    heard: list[ReloadEvent] = []

    def bad(event: ReloadEvent) -> None:
        raise fault(CANARY)

    async def bad_async(event: ReloadEvent) -> None:
        raise fault(CANARY)

    stage.live.subscribe(bad if sync else bad_async)
    stage.live.subscribe(heard.append)
    for version in (2, 3):
        text.write(f"a: {version}")
        reload(stage.live)
        until(lambda: len(heard) == version - 1)  # noqa: B023
        holds(stage, version)
    until(lambda: caplog.text.count(f"a listener raised {fault.__name__}") == 2)
    assert CANARY not in caplog.text


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
def test_a_listener_that_hangs_holds_up_nothing(stage: Stage, text: Text, sync: bool) -> None:
    """While it hangs reloads go on, others hear of them, and it holds one thread at most."""
    gate, entered, heard = threading.Event(), list[int](), list[int]()

    def slow(event: ReloadEvent) -> None:
        entered.append(event.version or 0)
        gate.wait(10)

    async def slow_async(event: ReloadEvent) -> None:
        entered.append(event.version or 0)
        while not gate.is_set():
            await asyncio.sleep(0.002)

    stage.live.subscribe(slow if sync else slow_async)
    stage.live.subscribe(lambda event: heard.append(event.version or 0))
    for number in range(2, 7):
        text.write(f"a: {number}")
        reload(stage.live)
        until(lambda: stage.counts() == {1})
    until(lambda: len(heard) == 5)
    assert [2, 3, 4, 5, 6] == heard
    assert [2] == entered
    assert len(threads_named("listener")) <= 1
    gate.set()
    until(lambda: entered[-1] == 6)


# ---------------------------------------------------------------- between build and swap


def test_nothing_is_lost_between_build_and_swap(
    make: Make, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A close that comes at any moment of a reload leaves no built resource open."""
    live, log = make(), list[str]()
    gate, comparing, real = threading.Event(), threading.Event(), diff

    def slow(*trees: Any) -> Any:
        comparing.set()
        gate.wait(10)
        return real(*trees)

    @live.resource("a")
    def pool(a: int) -> Iterator[int]:
        log.append(f"+{a}")
        yield a
        log.append(f"-{a}")

    begin(live)
    monkeypatch.setattr("reloadcheck._reload.diff", slow)
    text.write("a: 2")
    checking = Call(live.check)
    assert comparing.wait(5)
    closing = Call(live.close)
    closing.join(0.02)
    gate.set()
    closing.result()
    checking.result()
    assert sorted(one[1:] for one in log if one[0] == "+") == sorted(
        one[1:] for one in log if one[0] == "-"
    )


def test_closing_does_not_wait_for_a_build(stage: Stage, text: Text, clock: FakeClock) -> None:
    """A build under way is given up at `close()`: cancelled where it can be, else left alone."""
    stage.part, stage.gate = "build", threading.Event()
    text.write("a: 2")
    checking = Call(stage.live.check)
    until(lambda: stage.entered)
    Call(stage.live.close).result()
    checking.result()
    assert stage.live.status().phase in ("closed", "idle")
    assert ["+low2", "-low2", "-top1", "-mid1", "-low1"] == sorted(
        stage.log, key=["+low2", "-low2", "-top1", "-mid1", "-low1"].index
    )
    stage.gate.set()
    until(lambda: not threads_named("mid"))
    time.sleep(0.01)
    assert stage.log.count("+mid2") == stage.log.count("-mid2")
