"""The codes of what goes wrong around an edit: time, drains, closes, listeners, mistakes."""

import logging
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from reloadcheck import Outcome, RegistrationError, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, check_once, same, until

Live = ReloadCheck[Any]


def logged(caplog: pytest.LogCaptureFixture) -> list[object]:
    """Return the codes that the log has so far."""
    return [code for one in caplog.records if (code := one.__dict__.get("config_code"))]


def looked(live: Live) -> bool:
    """Return whether an error is known."""
    return live.status().code is not None


def test_merge(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """Two sources that disagree about what is a mapping."""
    base, over = Text("a: {b: 1}\n"), Text("a: {b: 2}\n", name="over.yaml")
    live = make(base, over)
    live.start()
    live.check()
    over.write("a: 1")
    live.check()
    assert (live.status().code, logged(caplog)) == ("merge", ["merge"])


def test_unsettled(make: Make, clock: FakeClock, caplog: pytest.LogCaptureFixture) -> None:
    """A file that is never quiet is told by its code once nobody's patience is left."""
    text = Text("a: 1", clock)
    live = make(text, patience=2.0, settle=0.25)
    Call(live.start).result(clock)
    Call(live.check).result(clock)
    admission = engine_of(live).running().admission
    for number in range(2, 40):
        text.write(f"a: {number}")
        clock.advance(0.1)
        check_once(admission)
    assert (live.status().code, live.status().outcome) == ("unsettled", Outcome.DEFERRED)
    assert logged(caplog) == ["unsettled"]


def test_hanging(make: Make, clock: FakeClock, text: Text) -> None:
    """A read that does not return."""
    live = make(patience=2.0)
    Call(live.start).result(clock)
    Call(live.check).result(clock)
    text.gate.clear()
    Call(live.check).result(clock)
    until(lambda: live.status().code == "hanging", clock)
    text.gate.set()
    until(lambda: Call(live.check).result(clock) and live.status().code is None, clock)


def test_drain(make: Make, text: Text, caplog: pytest.LogCaptureFixture) -> None:
    """An edit that waits for an old instance is deferred, at INFO, and counts as no failure."""
    caplog.set_level(logging.INFO, "reloadcheck")
    live = make(settle=0.0)
    live.resource("a", name="pool")(same)
    live.start()
    live.check()
    with live.lease() as snapshot:
        assert snapshot.resources["pool"] == 1
        text.write("a: 2")
        live.check()
        live.check()
        text.write("a: 3")
        assert Outcome.DEFERRED is live.check()
        assert live.status().code == "drain"
        (waiting,) = [one for one in caplog.records if one.__dict__.get("config_code")]
        assert (waiting.__dict__["config_code"], waiting.levelno) == ("drain", logging.INFO)
    until(lambda: live.status().code is None)
    assert live.snapshot.version == 3


@pytest.mark.usefixtures("outliving")
def test_forced_close(
    make: Make, clock: FakeClock, text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """A resource closed under its user is counted by its name, in status and log."""
    live = make(settle=0.0, drain=5.0)
    live.resource("a", name="pool")(same)
    live.start()
    live.check()
    with live.lease() as snapshot:
        assert snapshot.resources["pool"] == 1
        text.write("a: 2")
        live.check()
        until(lambda: logged(caplog) == ["forced-close"], clock)
    status = live.status()
    assert (status.resources[0].forced_closes, status.forced_closes) == (1, 1)


def test_close_and_listener(make: Make, text: Text, caplog: pytest.LogCaptureFixture) -> None:
    """A closer and a listener that raise are logged with their codes, and hold up nothing."""
    live = make(settle=0.0)

    @live.resource("a")
    def pool(part: object) -> Iterator[object]:
        yield part
        raise OSError

    def raising(_: object) -> None:
        raise ValueError

    assert pool.name == "pool"
    live.start()
    live.check()
    live.subscribe(raising)
    text.write("a: 2")
    live.check()
    until(lambda: {"close", "listener"} == set(logged(caplog)))
    assert (live.snapshot.version, live.status().code) == (2, None)


def test_timeout(make: Make, clock: FakeClock, text: Text) -> None:
    """A factory that does not return in its time."""
    live = make(settle=0.0)

    def build(part: object) -> object:
        if part == 2:
            text.waiting.wait(30)
        return part

    live.resource("a", name="pool", timeout=3.0)(build)
    Call(live.start).result(clock)
    Call(live.check).result(clock)
    text.write("a: 2")
    Call(live.check).result(clock)
    until(lambda: live.status().code == "timeout", clock)
    assert live.status().resources[0].failed_builds == 1
    text.waiting.set()


def test_usage(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """An async factory where there is no event loop."""
    live = make()

    async def build(part: object) -> object:
        return part

    live.resource("a", name="pool")(build)
    with pytest.raises(RegistrationError):
        live.start()
    assert logged(caplog) == ["usage"]


def test_internal(
    make: Make, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A mistake of our own is told as one, and the last good version serves on."""
    live = make()
    live.start()
    live.check()
    thread = engine_of(live).thread
    assert thread is not None

    def broken() -> Any:
        raise ZeroDivisionError

    monkeypatch.setattr(thread.reload.checker, "look", broken)
    live.check()
    assert (live.snapshot.version, live.status().code) == (1, "internal")
    assert "internal" in logged(caplog)


def test_a_pulse_that_raises_ends_nothing(make: Make, caplog: pytest.LogCaptureFixture) -> None:
    """What counts for the metrics may fail: it is logged, the check is made all the same."""
    live = make()
    called: list[int] = []

    def raising() -> None:
        called.append(1)
        raise ValueError

    engine_of(live).listeners.add_pulse(raising)
    live.start()
    assert Outcome.UNCHANGED is live.check()
    assert called
    assert "a pulse raised ValueError" in caplog.messages


@pytest.mark.parametrize("kind", ["lease", "call"])
def test_the_trigger_lasts_while_the_file_settles(make: Make, clock: FakeClock, kind: str) -> None:
    """An edit that was put off until it was quiet is on account of whoever asked first."""
    text = Text("a: 1", clock)
    live = make(text, window=0.5, settle=0.25)
    Call(live.start).result(clock)
    Call(live.check).result(clock)
    clock.advance(20.0)
    Call(live.check).result(clock)
    clock.advance(20.0)
    text.write("a: 2")
    ask: dict[str, Callable[[], object]] = {"lease": lambda: entered(live), "call": live.check}
    Call(ask[kind]).result(clock)
    until(lambda: live.snapshot.version == 2, clock)
    attempt = live.status().attempt
    assert attempt is not None
    assert kind == attempt.trigger


def entered(live: Live) -> None:
    """Be a unit of work for a moment."""
    with live.lease():
        pass
