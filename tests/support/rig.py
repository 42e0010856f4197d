"""What tests of engines share: a source in memory, a clock that is let pass, a way to wait.

Nothing here sleeps to let time pass; `until` and `Call` wait for other threads and are bounded.
"""

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any, Generic, TypeVar

from reloadcheck import Document, Layer, Outcome, ReloadCheck, SourceError, Stamp, TornError
from reloadcheck._engine.admission import Admission
from reloadcheck._engine.api import engine_of
from reloadcheck.testing import FakeClock, MemorySource
from reloadcheck.types import Pause, Problem

T = TypeVar("T")

SECONDS = 30.0
"""Seconds after which something that should have happened counts as not happening."""


class Text(MemorySource):
    """A configuration in memory that can be made to misbehave.

    `stamped`, `was_read` and `parsed` count the calls; the next `torn` reads find it changed;
    `fault` is raised by the next ones; while `gate` is cleared, a stamp that was taken is not
    given, and `waiting` tells that one hangs there.
    """

    def __init__(self, text: str, clock: FakeClock | None = None, name: str = "app.yaml") -> None:
        super().__init__(text, name, clock=clock)
        self.stamped = self.was_read = self.parsed = self.torn = 0
        self.fault: Exception | None = None
        self.gate = threading.Event()
        self.gate.set()
        self.waiting = threading.Event()

    def write(self, text: str) -> None:
        """Replace the text, as one whole write does; what is unreadable stays so."""
        self.edit(text)

    def write_unseen(self, text: str) -> None:
        """Replace the text under an equal stamp."""
        document, stamp = self._now
        self._now = (Document(document.name, text.encode(), document.format), stamp)

    def unreadable(self, reason: str = "cannot be read") -> None:
        """Be unreadable from now on."""
        self.fault = SourceError(Problem(reason, self.name))

    def stamp(self) -> Stamp:
        """Return the stamp of this moment, once the gate is open."""
        now = super().stamp()
        self.stamped += 1
        if not self.gate.is_set():
            self.waiting.set()
            self.gate.wait(SECONDS)
        if self.fault is not None:
            raise self.fault
        return now

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return the text."""
        self.was_read += 1
        if self.torn:
            self.torn -= 1
            raise TornError(Problem("changed while it was being read", self.name))
        return super().read(stamp, max_bytes)

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse it."""
        self.parsed += 1
        return super().layer(documents, below, pause)


class Call(Generic[T]):
    """A function that runs in a thread of its own, from the start on."""

    def __init__(self, function: Callable[[], T]) -> None:
        self._results: list[T] = []
        self._errors: list[BaseException] = []
        self._function = function
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._results.append(self._function())
        except BaseException as error:
            self._errors.append(error)

    @property
    def waits(self) -> bool:
        """Return whether it has not returned yet."""
        return self._thread.is_alive()

    def join(self, seconds: float) -> None:
        """Wait for a moment in which it might return, where a test asserts that it does not."""
        self._thread.join(seconds)

    def result(self, clock: FakeClock | None = None, step: float = 0.01) -> T:
        """Return what it returned, or raise what it raised; meanwhile let time pass by `step`."""
        ends = time.monotonic() + SECONDS
        while self.waits:
            assert time.monotonic() < ends, "the call does not return"
            if clock is not None:
                clock.advance(step)
            self._thread.join(0.002)
        if self._errors:
            raise self._errors[0]
        return self._results[0]


def until(
    condition: Callable[[], object],
    clock: FakeClock | None = None,
    *,
    or_say: Callable[[], str] = lambda: "it does not come true",
) -> None:
    """Wait for other threads to make it true; with a clock, let time pass meanwhile.

    It passes by hundredths of a second at first, then by a fiftieth of what has passed.
    """
    ends = time.monotonic() + SECONDS
    begun = 0.0 if clock is None else clock.monotonic()
    looks = 0
    while not condition():
        assert time.monotonic() < ends, or_say()
        if clock is not None:
            clock.advance(max(0.01, (clock.monotonic() - begun) / 50))
        time.sleep(0.001 if clock is not None else min(0.01, max(0.001, looks / 10_000)))
        looks += 1


def check_once(admission: Admission[Any]) -> None:
    """Have a check made, and see it end, whatever it comes to."""
    checks = admission.begun
    admission.ask()
    until(lambda: admission.begun > checks and not admission.freshness.in_flight)


def same(value: Any) -> Any:
    """Build the part itself: a factory for tests that do not care what it makes."""
    return value


def begin(live: "ReloadCheck[Any]") -> None:
    """Start the engine and see its second check end, so that the next one is the test's."""
    live.start()
    assert live.check() is Outcome.UNCHANGED


def reload(live: "ReloadCheck[Any]") -> None:
    """Have an edit go live and see the check that follows each reload end."""
    assert live.check() is Outcome.RELOADED
    assert live.check() is Outcome.UNCHANGED


def asked_again(live: "ReloadCheck[Any]") -> None:
    """Wait until the engine thread has seen that the window ran out, so that the doors ask."""
    until(lambda: engine_of(live).cell.fresh is None)


def threads_named(*words: str, beside: Collection[threading.Thread] = ()) -> list[str]:
    """List the living threads of the package whose name holds one of the words.

    Those of a test's own engine are those `beside` the ones that ran before it was made.
    """
    found = [one for one in threading.enumerate() if one not in beside]
    names = [one.name for one in found if one.name.startswith("reloadcheck")]
    return [name for name in names if any(word in name for word in words)]


def config(live: "ReloadCheck[Any]") -> dict[str, Any]:
    """Return the configuration that serves, as plain values."""
    found: dict[str, Any] = live.snapshot.config.to_dict()
    return found
