"""Probes on demand: what serves is asked whether it works, and nothing else comes of it.

Long because a probe may be sync or async, slow, hanging or broken, and is asked alone and with
others.
"""

import asyncio
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import BlockingCallError, Outcome, ProbeOutcome, ReloadCheck, Status
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import AsyncRecordingFactory, FakeClock, RecordingFactory, push
from tests.support.fixtures import Make
from tests.support.loops import Loop
from tests.support.rig import Call, Text, begin, same, threads_named, until


class Ward:
    """Two resources whose probes can be told to hang or to fail; `pool` is sync or async.

    `calls` counts the probes of `pool`, `cancelled` those that were given up; while there is a
    `gate` they hang there.
    """

    def __init__(self, live: "ReloadCheck[Any]", *, sync: bool) -> None:
        self.live = live
        self.sync = sync
        self.calls = self.cancelled = 0
        self.gate: threading.Event | None = None
        self.sick: object = None
        self.log: list[str] = []
        factory = (RecordingFactory if sync else AsyncRecordingFactory)("pool", log=self.log)
        probe = self._probe if sync else self._probe_async
        pool: Any = live.resource("a", probe=probe, timeout=5.0)
        self.pool = pool(factory)
        live.resource("b")(RecordingFactory("plain"))
        self.other = RecordingFactory("other")
        live.resource("b", probe=self.other.probe, timeout=3.0)(self.other)

    def _probe(self, _: object) -> bool:
        self.calls += 1
        if self.gate is not None:
            self.gate.wait(30)
        return self._verdict()

    async def _probe_async(self, _: object) -> bool:
        self.calls += 1
        gate = self.gate
        try:
            while gate is not None and not gate.is_set():
                await asyncio.sleep(0.002)
        except asyncio.CancelledError:
            self.cancelled += 1
            raise
        return self._verdict()

    def _verdict(self) -> bool:
        if isinstance(self.sick, BaseException):
            raise self.sick
        return self.sick is None

    def ask(self) -> "Call[Status]":
        """Ask in a thread of its own."""
        return Call(lambda: self.live.status(probe=True))

    def hang(self) -> None:
        """Have the next probes hang."""
        self.gate, self.calls = threading.Event(), 0


@pytest.fixture(params=["sync", "async"])
def ward(request: pytest.FixtureRequest, make: Make) -> Iterator[Ward]:
    """A started engine, whose home loop runs in a thread of its own."""
    ward = Ward(make(secrets=["a"]), sync=request.param == "sync")
    loop = Loop()
    loop.run(ward.live.astart())
    assert ward.live.check() is Outcome.UNCHANGED
    yield ward
    if ward.gate is not None:
        ward.gate.set()
    loop.run(ward.live.aclose())
    loop.close()


class Speechless(Exception):
    """An error that cannot even say what it is."""

    def __str__(self) -> str:
        raise RuntimeError("canary1")


def outcomes(status: Status) -> dict[str, str]:
    """Return what each probe came to."""
    return {one.name: one.probe.outcome.value for one in status.resources if one.probe is not None}


def error(status: Status, name: str) -> str:
    """Return the error of one probe."""
    (found,) = [one.probe for one in status.resources if one.name == name]
    return "" if found is None else str(found.error)


def test_each_resource_is_told(ward: Ward) -> None:
    """Passed where it passes, and a resource without a probe is told as not probed."""
    status = ward.live.status(probe=True)
    assert outcomes(status) == {"pool": "passed", "plain": "not probed", "other": "passed"}
    assert status.failed_probes == ()
    assert outcomes(ward.live.status()) == {}
    assert ward.live.status().leases == {1: 0}


