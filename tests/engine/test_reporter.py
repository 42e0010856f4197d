"""One order in what is told: the status knows first, then the log, then who listens and waits."""

import logging
from collections.abc import Iterator
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck, ReloadEvent
from reloadcheck._observe.history import attempt_of
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, until

Seen = list[tuple[str, Any, Any, int]]


class Watching(logging.Handler):
    """Notes what the status says at each line of the log."""

    def __init__(self, live: "ReloadCheck[Any]", seen: Seen) -> None:
        super().__init__(logging.INFO)
        self._live, self._seen = live, seen

    def emit(self, record: logging.LogRecord) -> None:
        """Note it."""
        self._seen.append(("log", *known(self._live)))


def known(live: "ReloadCheck[Any]") -> tuple[Any, Any, int]:
    """Return what the status knows: outcome, code, the number of things in its history."""
    status = live.status()
    return status.outcome, status.code, len(status.history)


@pytest.fixture
def seen() -> Seen:
    """What was known when something was told."""
    return []


@pytest.fixture
def watched(make: Make, seen: Seen) -> Iterator["ReloadCheck[Any]"]:
    """An engine whose log lines and events are noted, with a check of its own behind it."""
    live = make()

    def listener(event: ReloadEvent) -> None:
        seen.append(("event", *known(live)))

    begin(live)
    handler = Watching(live, seen)
    logger = logging.getLogger("reloadcheck")
    before = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    live.subscribe(listener)
    yield live
    logger.removeHandler(handler)
    logger.setLevel(before)


@pytest.mark.parametrize(
    ("text_of_the_edit", "outcome", "code"),
    [("a: [", Outcome.REJECTED, "syntax"), ("a: 2", Outcome.RELOADED, None)],
    ids=["rejection", "reload"],
)
def test_the_status_knows_before_anybody_is_told(
    watched: "ReloadCheck[Any]",
    text: Text,
    seen: Seen,
    text_of_the_edit: str,
    outcome: Outcome,
    code: str | None,
) -> None:
    """When the line of a rejection or reload is logged, the status and the history have it."""
    text.write(text_of_the_edit)
    assert watched.check() is outcome
    assert ("log", outcome, code, 2) in seen  # and it was logged before the check was answered
    until(lambda: any(one[0] == "event" for one in seen))
    assert {known[3] for known in seen} == {2}


def test_an_error_of_our_own_is_told_in_that_order_too(
    watched: "ReloadCheck[Any]", monkeypatch: pytest.MonkeyPatch, seen: Seen
) -> None:
    """The line of a mistake of ours finds the status saying so."""
    from reloadcheck._engine.checker import Checker

    def fails(self: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(Checker, "look", fails)
    assert watched.check() is Outcome.REJECTED
    assert seen[0][:3] == ("log", Outcome.REJECTED, "internal")


# ------------------------------------------------------ patience and what is being done


def test_a_start_waits_for_what_is_being_read(
    make: Make, text: Text, clock: Any, caplog: pytest.LogCaptureFixture
) -> None:
    """Patience bounds the time unsettled: a schema that takes longer is waited for, and told."""
    import threading

    gate = threading.Event()

    def schema(tree: dict[str, Any]) -> dict[str, Any]:
        gate.wait(30)
        return tree

    live = make(schema=schema, patience=2.0)
    start = Call(live.start)
    until(lambda: "still being validated" in caplog.text, clock)
    assert start.waits
    assert caplog.text.count("the start waits for it") == 1
    gate.set()
    start.result(clock)
    assert live.snapshot.version == 1


def test_a_unit_of_work_says_what_it_waited_for(make: Make, clock: Any) -> None:
    """Its patience is over sooner; the error says at what the configuration is."""
    import threading

    gate = threading.Event()

    def schema(tree: dict[str, Any]) -> dict[str, Any]:
        gate.wait(30)
        return tree

    live = make(schema=schema, patience=2.0)
    lease = Call(live.lease().take)
    with pytest.raises(Exception, match="not ready after 2 s: still being validated"):
        lease.result(clock)
    gate.set()
    Call(live.start).result(clock)


def test_what_is_remembered_is_what_was_told(make: Make, text: Text, clock: FakeClock) -> None:
    """An attempt is its event in words, the time included: of a swap and of a rejection."""
    live = make(window=0.0, settle=0.0)
    told: list[ReloadEvent] = []
    live.subscribe(told.append)
    live.start()
    for content in ("a: 2\nb: 1", "a: ["):
        text.write(content)
        clock.advance(1.0)
        Call(live.check).result(clock)
    until(lambda: len(told) == 3)
    assert [attempt_of(event) for event in told] == list(live.status().history)
    assert told[1].diff.key_paths
    assert [one.changes for one in live.status().history] == [
        len(event.diff.key_paths) for event in told
    ]
