"""A build that failed is tried again with growing pauses, and sooner when there is reason."""

import random

import pytest

from reloadcheck import (
    Outcome,
)
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Text, begin, reload, until
from tests.support.stepping import SteppingClock


class Flaky:
    """A factory that fails while told to and notes when it was called."""

    def __init__(self, clock: FakeClock) -> None:
        self.clock, self.fails, self.at = clock, False, list[float]()

    def __call__(self, a: int) -> object:
        self.at.append(self.clock.monotonic())
        if self.fails:
            raise OSError("down")
        return object()


def test_a_failed_factory_is_tried_again_by_itself(make: Make, text: Text) -> None:
    """The same edit is tried again with growing, bounded, jittered pauses, without a request."""
    random.seed(7)
    clock = SteppingClock()
    live, flaky = make(clock=clock), Flaky(clock)
    live.resource("a", name="flaky")(flaky)
    begin(live)
    flaky.fails = True
    del flaky.at[:]
    text.write("a: 2")
    assert live.check() is Outcome.REJECTED
    for tries in range(2, 10):
        ends = clock.monotonic() + 100
        while len(flaky.at) < tries and clock.monotonic() < ends:
            clock.step(0.25)
        assert len(flaky.at) == tries
    pauses = [b - a for a, b in zip(flaky.at, flaky.at[1:], strict=False)]
    for number, pause in enumerate(pauses):
        most = min(60.0, 2.0**number)
        assert most * 0.5 <= pause
    assert max(pauses) <= 60.25  # a minute, and a step
    assert min(pauses[6:]) >= 30.0
    assert len({round(pause / 2.0 ** min(n, 6), 1) for n, pause in enumerate(pauses)}) > 3
    flaky.fails = False
    ends = clock.monotonic() + 100
    while live.snapshot.version != 2 and clock.monotonic() < ends:
        clock.step(0.25)
    assert live.snapshot.version == 2
    assert live.status().error is None


def test_during_the_back_off_requests_do_not_call_the_factory(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """While it backs off, units of work leave the factory alone, and the cause stays shown."""
    live, flaky = make(window=0), Flaky(clock)
    live.resource("a", name="flaky")(flaky)
    begin(live)
    flaky.fails = True
    text.write("a: 2")
    for _ in range(5):
        with live.lease() as snapshot:
            assert snapshot.version == 1
    assert len(flaky.at) == 2
    assert live.status().outcome is Outcome.DEFERRED
    assert "flaky" in str(live.status().error)
    flaky.fails = False
    until(lambda: live.snapshot.version == 2, clock)  # by itself, though others looked meanwhile


def test_who_asks_for_a_check_gets_one(make: Make, text: Text, clock: FakeClock) -> None:
    """`check()` does not wait for the back-off: a person who mended the database asks for it."""
    live, flaky = make(), Flaky(clock)
    live.resource("a", name="flaky")(flaky)
    begin(live)
    flaky.fails = True
    text.write("a: 2")
    assert live.check() is Outcome.REJECTED
    flaky.fails = False
    assert live.check() is Outcome.RELOADED


def test_a_new_digest_ends_the_back_off(make: Make, text: Text, clock: FakeClock) -> None:
    """Another edit is tried at once, however long the back-off had grown."""
    live, flaky = make(), Flaky(clock)
    live.resource("a", name="flaky")(flaky)
    begin(live)
    flaky.fails = True
    text.write("a: 2")
    assert live.check() is Outcome.REJECTED
    for calls in range(3, 8):
        until(lambda: len(flaky.at) >= calls, clock)  # noqa: B023
    text.write("a: 3")
    calls = len(flaky.at)
    assert live.check() is Outcome.REJECTED
    assert calls + 1 == len(flaky.at)
    flaky.fails = False
    text.write("a: 4")
    assert live.check() is Outcome.RELOADED


def test_returning_to_the_running_content_ends_the_retries(
    make: Make, text: Text, clock: FakeClock
) -> None:
    """Once the running content is back, the failed edit is not built any more."""
    live, flaky = make(), Flaky(clock)
    live.resource("a", name="flaky")(flaky)
    begin(live)
    flaky.fails = True
    text.write("a: 2")
    assert live.check() is Outcome.REJECTED
    text.write("a: 1\nb: 1\n")
    assert live.check() is Outcome.UNCHANGED
    calls = len(flaky.at)
    clock.advance(200.0)
    assert live.check() is Outcome.UNCHANGED
    assert calls == len(flaky.at)


def test_the_same_failure_after_a_success_is_news(
    make: Make, text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """A cause that was gone in between is warned of again, and its back-off begins anew."""
    live = make()

    @live.resource("a")
    def pool(a: int) -> int:
        if a % 2 == 0:
            raise OSError("down")
        return a

    begin(live)
    for number in (2, 3, 2, 5):
        text.write(f"a: {number}")
        if number % 2:
            reload(live)
        else:
            assert live.check() is Outcome.REJECTED
    assert sum("OSError" in record.getMessage() for record in caplog.records) == 2
