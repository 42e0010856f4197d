"""One look at the sources: quiet, racy, verified, the same, bad or good; what is remembered."""

import threading
from typing import Any

import pytest

from reloadcheck import Outcome, SourceError
from reloadcheck.testing import FakeClock
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, config, reload, until


def test_an_edit_is_read_only_once_it_was_quiet(make: Make, clock: FakeClock) -> None:
    """While a writer is at it nothing is read, and the last good configuration serves."""
    text = Text("a: 1", clock)
    live = make(text, settle=0.25, patience=50.0)
    Call(live.start).result(clock)
    assert Call(live.check).result(clock) is Outcome.UNCHANGED
    reads = text.was_read
    text.write("a: 2")
    checking = Call(live.check)
    for number in range(20):
        text.write(f"a: {number}")
        clock.advance(0.2)
        checking.join(0.01)
    assert checking.waits
    assert reads == text.was_read
    assert config(live) == {"a": 1}
    assert checking.result(clock) is Outcome.RELOADED
    assert config(live) == {"a": 19}


def test_the_settle_rule_holds_for_the_first_load(make: Make, clock: FakeClock) -> None:
    """A worker that starts in the middle of a write does not serve half a file."""
    text = Text("a: 2", clock)
    live = make(text, settle=0.25, patience=50.0)
    starting = Call(live.start)
    until(lambda: text.stamped)
    text.write("a: 20")
    starting.result(clock)
    assert config(live) == {"a": 20}
    assert live.snapshot.version == 1


def test_a_first_load_that_never_settles_fails_after_patience(make: Make, clock: FakeClock) -> None:
    """`start()` waits at most `patience` for a file that is still being written, and says so."""
    text = Text("a: 1", clock)
    live = make(text, settle=0.25, patience=2.0)
    starting = Call(live.start)
    begun = clock.monotonic()
    while starting.waits:
        text.write("a: 1")
        clock.advance(0.1)
        starting.join(0.005)
        assert clock.monotonic() < begun + 20.0
    with pytest.raises(SourceError, match=r"app\.yaml: is not ready after 2 s"):
        starting.result()
    assert clock.monotonic() - begun >= 2.0


def test_a_young_stamp_is_not_trusted(make: Make, clock: FakeClock) -> None:
    """A write within the tick of an equal stamp is found: a racy stamp is hashed until it aged."""
    text = Text("a: 1", clock)
    live = make(text, settle=0.25, verify=None)
    Call(live.start).result(clock)
    assert Call(live.check).result(clock) is Outcome.UNCHANGED
    text.write_unseen("a: 2")
    reload(live)
    assert config(live) == {"a": 2}
    clock.advance(3.0)
    assert live.check() is Outcome.UNCHANGED
    reads = text.was_read
    assert live.check() is Outcome.UNCHANGED
    assert reads == text.was_read  # it has aged


@pytest.mark.parametrize(
    ("verify", "after", "seen"),
    [
        (30.0, 29.0, 1),
        (30.0, 30.0, 2),
        (0, 0.0, 2),
        (None, 1e6, 1),
    ],
    ids=["not yet", "due", "always", "never"],
)
def test_content_is_hashed_every_verify_seconds(
    make: Make, text: Text, clock: FakeClock, verify: float | None, after: float, seen: int
) -> None:
    """Whatever the stamp says, content is hashed again after `verify` seconds; None trusts it."""
    live = make(verify=verify)
    begin(live)
    text.write_unseen("a: 2\nb: 1\n")
    clock.advance(after)
    live.check()
    assert config(live)["a"] == seen


@pytest.mark.parametrize(
    ("edit", "parsed"),
    [
        ("a: 1\nb: 1\n", False),
        ("b: 1\na: 1\n", True),
        ("# why\na: 1\nb:    1 # so\n", True),
    ],
    ids=["rewritten", "reordered", "commented"],
)
def test_same_content_is_no_reload(make: Make, text: Text, edit: str, parsed: bool) -> None:
    """A touch, a rewrite, another order or comment rebuild nothing and make no new version."""
    live = make()
    built: list[int] = []

    def note(config: dict[str, int]) -> None:
        built.append(config["a"])

    live.resource(name="whole")(note)
    begin(live)
    before = live.snapshot
    source = live.status().source_digest
    text.write(edit)
    assert live.check() is Outcome.UNCHANGED
    assert live.snapshot is before
    assert (live.status().source_digest != source) is parsed
    assert built == [1]
    reads = text.was_read
    assert live.check() is Outcome.UNCHANGED
    assert reads == text.was_read


def test_there_and_back_again_rebuilds_nothing(make: Make, text: Text, clock: FakeClock) -> None:
    """A→B→A between two checks is no reload; with checks between, each is its own version."""
    live = make()
    begin(live)
    text.write("a: 2")
    text.write("a: 1\nb: 1\n")
    assert live.check() is Outcome.UNCHANGED
    assert live.snapshot.version == 1
    text.write("a: 2")
    reload(live)
    text.write("a: 1\nb: 1\n")
    reload(live)
    assert live.snapshot.version == 3
    assert config(live) == {"a": 1, "b": 1}


