"""Old snapshots: two instances at most, closed once, after their last user or at the deadline.

Long because an edit can come at any moment of a drain, and each moment is a test.
"""

import logging
import re
import threading
from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import Outcome
from reloadcheck._engine.api import engine_of
from reloadcheck._snapshots.tenancy import LiveSnapshot, NamedLease
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, reload, same, until

from .pools import DRAIN, Pools


def test_an_unused_snapshot_closes_at_once(pools: Pools) -> None:
    """With no lease on it, what an edit replaced is closed right after the swap."""
    assert pools.edit(2) is Outcome.RELOADED
    until(lambda: pools.log == ["+1", "+2", "-1"])


def test_a_close_that_gets_no_thread_is_made_later(
    pools: Pools,
    clock: FakeClock,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the process may have no more threads, old instances wait for one, and are not lost."""
    refused: list[str] = []
    real = threading.Thread.start

    def start(thread: threading.Thread) -> None:
        if thread.name == "reloadcheck-pool-close":
            refused.append(thread.name)
            raise RuntimeError("can't start new thread")
        real(thread)

    with monkeypatch.context() as starved:
        starved.setattr(threading.Thread, "start", start)
        assert pools.edit(2) is Outcome.RELOADED
        until(lambda: len(refused) == 1)
        until(lambda: len(refused) == 2, clock)
        assert pools.open == {1, 2}
    until(lambda: pools.open == {2}, clock)
    assert pools.log == ["+1", "+2", "-1"]
    assert "closing resource" not in caplog.text


def test_what_is_leased_stays_open_until_its_last_user_leaves(
    pools: Pools, clock: FakeClock
) -> None:
    """An old resource closes after the last who has read it, not before, however many there are."""
    first, second = pools.live.lease(), pools.live.lease()
    snapshot = Call(first.__enter__).result()
    assert snapshot[pools.pool] == 1
    with second:
        assert pools.edit(2) is Outcome.RELOADED
        clock.advance(DRAIN - 1)
        assert pools.live.check() is Outcome.UNCHANGED
        assert snapshot[pools.pool] == 1
    assert pools.live.check() is Outcome.UNCHANGED
    assert pools.log == ["+1", "+2"]
    first.__exit__(None, None, None)
    until(lambda: pools.log == ["+1", "+2", "-1"])
    assert pools.live.status().forced_closes == 0


def test_a_third_instance_waits_for_the_oldest(pools: Pools) -> None:
    """An edit that needs a third instance is deferred until the oldest drains; then it is live."""
    with pools.live.lease() as old:
        assert old[pools.pool] == 1
        assert pools.edit(2) is Outcome.RELOADED
        assert pools.edit(3) is Outcome.DEFERRED
        assert pools.live.snapshot.version == 2
        error = str(pools.live.status().error)
        assert "'pool' of version 1 is still used by test_a_third_instance" in error
        assert " (1 unit of work, 0 s after it was replaced); " in error
        assert re.search(
            r"; it is closed at \d\d:\d\d:\d\d UTC at the latest \(drain \d+ s\)", error
        )
        assert old[pools.pool] == 1
    until(lambda: pools.live.snapshot.version == 3)
    until(lambda: pools.log == ["+1", "+2", "-1", "+3", "-2"])
    assert pools.most == 2
    assert pools.live.status().error is None


def test_an_edit_that_waits_for_late_readers_says_for_which_and_how_long(
    make: Make, text: Text, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """While it waits the status names the resource, how many may read it and its age; log after."""
    text.write("a: 1")
    pools = Pools(make, text, window=1.0, settle=0.0)
    begin(pools.live)
    caplog.set_level(logging.INFO, "reloadcheck")
    with pools.live.lease(name="stream"), pools.live.lease(name="other"):
        assert pools.edit(2) is Outcome.RELOADED
        clock.advance(0.3)
        text.write("a: 3")
        waiting = Call(pools.live.check)
        until(lambda: pools.live.status().draining)
        (draining,) = pools.live.status().draining
        assert (draining.resource, draining.version, draining.leases) == ("pool", 1, 2)
        assert draining.unread
        assert draining.closes_in == pytest.approx(0.7)
        assert pools.live.status().history[-1].outcome is Outcome.RELOADED
        clock.advance(0.1)
        until(lambda: pools.live.status().history[-1].outcome is Outcome.DEFERRED)
        assert waiting.result(clock) is Outcome.RELOADED
    told = [one.getMessage() for one in caplog.records if "waits" in one.getMessage()]
    assert told == [
        "the edit waits: 'pool' of version 1 was replaced 0.4 s ago, and 2 units of work may read "
        "it yet; it is closed within 0.6 s"
    ]
    assert [one.outcome for one in pools.live.status().history[-2:]] == [
        Outcome.DEFERRED,
        Outcome.RELOADED,
    ]
    assert pools.live.status().draining == ()
    assert pools.live.status().error is None


def test_an_edit_that_waits_for_a_slow_close_says_so(
    make: Make, text: Text, clock: FakeClock, caplog: pytest.LogCaptureFixture
) -> None:
    """What takes its time to close is named; what closes at once is not."""
    caplog.set_level(logging.INFO, "reloadcheck")
    gate = threading.Event()
    live = make(drain=DRAIN, window=1.0, settle=0.0)

    @live.resource("a")
    def pool(a: int) -> Iterator[int]:
        yield a
        if a == 1:
            gate.wait(30)

    assert pool.name == "pool"
    text.write("a: 1")
    begin(live)
    text.write("a: 2")
    reload(live)
    text.write("a: 3")
    waiting = Call(live.check)
    thread = engine_of(live).thread
    assert thread is not None
    until(lambda: thread.drain.closing.busy)
    until(lambda: live.status().history[-1].outcome is Outcome.DEFERRED, clock)
    gate.set()
    assert waiting.result(clock) is Outcome.RELOADED
    told = [one.getMessage() for one in caplog.records if "waits" in one.getMessage()]
    assert told == ["the edit waits: the older one of 'pool' is still closing"]


def test_newer_edits_replace_the_waiting_one(pools: Pools) -> None:
    """While an edit waits for a drain, only the newest is built in the end."""
    with pools.live.lease() as old:
        assert old[pools.pool] == 1
        assert pools.edit(2) is Outcome.RELOADED
        for number in range(3, 9):
            assert pools.edit(number) is Outcome.DEFERRED
    until(lambda: pools.live.snapshot.version == 3)
    until(lambda: pools.log == ["+1", "+2", "-1", "+8", "-2"])
    assert pools.most == 2


def test_going_back_while_an_edit_waits(pools: Pools) -> None:
    """The running content back in the file takes a waiting edit back."""
    with pools.live.lease() as old:
        assert old[pools.pool] == 1
        assert pools.edit(2) is Outcome.RELOADED
        assert pools.edit(3) is Outcome.DEFERRED
        assert pools.edit(2) is Outcome.UNCHANGED
        assert pools.live.status().error is None
    until(lambda: pools.log == ["+1", "+2", "-1"])
    assert pools.live.check() is Outcome.UNCHANGED
    assert pools.live.snapshot.version == 2


def test_an_edit_that_needs_no_third_instance_does_not_wait(make: Make, text: Text) -> None:
    """Only what would make a third instance waits; an edit beside it is live at once."""
    text.write("a: 1\nb: 1")
    pools = Pools(make, text)
    begin(pools.live)
    with pools.live.lease():
        text.write("a: 2\nb: 1")
        reload(pools.live)
        text.write("a: 2\nb: 2")
        reload(pools.live)
        assert pools.live.snapshot.config["b"] == 2
    until(lambda: pools.log == ["+1", "+2", "-1"])


def test_a_carried_over_resource_outlives_the_snapshots_that_share_it(
    make: Make, text: Text
) -> None:
    """A resource that several snapshots share closes only with the last of them."""
    text.write("a: 1\nb: 1")
    pools = Pools(make, text)
    begin(pools.live)
    with pools.live.lease() as first:
        text.write("a: 1\nb: 2")
        reload(pools.live)
        second = pools.live.snapshot
        assert first is not second
        assert first[pools.pool] is second[pools.pool]
    assert pools.live.check() is Outcome.UNCHANGED
    assert pools.log == ["+1"]
    assert pools.live.status().leases == {2: 0}


def test_what_is_needed_closes_after_what_needs_it(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """Even when its own deadline is earlier: a pool is not closed under what was built on it."""
    live, log = make(drain=30.0), list[str]()

    def factory(name: str) -> Any:
        def build(a: int, *needs: Any) -> Iterator[int]:
            yield a
            log.append(name)

        return build

    below = live.resource("a", name="below", drain=1.0)(factory("below"))
    live.resource("a", name="above", needs=[below], drain=20.0)(factory("above"))
    begin(live)
    lease = live.lease()
    assert [*lease.__enter__().resources.values()] == [1, 1]
    text.write("a: 2")
    reload(live)
    clock.advance(10.0)
    assert live.check() is Outcome.UNCHANGED
    assert log == []
    clock.advance(11.0)
    until(lambda: log == ["above", "below"])
    lease.__exit__(None, None, None)


def test_a_thousand_reloads_leave_one_instance(pools: Pools) -> None:
    """A storm of reloads: one instance in the end, each closed once, never three at a time."""
    for number in range(2, 302):
        assert pools.edit(number) in (Outcome.RELOADED, Outcome.UNCHANGED, Outcome.DEFERRED)
    until(lambda: pools.open == {301})
    assert pools.most <= 2
    closed = [entry for entry in pools.log if entry[0] == "-"]
    assert len(closed) == len(set(closed)) == len(pools.log) // 2
    assert sum(t.name.startswith("reloadcheck-pool") for t in threading.enumerate()) == 0


def test_leases_under_fire_see_no_closed_resource(make: Make, text: Text) -> None:
    """While edits and leases race, no lease ever sees another version's or a closed resource."""
    pools = Pools(make, text, window=0)
    begin(pools.live)
    stop = threading.Event()

    def use() -> int:
        served = 0
        while not stop.is_set():
            with pools.live.lease() as snapshot:
                assert snapshot.config["a"] == snapshot[pools.pool]
                assert snapshot[pools.pool] in pools.open
                served += 1
        return served

    users = [Call(use) for _ in range(8)]
    for number in range(2, 102):
        pools.edit(number)
    stop.set()
    assert min(user.result() for user in users) > 0
    until(lambda: pools.open == {pools.live.snapshot.config["a"]})
    assert pools.most <= 2


def test_what_needs_a_rebuilt_resource_counts_too(make: Make, text: Text) -> None:
    """A resource that must follow what it needs makes no third instance of itself either."""
    live, most, open_now = make(), list[int](), list[object]()

    def build(*parts: object) -> Iterator[object]:
        thing = object()
        open_now.append(thing)
        most.append(len(open_now))
        yield thing
        open_now.remove(thing)

    below = live.resource("a", name="below")(same)
    above = live.resource("b", needs=[below], name="above")(build)
    begin(live)
    with live.lease() as old:
        assert old[above] in open_now
        text.write("a: 1\nb: 2")
        reload(live)
        text.write("a: 2\nb: 2")
        assert live.check() is Outcome.DEFERRED
    until(lambda: live.snapshot.version == 3)
    until(lambda: len(open_now) == 1)
    assert max(most) == 2


def test_a_retired_tenancy_takes_nobody(make: Make, text: Text) -> None:
    """Whoever enters as the snapshot is retired holds nothing, and goes to the next."""
    released: list[int] = []
    live = make()
    begin(live)
    live_snapshot = LiveSnapshot(live.snapshot, (), None, lambda: released.append(1))
    one, two = NamedLease("one"), NamedLease("two")
    assert live_snapshot.enter(one)
    live_snapshot.retired = True
    assert not live_snapshot.enter(two)
    assert [*live_snapshot.held.values()] == [one]
    released.clear()
    one.end()
    assert (live_snapshot.held, released) == ({}, [1])
