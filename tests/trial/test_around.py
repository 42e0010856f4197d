"""Around a trial: forks, event loops, threads, options, and tests that lay values over it."""

import asyncio
import multiprocessing
import random
import threading
from collections.abc import Callable
from typing import Any

import pytest

from reloadcheck import Outcome, UsageError
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeClock, RecordingFactory
from reloadcheck.trial import Trial
from reloadcheck.trial.run import Run
from reloadcheck.trial.verdicts import Decision
from tests.support import steady
from tests.support.fixtures import Make
from tests.support.rig import Text, until

from .site import Making, trial_of


def test_a_fork_in_mid_trial_starts_over(site: Making) -> None:
    """A child has neither the candidate of its parent nor its trial; the parent's goes on."""
    shop = site()
    shop.edit(2)
    context = multiprocessing.get_context("fork")
    answers: Any = context.SimpleQueue()

    def child() -> None:
        gate = engine_of(shop.live).trial
        trial = None if gate is None else gate.run
        environ: dict[str, Any] = {"PATH_INFO": "/"}
        shop.draw.next = [True]
        body = b"".join(shop.wsgi(environ, lambda *_: None))
        pool = environ["reloadcheck.snapshot"][shop.handle]
        answers.put((trial, body, pool.number))
        shop.live.close()

    process = context.Process(target=child)
    process.start()
    answer = answers.get()
    process.join()
    assert answer == (None, b"2", 3)  # its own, built in it; it starts with what is written
    assert trial_of(shop).phase == "trying"


def test_a_moved_home_loop_begins_the_trial_anew(make: Make, text: Text) -> None:
    """What lived in the loop that ended is let go; the edit is tried in the new one."""
    live = make(window=0, trial=Trial())
    opened: list[int] = []

    @live.resource("a", name="client")
    async def client(value: int) -> Any:
        opened.append(value)
        yield value
        opened.remove(value)

    async def first() -> None:
        await live.astart()
        text.write("a: 2\nb: 1\n")
        assert await live.acheck() is Outcome.TRYING
        assert sorted(opened) == [1, 2]

    async def second() -> None:
        async with live.lease() as snapshot:
            assert snapshot.config.a == 1
        outcome = await live.acheck()
        while outcome is not Outcome.TRYING:
            await asyncio.sleep(0.01)
            outcome = await live.acheck()
        assert await live.apromote() is Outcome.RELOADED
        assert await live.aundo() is Outcome.UNDONE
        assert live.snapshot.config.a == 1
        await live.aclose()

    asyncio.run(first())
    asyncio.run(second())


def test_all_at_once(site: Making, monkeypatch: pytest.MonkeyPatch) -> None:
    """Requests, edits, undos, promotions, and looks at the status, from threads: nothing breaks."""
    monkeypatch.setattr(steady, "MOST", 0.0)  # here others work all the time
    shop = site(trial=Trial(shares=(0.5,)))
    shop.draw.random = lambda: 0.3 if threading.get_ident() % 2 else 0.7
    stop, errors = threading.Event(), list[BaseException]()
    most = [0]

    def run(act: Callable[[], object]) -> threading.Thread:
        def loop() -> None:
            while not stop.is_set():
                try:
                    act()
                except UsageError:
                    continue
                except BaseException as error:
                    errors.append(error)
                    return

        thread = threading.Thread(target=loop)
        thread.start()
        return thread

    def ask() -> None:
        environ: dict[str, Any] = {"PATH_INFO": "/", "streams": True}
        body: Any = shop.wsgi(environ, lambda *_: None)
        snapshot = environ["reloadcheck.snapshot"]
        assert not snapshot[shop.handle].closed
        assert b"".join(body) == str(snapshot.config.a).encode()
        assert not snapshot[shop.handle].closed
        body.close()
        most[0] = max(most[0], len(shop.pool.open))

    threads = [run(act) for act in (ask, ask, shop.live.status, shop.live.undo, shop.live.promote)]
    try:
        for a in range(2, 10):
            shop.edit(a % 7)
    finally:
        stop.set()
        for thread in threads:
            thread.join()
    assert errors == []
    assert most[0] <= 2
    shop.live.close()
    assert shop.pool.open == []


