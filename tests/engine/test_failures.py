"""Failure of every part, beyond the table: late failures, many edits meanwhile, and the close."""

import asyncio
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadEvent
from reloadcheck._config.diff import diff
from reloadcheck._engine.loading import VALIDATION_TIMEOUT
from reloadcheck.testing import FakeClock, RecordingFactory, assert_all_closed
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload, threads_named, until
from tests.support.stage import CANARY, Stage, staged

FAULTS: list[type[BaseException]] = [
    Exception,
    RecursionError,
    MemoryError,
    SystemExit,
    KeyboardInterrupt,
    asyncio.CancelledError,
]


@pytest.fixture(params=["sync", "async"])
def stage(request: pytest.FixtureRequest, make: Make) -> Iterator[Stage]:
    """An engine on version 1 with three resources, the middle one sync or async."""
    with staged(make, sync=request.param == "sync") as stage:
        yield stage


def holds(stage: Stage, version: int) -> None:
    """Assert that this version serves with all three of its resources open."""
    snapshot = stage.live.snapshot
    assert snapshot.version == version
    assert len(snapshot.resources) == 3
    # An async one may be read outside any loop: nobody can misuse it there unknowingly.
    assert snapshot.resources["low"].startswith("low")
    assert snapshot.resources["top"].startswith("top")


@pytest.mark.parametrize("late", FAULTS[:4], ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("part", ["build", "probe"])
def test_what_hangs_and_fails_late_is_told_once(
    stage: Stage, text: Text, clock: FakeClock, part: str, late: type[BaseException]
) -> None:
    """A hang rejects at the time-out; what it raises late changes nothing more; it heals."""
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
            self.gate.wait(30)
        if self.fault is not None:
            raise self.fault(CANARY)
        return tree


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


@pytest.mark.parametrize("sync", [True, False], ids=["sync", "async"])
def test_a_listener_that_hangs_holds_up_nothing(stage: Stage, text: Text, sync: bool) -> None:
    """While it hangs reloads go on, others hear of them, and it holds one thread at most."""
    gate, entered, heard = threading.Event(), list[int](), list[int]()

    def slow(event: ReloadEvent) -> None:
        entered.append(event.version or 0)
        gate.wait(30)

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
    assert heard == [2, 3, 4, 5, 6]
    assert entered == [2]
    assert len(threads_named("listener")) <= 1
    gate.set()
    until(lambda: entered[-1] == 6)


# ---------------------------------------------------------------- between build and swap


def test_nothing_is_lost_between_build_and_swap(
    make: Make, text: Text, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A close that comes at any moment of a reload leaves no built resource open."""
    live, pools = make(), RecordingFactory("pool")
    gate, comparing, real = threading.Event(), threading.Event(), diff

    def slow(*trees: Any) -> Any:
        comparing.set()
        gate.wait(30)
        return real(*trees)

    live.resource("a")(pools)
    begin(live)
    monkeypatch.setattr("reloadcheck._engine.reloader.diff", slow)
    text.write("a: 2")
    checking = Call(live.check)
    assert comparing.wait(30)
    closing = Call(live.close)
    closing.join(0.02)
    gate.set()
    closing.result()
    checking.result()
    assert_all_closed(live)
    assert {one.closes for one in pools.built} == {1}


def test_closing_does_not_wait_for_a_build(stage: Stage, text: Text, clock: FakeClock) -> None:
    """A build under way is given up at `close()`: cancelled where it can be, else left alone."""
    stage.part, stage.gate = "build", threading.Event()
    text.write("a: 2")
    checking = Call(stage.live.check)
    until(lambda: stage.entered)
    Call(stage.live.close).result()
    checking.result()
    assert stage.live.status().state in ("closed", "idle")
    assert sorted(stage.log, key=["+low2", "-low2", "-top1", "-mid1", "-low1"].index) == [
        "+low2",
        "-low2",
        "-top1",
        "-mid1",
        "-low1",
    ]
    stage.gate.set()
    until(lambda: not threads_named("mid"))
    time.sleep(0.01)
    assert stage.log.count("+mid2") == stage.log.count("-mid2")


# ------------------------------------------------------------------------------- logging


class Blocking(logging.Handler):
    """A handler whose log server does not answer until the gate opens."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.gate, self.entered = threading.Event(), threading.Event()

    def emit(self, record: logging.LogRecord) -> None:
        """Wait for the server."""
        self.entered.set()
        self.gate.wait(30)


@pytest.fixture
def blocking() -> Iterator[Blocking]:
    """A blocking handler on the package's logger."""
    logger, handler = logging.getLogger("reloadcheck"), Blocking()
    level = logger.level
    logger.setLevel(logging.INFO)
    handler.gate.set()
    logger.addHandler(handler)
    yield handler
    handler.gate.set()
    logger.removeHandler(handler)
    logger.setLevel(level)


def test_a_logging_handler_that_blocks_holds_up_reloads_and_no_busy_request(
    make: Make, text: Text, clock: FakeClock, blocking: Blocking
) -> None:
    """While it blocks a busy app serves on, the new version even; once it returns all goes on."""
    live = make(window=1.0)
    begin(live)
    text.write("a: 2")
    blocking.gate.clear()
    blocking.entered.clear()
    checking = Call(live.check)
    assert blocking.entered.wait(30)

    def served() -> int:
        with live.lease() as snapshot:
            return int(snapshot.config["a"])

    for _ in range(5):  # a request in each window
        clock.advance(0.9)
        assert Call(served).result() == 2
    assert live.status().state == "serving"
    text.write("a: 3")
    blocking.gate.set()
    checking.result()
    until(lambda: Call(served).result() == 3, clock)
