"""P5. Make before break, close exactly once: new resources are built and probed before the swap,
old ones close once, after their last user or at the drain deadline; at most two of each exist.

Long because it is one promise, which could be broken at any step of a reload.
"""

import asyncio
import logging
import random
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest

from reloadcheck import FrozenDict, Outcome, ReloadCheck, Resource, ResourceClosedError
from reloadcheck._doors.protocols import Receive, Scope, Send
from reloadcheck.asgi import ReloadCheckMiddleware
from reloadcheck.testing import FakeClock
from reloadcheck.wsgi import ReloadCheckMiddleware as WSGIDoor
from tests.support import config
from tests.support.calls import ask
from tests.support.load import until


class Story:
    """An engine with a pool and a client that needs it, and what happened to them, in order."""

    def __init__(self, file: Path) -> None:
        self.file = file
        self.clock = FakeClock()
        self.events: list[str] = []
        self.refused: set[int] = set()
        self.gate = threading.Event()
        self.gate.set()
        config.write(file, config.text(1))
        self.live = ReloadCheck(file, settle=0.0, drain=30.0, clock=self.clock, environ={})
        self.pool: Resource[int] = self.live.resource("pool", name="pool", probe=self._probe)(
            self._pool
        )
        self.client: Resource[str] = self.live.resource(needs=[self.pool], name="client")(
            self._client
        )

    def _pool(self, part: FrozenDict) -> Iterator[int]:
        number: int = part["number"]
        self.events.append(f"build pool {number}")
        self.gate.wait(30)
        yield number
        self.events.append(f"close pool {number}")

    def _probe(self, number: int) -> bool:
        self.events.append(f"probe pool {number}")
        return number not in self.refused

    def _client(self, whole: FrozenDict, pool: int) -> Iterator[str]:
        if whole["note"] == "no client":
            raise ConnectionError
        self.events.append(f"build client {pool}")
        yield f"client of {pool}"
        self.events.append(f"close client {pool}")

    def edit(self, number: int, note: str = "") -> Outcome:
        """Write a configuration and have it checked; the pass that follows a reload included."""
        config.replace(self.file, config.text(number, note=note))
        outcome = self.live.check()
        if outcome is Outcome.RELOADED:
            self.live.check()
        return outcome

    def happened(self) -> list[str]:
        """Return what happened since the last call."""
        events, self.events = self.events, []
        return events


@pytest.fixture
def story(tmp_path: Path) -> Iterator[Story]:
    """A story that has begun: configuration 1 is live."""
    story = Story(tmp_path / "config.yaml")
    story.live.start()
    assert story.happened() == ["build pool 1", "probe pool 1", "build client 1"]
    story.live.check()
    yield story
    story.gate.set()
    story.clock.advance(1000)
    story.live.close()


def test_old_ones_close_after_their_last_user_in_reverse_order(story: Story) -> None:
    """Built and probed first, swapped, and only then closed: users before what they need."""
    with story.live.lease() as snapshot:
        assert story.edit(2) is Outcome.RELOADED
        assert story.happened() == ["build pool 2", "probe pool 2", "build client 2"]
        assert (snapshot[story.pool], snapshot[story.client]) == (1, "client of 1")
        assert story.live.snapshot[story.client] == "client of 2"
    until(lambda: len(story.events) == 2)
    assert story.happened() == ["close client 1", "close pool 1"]


def test_nothing_is_swapped_before_all_is_built(story: Story) -> None:
    """While a factory is at work, units of work get the old snapshot."""
    story.gate.clear()
    config.replace(story.file, config.text(2))
    checking = threading.Thread(target=story.live.check, daemon=True)
    checking.start()
    until(lambda: story.events == ["build pool 2"])
    with story.live.lease() as snapshot:
        assert (snapshot.version, snapshot[story.pool]) == (1, 1)
    story.gate.set()
    checking.join(30)
    assert story.live.snapshot[story.pool] == 2


def test_a_probe_that_says_no_undoes_the_build(story: Story) -> None:
    """What was built for the edit is closed, once; what serves is untouched."""
    good = story.live.snapshot
    story.refused.add(2)
    assert story.edit(2) is Outcome.REJECTED
    until(lambda: len(story.events) == 3)
    assert story.happened() == ["build pool 2", "probe pool 2", "close pool 2"]
    assert story.live.snapshot is good


