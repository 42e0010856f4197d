"""The deadline of a drain: what is used beyond it is closed, told by name, and counted."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck, ResourceClosedError, Snapshot, reload_check
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload, same, until

from .pools import DRAIN, Pools


@pytest.mark.usefixtures("outliving")
def test_the_deadline_closes_what_is_still_used(
    pools: Pools, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """At the drain deadline it is closed all the same: counted, and logged with path and number."""
    leases = [caller(pools.live) for _ in range(3)]
    snapshot = pools.live.snapshot
    assert snapshot[pools.pool] == 1  # in no unit's own context: it is anybody's
    assert pools.edit(2) is Outcome.RELOADED
    clock.advance(DRAIN - 0.1)
    assert pools.live.check() is Outcome.UNCHANGED
    assert pools.log == ["+1", "+2"]
    clock.advance(0.2)
    until(lambda: pools.log == ["+1", "+2", "-1"])
    with pytest.raises(ResourceClosedError, match="pool"):
        snapshot[pools.pool]
    assert snapshot.config["a"] == 1
    assert pools.live.status().forced_closes == 1
    assert pools.live.status().resources[0].forced_closes == 1
    (warning,) = [r.getMessage() for r in caplog.records if r.levelname == "WARNING"]
    assert "resource pool of version 1" in warning
    words = "closed after 30.1 s of drain (its next use fails): 3 units of work still use it"
    assert words in warning
    assert warning.endswith(f": caller (test_deadline.py:{caller.__code__.co_firstlineno})")
    for lease in leases:
        lease.give_back()
    until(lambda: pools.live.status().leases == {2: 0})
    assert pools.log == ["+1", "+2", "-1"]


@pytest.mark.usefixtures("outliving")
def test_the_warning_names_the_paths_that_hold_on(
    pools: Pools, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever reads the log learns which path of the application does not end."""
    from reloadcheck.wsgi import ReloadCheckMiddleware

    def stream(*_: object) -> Iterator[bytes]:
        assert pools.live.current()[pools.pool] == 1
        return iter([b"x"])

    app = ReloadCheckMiddleware(stream, pools.live)
    bodies: list[Any] = [
        app({"PATH_INFO": path}, lambda *_: None) for path in ("/stream", "/stream", "/export")
    ]
    assert pools.edit(2) is Outcome.RELOADED
    clock.advance(DRAIN + 1)
    until(lambda: "-1" in pools.log)
    assert "3 units of work still" in caplog.text
    assert "still use it: /export, /stream" in caplog.text
    for body in reversed(bodies):
        body.close()


def caller(live: "ReloadCheck[Any]") -> Any:
    """Take a lease and give it away."""
    lease = live.lease()
    lease.take()
    return lease


@pytest.mark.usefixtures("outliving")
@pytest.mark.parametrize("kind", ["lease", "named", "function", "generator", "coroutine"])
def test_the_warning_names_the_code_that_holds_on(
    pools: Pools, clock: FakeClock, kind: str, caplog: pytest.LogCaptureFixture
) -> None:
    """A lease by the function that took it or its name, a decorated function by its own."""
    gate, entered = threading.Event(), threading.Event()

    @reload_check(pools.live)
    def function() -> None:
        assert pools.live.current()[pools.pool] == 1
        entered.set()
        gate.wait(30)

    @reload_check(pools.live)
    def generator() -> Iterator[int]:
        yield pools.live.current()[pools.pool]

    @reload_check(pools.live)
    async def coroutine() -> None:
        assert pools.live.current()[pools.pool] == 1
        entered.set()
        while not gate.is_set():
            await asyncio.sleep(0.001)

    if kind == "lease":
        release: Callable[[], object] = caller(pools.live).give_back
        assert pools.live.snapshot[pools.pool] == 1
    elif kind == "named":
        lease = pools.live.lease(name="nightly\nexport")
        assert lease.take()[pools.pool] == 1
        release = lease.give_back
    elif kind == "generator":
        values: Any = generator()
        assert next(values) == 1
        release = values.close
    else:
        release = Call(function if kind == "function" else lambda: asyncio.run(coroutine())).result
        assert entered.wait(30)
    assert pools.edit(2) is Outcome.RELOADED
    clock.advance(DRAIN + 1)
    until(lambda: "-1" in pools.log)
    here = "test_the_warning_names_the_code_that_holds_on.<locals>"
    module = function.__module__
    expected = {
        "lease": f"caller (test_deadline.py:{caller.__code__.co_firstlineno})",
        "named": "nightly\\nexport",
    }.get(kind, f"{module}.{here}.{kind}")
    assert f"still use it: {expected}" in caplog.text
    gate.set()
    release()