@pytest.mark.parametrize(
    "sick",
    [
        ConnectionError("no route for canary1"),
        SystemExit("canary1"),
        asyncio.CancelledError("canary1"),
        Speechless(),
        False,
    ],
    ids=["Exception", "SystemExit", "CancelledError", "no text", "False"],
)
def test_a_failing_probe_changes_nothing(ward: Ward, text: Text, sick: object) -> None:
    """It says so without a value of the configuration; the resource serves on, the same object."""
    assert push(ward.live, text, "a: canary1\nb: 1") is Outcome.RELOADED
    pool = ward.live.snapshot.resources["pool"]
    ward.sick = sick
    status = ward.live.status(probe=True)
    assert status.failed_probes == ("pool",)
    assert "canary1" not in str(status)
    expected = "returned False" if sick is False else f"raised {type(sick).__name__}"
    assert error(status, "pool").startswith(expected)
    assert (status.version, status.outcome, status.error) == (2, Outcome.UNCHANGED, None)
    ward.sick = None
    status = ward.live.status(probe=True)
    assert status.failed_probes == ()
    assert ward.live.snapshot.resources["pool"] is pool
    assert not pool.closed


def test_a_hanging_probe_times_out_and_is_not_called_again(ward: Ward, clock: FakeClock) -> None:
    """Each has its own time-out; one that still hangs is told so, and passes once it returns."""
    ward.hang()
    asking = ward.ask()
    until(lambda: ward.calls == 1)
    clock.advance(4.9)
    asking.join(0.02)
    assert asking.waits
    clock.advance(0.2)
    status = asking.result()
    assert outcomes(status) == {"pool": "timeout", "plain": "not probed", "other": "passed"}
    assert error(status, "pool") == "did not return within 5 s"
    assert ward.live.status().leases == {1: 0}
    if ward.sync:  # a thread cannot be stopped, a task can
        for _ in range(3):
            assert outcomes(ward.live.status(probe=True))["pool"] == "still running"
        assert (ward.calls, len(threads_named("pool-probe"))) == (1, 1)
    else:
        until(lambda: ward.cancelled)
    thread = engine_of(ward.live).thread
    assert thread is not None
    assert thread.scheduler.probing.step() is None  # what hangs does not keep the engine awake
    assert ward.gate is not None
    ward.gate.set()
    until(lambda: outcomes(ward.live.status(probe=True))["pool"] == "passed")


def test_all_are_asked_at_once(make: Make, clock: FakeClock) -> None:
    """Ten probes that hang take one time-out, not ten."""
    live, gate, calls = make(), threading.Event(), list[str]()
    armed = False

    def hang(name: object) -> None:
        if armed:
            calls.append(str(name))
            gate.wait(30)

    for number in range(10):
        live.resource("a", name=f"r{number}", probe=hang, timeout=5.0)(same)
    begin(live)
    armed = True
    asking = Call(lambda: live.status(probe=True))
    until(lambda: len(calls) == 10)
    clock.advance(5.1)
    assert len(asking.result().failed_probes) == 10
    gate.set()
    until(lambda: not threads_named("probe"))


def test_those_who_ask_together_share_a_call(ward: Ward) -> None:
    """Many readiness checks at a time are one call of each probe, and the next is a new one."""
    ward.hang()
    asking = [ward.ask() for _ in range(5)]
    until(lambda: ward.calls == 1)
    until(lambda: ward.live.status().leases == {1: 5})
    assert ward.gate is not None
    ward.gate.set()
    assert [one.result().failed_probes for one in asking] == [()] * 5
    assert ward.calls == 1
    assert ward.live.status(probe=True).failed_probes == ()
    assert ward.calls == 2


def test_what_is_probed_is_held(ward: Ward, text: Text) -> None:
    """A reload neither waits for a probe on demand nor closes what it is at; the next asks anew."""
    ward.hang()
    gate = ward.gate
    first = ward.ask()
    until(lambda: ward.calls == 1)
    ward.gate = None
    assert push(ward.live, text, "a: 2\nb: 1") is Outcome.RELOADED
    assert ward.calls == 2
    assert ward.log == ["+pool1", "+pool2"]
    second = ward.ask()
    until(lambda: ward.live.status().leases == {1: 1, 2: 1})
    second.join(0.02)
    assert second.waits  # for the first version's call to end: at most one hangs
    assert gate is not None
    gate.set()
    assert (first.result().failed_probes, second.result().failed_probes) == ((), ())
    assert ward.calls == 3
    until(lambda: ward.log == ["+pool1", "+pool2", "-pool1"])