def test_a_later_failure_rolls_back_in_reverse_order(story: Story) -> None:
    """When the client cannot be built, the new pool is closed again and the old one serves on."""
    assert story.edit(2, note="no client") is Outcome.REJECTED
    until(lambda: len(story.events) == 3)
    assert story.happened() == ["build pool 2", "probe pool 2", "close pool 2"]
    with story.live.lease() as snapshot:
        assert snapshot[story.client] == "client of 1"


def test_a_third_instance_waits_for_the_first_to_drain(story: Story) -> None:
    """Two exist at most; of the edits that wait for one the newest wins."""
    lease = story.live.lease()
    assert lease.__enter__()[story.pool] == 1
    assert story.edit(2) is Outcome.RELOADED
    assert [story.edit(number) for number in (3, 4, 5)] == [Outcome.DEFERRED] * 3
    assert "drain" in str(story.live.status().error)
    assert [one.instances for one in story.live.status().resources] == [2, 2]
    assert [event for event in story.happened() if "pool" in event] == [
        "build pool 2",
        "probe pool 2",
    ]
    lease.__exit__(None, None, None)
    until(lambda: story.live.snapshot[story.pool] == 5)
    until(lambda: len(story.events) == 7)
    assert [event for event in story.happened() if "pool" in event] == [
        "close pool 1",
        "build pool 5",
        "probe pool 5",
        "close pool 2",
    ]


def test_at_the_drain_deadline_it_is_closed_under_its_user(
    story: Story, caplog: pytest.LogCaptureFixture
) -> None:
    """Not a moment earlier; counted, logged, and a straggler gets an error that says so."""
    with story.live.lease() as snapshot:
        assert [*snapshot.resources.values()] == [1, "client of 1"]
        story.edit(2)
        story.happened()
        story.clock.advance(29.5)
        story.live.check()
        assert (story.happened(), snapshot[story.pool]) == ([], 1)
        with caplog.at_level(logging.WARNING, "reloadcheck"):
            story.clock.advance(1.0)
            until(lambda: len(story.events) == 2)
        assert story.happened() == ["close client 1", "close pool 1"]
        with pytest.raises(ResourceClosedError, match="outlived its snapshot's drain deadline"):
            snapshot[story.pool]
        assert snapshot.config["number"] == 1
    assert story.live.status().forced_closes == 2
    assert len([one for one in caplog.records if "s of drain (" in one.getMessage()]) == 2
    story.live.check()
    assert story.happened() == []


def test_nothing_is_closed_under_what_is_built_on_it(tmp_path: Path) -> None:
    """A pool whose drain is over stays open for a client whose drain is not."""
    file, clock, closed = tmp_path / "config.yaml", FakeClock(), list[str]()
    config.write(file, config.text(1))
    live = ReloadCheck(file, settle=0.0, clock=clock, environ={})

    @live.resource("pool", drain=1.0)
    def pool(part: FrozenDict) -> Iterator[int]:
        yield part["number"]
        closed.append("pool")

    @live.resource(needs=[pool], drain=10.0)
    def client(whole: FrozenDict, pool: int) -> Iterator[int]:
        yield pool
        closed.append("client")

    with live.lease() as snapshot:
        assert snapshot[client] == 1
        config.replace(file, config.text(2))
        live.check()
        clock.advance(5.0)
        live.check()
        assert closed == []
        clock.advance(6.0)
        until(lambda: len(closed) == 2)
    assert closed == ["client", "pool"]
    live.close()


def test_what_does_not_need_each_other_closes_in_reverse_order_too(tmp_path: Path) -> None:
    """The last one built is the first one closed."""
    file, closed = tmp_path / "config.yaml", list[str]()
    config.write(file, config.text(1))
    live = ReloadCheck(file, settle=0.0, environ={})

    def closing(name: str) -> Callable[[FrozenDict], Iterator[str]]:
        def factory(_: FrozenDict) -> Iterator[str]:
            yield name
            closed.append(name)

        return factory

    for name in "abc":
        live.resource(name=name)(closing(name))
    live.start()
    live.close()
    assert closed == ["c", "b", "a"]