def test_a_trial_without_a_window(make: Make, text: Text, clock: FakeClock) -> None:
    """With `window=0` each request looks at the sources; the trial goes on as ever."""
    live = make(window=0, trial=Trial())
    pool = RecordingFactory()
    live.resource("a", name="pool")(pool)
    live.start()
    text.write("a: 2\nb: 1\n")
    for _ in range(30):
        with live.lease(trial=True):
            pass
    assert live.status().outcome is Outcome.TRYING
    assert live.undo() is Outcome.UNDONE
    until(lambda: len(pool.open) == 1)


def test_switched_off_reloading_tries_nothing(make: Make, text: Text) -> None:
    """Without edits there are no trials, and nothing of one."""
    live = make(trial=True, enabled=False)
    live.start()
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.UNCHANGED
    assert live.status().trial is None


def test_values_that_a_test_lays_over_are_live_at_once(site: Making) -> None:
    """`live.override(…)` is for tests, which would wait a minute else."""
    shop = site()
    with shop.live.override({"a": 5}):
        assert shop.get() == b"5"
    assert shop.get() == b"1"


def test_who_asks_to_be_asked(clock: FakeClock) -> None:
    """Slow units in the watch do not; failures do at once, ten times a second at most."""
    run = Run(Trial(first=3.0), "digest", (2, 1), clock.monotonic, random.Random(1))
    poked: list[float] = []
    run.poke = lambda: poked.append(clock.monotonic())

    def unit(seconds: float, *, failed: bool = False, on_candidate: bool = False) -> None:
        ticket = run.draw({})
        ticket.on_candidate = on_candidate
        clock.advance(seconds)
        if failed:
            ticket.failed("status 500")
        ticket.ended()

    for _ in range(320):
        unit(0.01)
    run.decide()
    run.promote(Decision("promote"))
    for _ in range(100):
        unit(0.02, on_candidate=True)
    assert poked == []
    for _ in range(1000):
        unit(0.001, failed=True, on_candidate=True)
    assert 1 <= len(poked) <= 11
    assert run.decide().code == "watch"


def test_a_bad_unit_of_a_shared_trial_asks_for_a_verdict_of_all(clock: FakeClock) -> None:
    """One on the candidate may be the last straw for all, and is told at once; another is not."""
    run = Run(Trial(shares=(0.2,)), "digest", (2, 1), clock.monotonic, random.Random(1))
    poked: list[float] = []
    run.poke = lambda: poked.append(clock.monotonic())

    def fail(*, on_candidate: bool) -> None:
        ticket = run.draw({})
        ticket.on_candidate = on_candidate
        clock.advance(1.0)
        ticket.failed("status 500")
        ticket.ended()

    fail(on_candidate=True)
    assert poked == []
    run.is_shared = True
    fail(on_candidate=False)
    assert poked == []
    fail(on_candidate=True)
    assert poked == [clock.monotonic()]


def test_a_finalizer_may_end_a_unit_in_the_midst_of_counting(clock: FakeClock) -> None:
    """A response that is thrown away is collected at any moment, in whatever thread that is in."""
    run = Run(Trial(), "digest", (2, 1), clock.monotonic, random.Random(1))
    thrown_away = run.draw({})
    thrown_away.on_candidate = True
    done = threading.Event()

    def counting() -> None:
        with run._lock:  # pyright: ignore[reportPrivateUsage]
            thrown_away.ended()
        done.set()

    threading.Thread(target=counting, daemon=True).start()
    assert done.wait(30)
    assert run.status().units == 1


def test_what_takes_no_time_is_not_slow(clock: FakeClock) -> None:
    """Under a millisecond it is our own handling that differs, and not the edit."""
    run = Run(Trial(first=1.0, shares=(0.5,)), "digest", (2, 1), clock.monotonic, random.Random(1))

    def unit(seconds: float, *, on_candidate: bool) -> None:
        ticket = run.draw({})
        ticket.on_candidate = on_candidate
        clock.advance(seconds)
        ticket.ended()

    for _ in range(100):
        unit(0.00001, on_candidate=False)
    clock.advance(2.0)
    for _ in range(200):
        unit(0.00002, on_candidate=True)
        unit(0.00001, on_candidate=False)
    assert run.decide().word == "go on"
    for _ in range(200):
        unit(0.002, on_candidate=True)
        unit(0.00001, on_candidate=False)
    assert run.decide().code == "undone-slow"