def test_closing_does_not_wait_for_a_probe(ward: Ward) -> None:
    """Who asks is answered when the engine closes, and the lease is given back."""
    ward.hang()
    asking = ward.ask()
    until(lambda: ward.calls == 1)
    Call(ward.live.close).result()
    status = asking.result()
    assert outcomes(status)["pool"] == "not probed"
    assert status.failed_probes == ("pool", "other")
    assert ward.log == ["+pool1", "-pool1"]


def test_an_engine_with_nothing_to_probe(make: Make, text: Text) -> None:
    """Asking starts nothing; while there is no good configuration nothing counts as passed."""
    live = make()
    pools = RecordingFactory("pool")
    live.resource("a", probe=pools.probe)(pools)
    assert live.status(probe=True).state == "idle"
    text.write("a: [")
    assert live.check() is Outcome.REJECTED
    status = live.status(probe=True)
    assert outcomes(status) == {"pool": "not probed"}
    assert status.failed_probes == ("pool",)


def test_the_home_loop_asks_with_astatus(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """In the home loop's own thread the sync call names its twin, which blocks nothing."""

    async def main() -> None:
        ward = Ward(make(secrets=["a"]), sync=False)
        await ward.live.astart()
        with pytest.raises(BlockingCallError, match=r"await live\.astatus\(probe=True\)"):
            ward.live.status(probe=True)
        assert ward.live.status().state == "serving"
        ward.hang()
        asking = asyncio.ensure_future(ward.live.astatus(probe=True))
        while not ward.calls:
            await asyncio.sleep(0)
        assert ward.gate is not None
        ward.gate.set()
        assert (await asking).failed_probes == ()
        assert outcomes(await ward.live.astatus()) == {}
        abandoned = asyncio.ensure_future(ward.live.astatus(probe=True))
        await asyncio.sleep(0)
        abandoned.cancel()
        assert (await ward.live.astatus(probe=True)).failed_probes == ()
        await ward.live.aclose()

    asyncio.run(main())
    assert "failed inside" not in caplog.text


def test_an_engine_that_is_switched_off_is_probed_too(make: Make) -> None:
    """Off means that nothing is reloaded; whether a database answers can be asked all the same."""
    live, pools = make(enabled=False), RecordingFactory("pool")
    live.resource("a", probe=pools.probe)(pools)
    live.start()
    assert live.status(probe=True).failed_probes == ()
    pools.probe_error = ConnectionError("down")
    assert live.status(probe=True).failed_probes == ("pool",)


def test_a_sync_resource_may_have_an_async_probe(make: Make) -> None:
    """It is called in the home loop, from whichever thread asks."""
    seen: list[str] = []

    async def probe(_: object) -> None:
        seen.append(threading.current_thread().name)

    live = make()
    live.resource("a", name="pool", probe=probe)(same)
    loop = Loop()
    loop.run(live.astart())
    assert outcomes(live.status(probe=True))["pool"] == ProbeOutcome.PASSED
    assert len(seen) == 2
    assert {loop.name} == set(seen)
    loop.run(live.aclose())
    loop.close()


def test_a_loop_that_ended_is_told(make: Make) -> None:
    """A probe whose event loop is closed has failed; it does not hang."""
    live = make()

    async def probe(_: object) -> None: ...

    live.resource("a", name="pool", probe=probe)(same)
    loop = Loop()
    loop.run(live.astart())
    loop.close()
    assert error(live.status(probe=True), "pool") == "its event loop has ended"
