"""A source of the application's own that raises anything: it is the source that is at fault."""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from reloadcheck import Code, Outcome, ReloadCheck
from reloadcheck.exceptions import ConfigSyntaxError, SourceError
from reloadcheck.testing import MemorySource
from reloadcheck.types import Document, KeyPath, Layer, Origin, Pause, Place, Problem, Stamp
from tests.support.rig import Call
from tests.support.steady import SteadyClock

CANARY = "hunter2-canary"
RAISED = [ConnectionResetError, ValueError, RecursionError, MemoryError, SystemExit]


class Bucket(MemorySource):
    """Fails at one step, as a client of an object store does."""

    sick: str | None = None
    error: type[BaseException] = ConnectionResetError

    def _fail(self, step: str) -> None:
        if step == self.sick:
            raise self.error(f"cannot reach https://user:{CANARY}@store")

    def stamp(self) -> Stamp:
        """Look, or fail."""
        self._fail("stamp")
        return super().stamp()

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Read, or fail."""
        self._fail("read")
        return super().read(stamp, max_bytes)

    def layer(self, documents: Sequence[Document], below: Mapping[str, Any], pause: Pause) -> Layer:
        """Parse, or fail."""
        self._fail("layer")
        return super().layer(documents, below, pause)

    def place(self) -> Place:
        """Return where, or fail."""
        self._fail("place")
        return Place("bucket")

    def remarks(self) -> Sequence[str]:
        """Remark on nothing, or fail."""
        self._fail("remarks")
        return ()


@pytest.mark.parametrize("error", RAISED)
@pytest.mark.parametrize(
    ("step", "outcome", "code"),
    [
        ("stamp", Outcome.DEFERRED, Code.SOURCE_UNREADABLE),
        ("read", Outcome.DEFERRED, Code.SOURCE_UNREADABLE),
        ("layer", Outcome.REJECTED, Code.SYNTAX),
    ],
)
def test_what_a_source_raises_is_its_own_fault(
    step: str,
    outcome: Outcome,
    code: Code,
    error: type[BaseException],
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Told once, with its type and line and without its words; it heals by the next look."""
    source = Bucket("n: 1", "bucket.yaml")
    live: ReloadCheck[Any] = ReloadCheck(source, settle=0.0, window=0.01, environ={})
    live.start()
    try:
        with caplog.at_level(logging.INFO, "reloadcheck"):
            source.edit("n: 2")
            source.sick, source.error = step, error
            for _ in range(5):
                assert live.check() is outcome
        status = live.status()
        assert status.code == code
        expected = rf"bucket\.yaml: its source raised {error.__name__} \(test_foreign_sources.py:"
        assert live.snapshot.config == {"n": 1}
        assert caplog.text.count("its source raised") == 1
        assert "failed inside" not in caplog.text
        assert CANARY not in caplog.text + str(status)
        assert re.match(expected, str(status.error))
        assert [one.outcome for one in status.history].count(outcome) == 1
        source.sick = None
        source.edit("n: 3")
        live.check()
        assert live.snapshot.config == {"n": 3}
        assert live.status().error is None
    finally:
        live.close()


class Returning(MemorySource):
    """A source whose methods return what they should not."""

    step: str | None = None
    junk: Any = None

    def stamp(self) -> Stamp:
        """Return a stamp, or not."""
        return self.junk if self.step == "stamp" else super().stamp()

    def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
        """Return documents, or not."""
        return self.junk if self.step == "read" else super().read(stamp, max_bytes)

    def layer(self, documents: Sequence[Document], below: Any, pause: Any) -> Layer:
        """Return a layer, or not."""
        return self.junk if self.step == "layer" else super().layer(documents, below, pause)


def _nowhere(_: KeyPath) -> Origin:
    return Origin("returning.yaml")


@pytest.mark.parametrize(
    ("step", "junk", "words"),
    [
        ("stamp", 42, "stamp() returned int instead of a Stamp"),
        ("stamp", None, "stamp() returned NoneType instead of a Stamp"),
        ("read", None, "read() returned NoneType instead of a sequence of Documents"),
        ("read", b"n: 2", "read() returned bytes instead of a sequence of Documents"),
        ("read", [b"n: 2"], "read() returned list instead of a sequence of Documents"),
        ("read", [Document("n", "n: 2", "yaml")], "read() returned a Document of str instead of"),  # type: ignore[arg-type]
        ("layer", {"n": 2}, "layer() returned dict instead of a Layer"),
        ("layer", Layer([], _nowhere), "layer() returned a Layer of list instead of a dict"),  # type: ignore[arg-type]
        ("layer", Layer({"n": {3j}}, _nowhere), "no configuration holds a complex"),
    ],
)
def test_what_a_source_returns_is_its_own_fault_too(
    step: str, junk: object, words: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Told once, as what it raises is, and not as a mistake of this package."""
    source = Returning("n: 1", "returning.yaml")
    live: ReloadCheck[Any] = ReloadCheck(source, settle=0.0, window=0.01, environ={})
    live.start()
    try:
        source.edit("n: 2")
        source.step, source.junk = step, junk
        for _ in range(3):
            assert live.check() in (Outcome.DEFERRED, Outcome.REJECTED)
        assert words in str(live.status().error)
        assert "failed inside" not in caplog.text
        assert caplog.text.count(words) == 1
        source.step = None
        source.edit("n: 3")
        assert live.check() is Outcome.RELOADED
    finally:
        live.close()


def test_a_start_fails_with_the_source_s_fault() -> None:
    """As with a file that cannot be read."""
    source = Bucket("n: 1", "bucket.yaml")
    source.sick = "stamp"
    clock = SteadyClock()
    live: ReloadCheck[Any] = ReloadCheck(source, settle=0.0, patience=2.0, environ={}, clock=clock)
    with pytest.raises(SourceError, match="its source raised ConnectionResetError"):
        Call(live.start).result(clock, 0.1)
    live.close()


def test_content_that_a_source_refuses_while_it_reads_waits() -> None:
    """The protocol lets it raise `ConfigSyntaxError` at any step."""

    class Refusing(MemorySource):
        full = False

        def read(self, stamp: Stamp, max_bytes: int) -> Sequence[Document]:
            if self.full:
                raise ConfigSyntaxError(Problem("holds too much", self.name))
            return super().read(stamp, max_bytes)

    source = Refusing("n: 1", "bucket.yaml")
    live: ReloadCheck[Any] = ReloadCheck(source, settle=0.0, environ={})
    live.start()
    try:
        source.full = True
        source.edit("n: 2")
        assert live.check() is Outcome.DEFERRED
        assert live.status().error == "bucket.yaml: holds too much"
    finally:
        live.close()


@pytest.mark.parametrize("step", ["place", "remarks"])
def test_what_only_tells_of_a_source_stops_nothing(step: str) -> None:
    """An edit goes live; a place that cannot be told is taken for a secret one."""
    source = Bucket("password_of: x", "bucket.yaml")
    source.sick = step
    live: ReloadCheck[Any] = ReloadCheck(source, settle=0.0, environ={})
    live.start()
    try:
        assert live.snapshot.config == {"password_of": "x"}
        told = [one for one in live.status().remarks if "its source raised" in one]
        assert len(told) == (step == "remarks")
    finally:
        live.close()