@pytest.mark.usefixtures("outliving")
def test_a_resource_may_drain_faster_or_slower(make: Make, text: Text, clock: FakeClock) -> None:
    """A resource's own `drain` overrides the engine's, for itself alone."""
    live, log = make(drain=30.0), list[str]()

    def factory(name: str) -> Any:
        def build(a: int) -> Iterator[int]:
            yield a
            log.append(name)

        return build

    for name, drain in (("fast", 5.0), ("usual", None), ("slow", 60.0)):
        live.resource("a", name=name, drain=drain)(factory(name))
    begin(live)
    lease = live.lease()
    assert [*lease.__enter__().resources.values()] == [1, 1, 1]
    text.write("a: 2")
    reload(live)
    for seconds, closed in ((4.9, []), (0.2, ["fast"]), (24.8, ["fast"]), (0.2, ["fast", "usual"])):
        clock.advance(seconds)
        until(lambda: log == closed)  # noqa: B023
        assert live.check() is Outcome.UNCHANGED
        assert closed == log
    clock.advance(29.0)
    assert live.check() is Outcome.UNCHANGED
    assert len(log) == 2
    clock.advance(1.1)
    until(lambda: log == ["fast", "usual", "slow"])
    lease.__exit__(None, None, None)


@pytest.mark.usefixtures("outliving")
def test_close_waits_for_leases_up_to_the_deadline(pools: Pools, clock: FakeClock) -> None:
    """`close()` drains: it waits for units of work, at most `drain` seconds."""
    lease = pools.live.lease()
    snapshot: Snapshot[Any] = Call(lease.__enter__).result()
    assert snapshot[pools.pool] == 1
    closing = Call(pools.live.close)
    until(lambda: pools.live.status().version is None)
    clock.advance(DRAIN - 0.1)
    closing.join(0.03)
    assert closing.waits
    assert snapshot[pools.pool] == 1
    clock.advance(0.2)
    closing.result()
    assert pools.log == ["+1", "-1"]
    assert pools.live.status().forced_closes == 1
    lease.__exit__(None, None, None)


def test_close_ends_with_the_last_lease(pools: Pools) -> None:
    """`close()` takes no longer than its last unit of work."""
    lease = pools.live.lease()
    Call(lease.__enter__).result()
    closing = Call(pools.live.close)
    closing.join(0.03)
    assert closing.waits
    lease.__exit__(None, None, None)
    closing.result()
    assert pools.log == ["+1", "-1"]
    assert pools.live.status().forced_closes == 0


@pytest.mark.usefixtures("outliving")
def test_close_waits_no_longer_for_a_resource_that_drains_slowly(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """`close()` waits at most the engine's `drain`, whatever a resource asks for itself."""
    live, log = make(drain=DRAIN), list[int]()

    @live.resource("a", drain=10_000.0)
    def pool(a: int) -> Iterator[int]:
        yield a
        log.append(a)

    begin(live)
    lease = live.lease()
    Call(lease.__enter__).result()
    closing = Call(live.close)
    until(lambda: live.status().version is None)
    clock.advance(DRAIN + 0.1)
    closing.result()
    assert log == [1]
    lease.__exit__(None, None, None)


@pytest.mark.usefixtures("outliving")
def test_a_carried_over_resource_is_not_forced(
    make: Make, text: Text, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """A lease past its deadline costs it nothing of what the current version has as well."""
    live = make(drain=DRAIN)
    pool = live.resource("a", name="pool")(same)
    begin(live)
    lease = live.lease()
    snapshot = Call(lease.__enter__).result()
    text.write("a: 1\nb: 2")
    reload(live)
    clock.advance(DRAIN + 1)
    until(lambda: live.status().leases == {2: 0})
    assert snapshot[pool] == 1
    assert live.status().forced_closes == 0
    assert [r for r in caplog.records if r.levelname == "WARNING"] == []
    lease.__exit__(None, None, None)


def test_at_most_one_closer_is_stuck(make: Make, text: Text, clock: FakeClock) -> None:
    """While a closer that was given up still runs, its resource is not built again."""
    live, gate, closing = make(), threading.Event(), list[int]()

    @live.resource("a", timeout=1.0)
    def pool(a: int) -> Iterator[int]:
        yield a
        closing.append(a)
        gate.wait(30)

    begin(live)
    text.write("a: 2")
    reload(live)
    until(lambda: closing == [1])
    clock.advance(1.1)
    until(lambda: live.status().resources[0].instances == 1)
    for number in (3, 4, 5):
        text.write(f"a: {number}")
        assert Call(live.check).result() is Outcome.REJECTED
    assert closing == [1]
    assert live.snapshot.config["a"] == 2
    gate.set()
    until(lambda: live.snapshot.config["a"] == 5, clock)
