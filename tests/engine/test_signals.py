"""A check on a signal: off unless asked for, in the main thread, beside who listened before."""

import os
import signal
import threading
from collections.abc import Iterator
from types import FrameType
from typing import Any

import pytest

from reloadcheck import OptionError, ReloadCheck, UsageError
from tests.support.fixtures import Make
from tests.support.load import until
from tests.support.rig import Text


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    """Leave the signal as it was."""
    before = signal.signal(signal.SIGHUP, signal.SIG_DFL)
    yield
    signal.signal(signal.SIGHUP, before)


def test_a_signal_makes_an_edit_live_though_no_window_is_over(make: Make, text: Text) -> None:
    """The clock stands still: nothing but the signal has a check made."""
    live = make(settle=0.0, window=3600.0)
    live.start()
    stop = live.check_on(signal.SIGHUP)
    text.write("a: 2")
    os.kill(os.getpid(), signal.SIGHUP)
    until(lambda: live.snapshot.config.a == 2)
    stop()
    assert signal.SIG_DFL is signal.getsignal(signal.SIGHUP)


def test_who_listened_before_is_called_after_it(make: Make) -> None:
    """Also when it is stopped while another handler lies over it, which stays."""
    heard: list[str] = []

    def listen(number: int, frame: FrameType | None) -> None:
        heard.append("before")

    signal.signal(signal.SIGHUP, listen)
    live = make(settle=0.0)
    stop = live.check_on(signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)
    assert heard == ["before"]
    over = signal.getsignal(signal.SIGHUP)
    assert callable(over)

    def lie_over(number: int, frame: FrameType | None) -> None:
        heard.append("over")
        over(number, frame)

    signal.signal(signal.SIGHUP, lie_over)
    live.start()
    checks = live.status().checks
    stop()
    os.kill(os.getpid(), signal.SIGHUP)
    assert heard == ["before", "over", "before"]
    assert checks == live.status().checks


def test_before_the_start_and_after_the_end_it_does_nothing(make: Make) -> None:
    """There is nobody to ask; the process lives on."""
    live = make(settle=0.0)
    live.check_on(signal.SIGHUP)
    os.kill(os.getpid(), signal.SIGHUP)
    assert live.status().state == "idle"
    live.start()
    live.close()
    os.kill(os.getpid(), signal.SIGHUP)
    assert live.status().state == "closed"


def test_it_is_asked_for_in_the_main_thread_alone(make: Make) -> None:
    """And for a signal that can be handled; both are said in a sentence."""
    live = make()
    errors: list[BaseException] = []

    def elsewhere() -> None:
        try:
            live.check_on(signal.SIGHUP)
        except UsageError as error:
            errors.append(error)

    thread = threading.Thread(target=elsewhere)
    thread.start()
    thread.join()
    assert "main thread" in str(errors[0])
    for number in (signal.SIGKILL, 0, 999):
        with pytest.raises(OptionError, match="a signal that can be handled"):
            live.check_on(number)


def test_a_signal_that_interrupts_the_engines_own_work_is_safe(make: Make, text: Text) -> None:
    """A thousand signals while this thread takes leases: none is lost in a lock."""
    live: ReloadCheck[Any] = make(settle=0.0)
    live.start()
    live.check_on(signal.SIGHUP)
    over = threading.Event()

    def send() -> None:
        for _ in range(1000):
            os.kill(os.getpid(), signal.SIGHUP)
        over.set()

    thread = threading.Thread(target=send)
    thread.start()
    while not over.is_set():
        with live.lease():
            pass
    thread.join()
    text.write("a: 3")
    os.kill(os.getpid(), signal.SIGHUP)
    until(lambda: live.snapshot.config.a == 3)