class Counting:
    """A schema that counts its calls and says no to what has `bad`."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, tree: dict[str, Any]) -> dict[str, Any]:
        self.calls += 1
        if "bad" in tree:
            raise ValueError("no")
        return tree


def test_a_rejected_digest_is_not_tried_again(make: Make, text: Text, clock: FakeClock) -> None:
    """The schema is asked once for each content, however often it is looked at or touched."""
    schema = Counting()
    live = make(schema=schema, verify=0)
    live.start()
    assert schema.calls == 1
    text.write("bad: 1")
    for _ in range(5):
        assert live.check() is Outcome.REJECTED
        text.write("bad: 1")
        clock.advance(10.0)
    assert schema.calls == 2
    status = live.status()
    assert (status.version, status.outcome, status.code) == (1, Outcome.REJECTED, "schema")
    text.write("bad: 2")
    assert live.check() is Outcome.REJECTED
    assert schema.calls == 3


def test_returning_to_the_running_content_clears_the_failure(
    make: Make, text: Text, caplog: pytest.LogCaptureFixture
) -> None:
    """A failure is shown for as long as its cause is there, and no longer."""
    live = make()
    begin(live)
    before = live.snapshot
    text.write("a: [1")
    assert live.check() is Outcome.REJECTED
    assert live.status().error is not None
    text.write("a: 1\nb: 1\n")
    assert live.check() is Outcome.UNCHANGED
    assert live.status().error is None
    assert live.snapshot is before
    text.write("a: [1")
    assert live.check() is Outcome.REJECTED
    warnings = [r for r in caplog.records if r.levelname == "WARNING"]
    assert len(warnings) == 2  # the second time is news again


def test_one_cause_is_one_warning(make: Make, text: Text, caplog: pytest.LogCaptureFixture) -> None:
    """However often a bad file is looked at, it is warned of once, naming file, line and column."""
    live = make()
    begin(live)
    text.write("a: 1\nb: [secretvalue")
    for _ in range(5):
        assert live.check() is Outcome.REJECTED
    (record,) = [r for r in caplog.records if r.levelname == "WARNING"]
    assert "app.yaml:2:" in record.getMessage()
    assert "secretvalue" not in record.getMessage()
    assert str(live.status().error) in record.getMessage()


def test_changes_during_a_slow_build_cause_one_more_pass(make: Make, text: Text) -> None:
    """However often the file changes while a build is under way, one more build follows."""
    live = make()
    gate, building, built = threading.Event(), threading.Event(), list[int]()

    @live.resource("a")
    def slow(a: int) -> object:
        built.append(a)
        if a == 2:
            building.set()
            gate.wait(30)
        return object()

    begin(live)
    text.write("a: 2")
    checking = Call(live.check)
    assert building.wait(30)
    for number in range(3, 9):
        text.write(f"a: {number}")
    gate.set()
    assert checking.result() is Outcome.RELOADED
    until(lambda: live.snapshot.config["a"] == 8)
    assert live.check() is Outcome.UNCHANGED
    assert built == [1, 2, 8]
    assert live.snapshot.version == 3
    assert live.status().reloads == 3


def test_an_unreadable_source_is_deferred_and_heals(make: Make, text: Text) -> None:
    """What cannot be read changes nothing, is shown with its cause, and heals by itself."""
    live = make(settle=0)
    begin(live)
    before = live.snapshot
    text.unreadable("cannot be read: permission denied")
    assert live.check() is Outcome.DEFERRED
    assert live.snapshot is before
    assert live.status().error == "app.yaml: cannot be read: permission denied"
    assert live.status().code == "source-unreadable"
    text.fault = None
    assert live.check() is Outcome.UNCHANGED
    assert live.status().error is None


def test_a_source_that_breaks_inside_stops_nothing(make: Make, text: Text) -> None:
    """An exception that no source may raise is the source's fault, and the engine lives on."""
    live = make(settle=0)
    begin(live)
    text.fault = ZeroDivisionError("s3cret")
    assert live.check() is Outcome.DEFERRED
    assert "ZeroDivisionError" in str(live.status().error)
    assert "s3cret" not in str(live.status().error)
    text.fault = None
    text.write("a: 2")
    reload(live)


def test_the_running_content_is_not_parsed_again(make: Make, text: Text) -> None:
    """A touch, and the running content's return, cost a read and a hash: no parse, no schema."""
    schema = Counting()
    live = make(schema=schema)
    begin(live)
    for bad in ("a: [", "bad: 1"):
        text.write(bad)
        assert live.check() is Outcome.REJECTED
        parsed, calls = text.parsed, schema.calls
        text.write("a: 1\nb: 1\n")
        assert live.check() is Outcome.UNCHANGED
        assert (parsed, calls) == (text.parsed, schema.calls)
    calls = schema.calls
    text.write("# a comment\nb: 1\na: 1\n")
    assert live.check() is Outcome.UNCHANGED
    assert calls == schema.calls