def test_an_edit_during_a_slow_close_is_live_once_it_has_closed(tmp_path: Path) -> None:
    """While requests keep coming, and with nothing else to wake the engine."""
    file, closing, gate = tmp_path / "config.yaml", threading.Event(), threading.Event()
    config.write(file, config.text(1))
    live = ReloadCheck(file, settle=0.0, window=0.02, environ={})

    @live.resource("pool")
    def pool(part: FrozenDict) -> Iterator[int]:
        yield part["number"]
        closing.set()
        gate.wait(0.2)

    def app(environ: WSGIEnvironment, start_response: StartResponse) -> list[bytes]:
        return [str(live.current()[pool]).encode()]

    def asked() -> int:
        (said,) = WSGIDoor(app, live)({"PATH_INFO": "/"}, lambda *_: bytes)
        return int(said)

    until(lambda: asked() == 1)
    config.replace(file, config.text(2))
    until(lambda: asked() == 2)
    config.replace(file, config.text(3))
    assert closing.wait(30)
    until(lambda: asked() == 3)
    gate.set()
    live.close()


def test_closing_the_engine_closes_each_once(story: Story) -> None:
    """In reverse order, and a second close finds nothing left."""
    story.edit(2)
    until(lambda: len(story.events) == 5)
    story.happened()
    story.live.close()
    story.live.close()
    assert story.happened() == ["close client 2", "close pool 2"]


def test_what_is_built_too_late_is_closed_and_never_published(story: Story) -> None:
    """A factory that returns after its time-out has its result closed, and probed by nobody."""
    good = story.live.snapshot
    story.gate.clear()
    config.replace(story.file, config.text(2))
    outcomes: list[Outcome] = []
    checking = threading.Thread(target=lambda: outcomes.append(story.live.check()), daemon=True)
    checking.start()
    until(lambda: story.events == ["build pool 2"])
    story.clock.advance(4.0)
    story.clock.advance(7.0)  # past the time-out of 10 s; patience ran out before
    checking.join(30)
    until(lambda: story.live.status().code == "timeout")
    assert story.live.snapshot is good
    story.gate.set()
    until(lambda: len(story.events) == 2)
    assert story.happened() == ["build pool 2", "close pool 2"]
    assert story.live.snapshot is good


def test_async_resources_keep_the_same_order(tmp_path: Path) -> None:
    """Built, probed and closed in one task each, which is where cancel scopes nest."""
    file, events = tmp_path / "config.yaml", list[str]()
    config.write(file, config.text(1))
    live = ReloadCheck(file, settle=0.0, environ={})

    @live.resource("pool")
    async def pool(part: FrozenDict) -> AsyncIterator[int]:
        task = asyncio.current_task()
        async with asyncio.timeout(60):  # a cancel scope: it must be left where it was entered
            events.append(f"build {part['number']}")
            yield part["number"]
            assert asyncio.current_task() is task
            events.append(f"close {part['number']}")

    async def main() -> None:
        await live.astart()
        async with live.lease() as snapshot:
            config.replace(file, config.text(2))
            await live.acheck()
            assert (snapshot[pool], live.snapshot[pool]) == (1, 2)
            assert events == ["build 1", "build 2"]
        await live.acheck()
        await live.aclose()

    asyncio.run(main())
    assert events == ["build 1", "build 2", "close 1", "close 2"]


def test_requests_cancelled_at_any_moment_leave_nothing_behind(tmp_path: Path) -> None:
    """A request owns no reload: 300 cancelled ones tear none, leak no lease and no instance."""
    file, closed, built = tmp_path / "config.yaml", list[int](), list[int]()
    config.write(file, config.text(1))
    live = ReloadCheck(file, window=0.0, settle=0.0, environ={})
    torn: list[tuple[int, int]] = []
    dice = random.Random(5)

    @live.resource("pool")
    async def pool(part: FrozenDict) -> AsyncIterator[int]:
        built.append(part["number"])
        await asyncio.sleep(0.002)
        yield part["number"]
        await asyncio.sleep(0.002)
        closed.append(part["number"])

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen = live.current()
        await asyncio.sleep(0.001)
        torn.extend([] if seen[pool] == seen.config["number"] else [(seen[pool], seen.version)])

    async def main() -> None:
        await live.astart()
        wrapped = ReloadCheckMiddleware(app, live)
        for number in range(2, 52):
            config.replace(file, config.text(number))
            tasks = [asyncio.create_task(ask(wrapped)) for _ in range(6)]
            for task in tasks:
                await asyncio.sleep(dice.uniform(0, 0.002))
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        await live.acheck()
        assert sum(live.status().leases.values()) == 0
        assert live.snapshot[pool] == 51
        await live.aclose()

    asyncio.run(main())
    assert (torn, built) == ([], sorted(closed))  # each once; when is up to its last user
