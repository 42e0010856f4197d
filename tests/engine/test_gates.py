"""What a gate answers is what happens to an edit; nothing that a request sees changes before.

Long because each answer of a gate, at each point where it is asked, is a test.
"""

from collections.abc import Callable
from typing import Any

import pytest

from reloadcheck import ConfigError, Outcome, ReloadCheck
from reloadcheck._engine.api import engine_of
from reloadcheck.seams.gates import GO, Answer, Keep, Proposal, Reject, Wait
from reloadcheck.testing import FakeClock, RecordingFactory
from reloadcheck.types import Code, Problem
from tests.support.fixtures import Make
from tests.support.rig import Call, Text, begin, until


class Recorder:
    """A gate that answers what a test has it answer, and keeps what it was asked."""

    name = "recorder"
    seconds = 30.0

    def __init__(self) -> None:
        self.before: Callable[[Proposal], Answer] = lambda proposal: GO
        self.after: Callable[[Proposal], Answer] = lambda proposal: GO
        self.asked: list[tuple[str, Proposal]] = []

    def may(self, proposal: Proposal) -> Answer:
        """Answer before the build."""
        self.asked.append(("may", proposal))
        return self.before(proposal)

    def now(self, proposal: Proposal) -> Answer:
        """Answer before the swap."""
        self.asked.append(("now", proposal))
        return self.after(proposal)

    @property
    def questions(self) -> list[str]:
        """Return which questions were asked, in order."""
        return [question for question, _ in self.asked]


@pytest.fixture
def gate() -> Recorder:
    """A gate that lets everything through."""
    return Recorder()


@pytest.fixture
def factory() -> RecordingFactory:
    """A factory of the resource that is built from `a`."""
    return RecordingFactory()


@pytest.fixture
def live(make: Make, gate: Recorder, factory: RecordingFactory) -> ReloadCheck[Any]:
    """An engine with one resource of `a`, behind the gate, on version 1."""
    live = make(window=1.0)
    engine_of(live).gates.append(gate)
    live.resource("a", name="pool")(factory)
    begin(live)
    gate.asked.clear()
    return live


REFUSED = Reject((Problem("is more than a pool may have", key_path=("a",)),), "rule")


def test_a_gate_is_asked_twice_about_one_proposal(
    live: ReloadCheck[Any], gate: Recorder, text: Text
) -> None:
    """Before the build and before the swap, with old and new, the differences and the plan."""
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.RELOADED
    assert gate.questions == ["may", "now"]
    for _, proposal in gate.asked:
        assert proposal.old is not None
        assert proposal.old.config.a == 1
        assert proposal.new.config.a == 2
        assert proposal.changes.changed == (("a",),)
        assert proposal.plan == ("pool",)
        assert proposal.trigger.kind == "call"


def test_the_first_load_is_asked_about_too(make: Make, gate: Recorder) -> None:
    """There is no old configuration then, and a rejection fails the start with its place."""
    live = make()
    engine_of(live).gates.append(gate)
    gate.before = lambda proposal: REFUSED if proposal.old is None else GO
    with pytest.raises(ConfigError) as caught:
        live.start()
    assert str(caught.value) == "app.yaml:1:4: a: is more than a pool may have"
    assert caught.value.code == "rule"


def test_nothing_is_built_for_what_is_refused(
    live: ReloadCheck[Any], gate: Recorder, text: Text, factory: RecordingFactory
) -> None:
    """A refused edit is rejected at its place, is not asked about again, and the next one heals."""
    gate.before = lambda proposal: REFUSED if proposal.new.config.a == 2 else GO
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    assert (live.status().code, live.status().error) == (
        "rule",
        "app.yaml:1:4: a: is more than a pool may have",
    )
    assert live.check() is Outcome.REJECTED
    assert gate.questions == ["may"]
    assert len(factory.built) == 1
    text.write("a: 3\nb: 1\n")
    assert live.check() is Outcome.RELOADED
    assert live.status().error is None


def test_what_was_built_is_closed_where_the_swap_is_refused(
    live: ReloadCheck[Any],
    gate: Recorder,
    text: Text,
    factory: RecordingFactory,
) -> None:
    """The new instance closes, the old one serves on."""
    gate.after = lambda proposal: REFUSED
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    assert live.snapshot.config.a == 1
    until(lambda: len(factory.open) == 1)


def test_an_edit_that_waits_is_asked_about_again(
    live: ReloadCheck[Any], gate: Recorder, text: Text, clock: FakeClock
) -> None:
    """It is taken up by itself when its time has come, without a request."""
    opens = clock.wall() + 100.0
    gate.before = lambda proposal: (
        GO if proposal.at >= opens else Wait("window", "opens at ten", opens, (("a",),))
    )
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.WAITING
    waiting = live.status().waiting
    assert waiting is not None
    assert (waiting.why, waiting.sentence, waiting.opens) == ("window", "opens at ten", opens)
    assert waiting.keys == ("a",)
    assert live.status().code == "window"
    assert live.check() is Outcome.WAITING
    assert [one.outcome for one in live.status().history].count(Outcome.WAITING) == 1
    Call(lambda: until(lambda: live.snapshot.config.a == 2)).result(clock, step=1.0)
    assert clock.wall() >= opens
    assert live.status().waiting is None


def test_a_bad_edit_ends_the_waiting(live: ReloadCheck[Any], gate: Recorder, text: Text) -> None:
    """What is invalid is rejected, and the edit before it waits no more; putting it back, too."""
    gate.before = lambda proposal: Wait("window", "opens at ten")
    text.write("a: 2\n")
    assert live.check() is Outcome.WAITING
    text.write("a: [\n")
    assert live.check() is Outcome.REJECTED
    assert live.status().waiting is None
    text.write("a: 3\n")
    assert live.check() is Outcome.WAITING
    text.write("a: 1\nb: 1\n")
    assert live.check() is Outcome.UNCHANGED
    assert live.status().waiting is None


def test_what_was_let_through_waits_no_longer(
    live: ReloadCheck[Any], gate: Recorder, text: Text, factory: RecordingFactory
) -> None:
    """Leave came, and the database is down: that is what is told, and not the leave of before."""
    gate.before = lambda proposal: Wait("approval", "needs leave")
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.WAITING
    assert live.status().waiting is not None
    gate.before = lambda proposal: GO
    factory.build_error = ConnectionError("down")
    assert live.check() is Outcome.REJECTED
    assert live.status().waiting is None
    (why,) = live.status().reasons
    assert "ConnectionError" in why


def test_what_is_prepared_is_held_and_built_once(
    live: ReloadCheck[Any], gate: Recorder, text: Text, factory: RecordingFactory
) -> None:
    """Between build and swap it waits, whole, and goes live with what was built."""
    gate.after = lambda proposal: Wait("waiting", "the others are not ready")
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.WAITING
    assert live.check() is Outcome.WAITING
    assert len(factory.built) == 2
    assert gate.questions == ["may", "now", "now"]
    gate.after = lambda proposal: GO
    assert live.check() is Outcome.RELOADED
    assert len(factory.built) == 2
    assert live.snapshot.config.a == 2


def test_what_was_prepared_for_another_edit_is_closed(
    live: ReloadCheck[Any],
    gate: Recorder,
    text: Text,
    factory: RecordingFactory,
    clock: FakeClock,
) -> None:
    """The newest edit replaces the one that waits; at most two instances are ever open."""
    gate.after = lambda proposal: Wait("waiting", "the others are not ready")
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.WAITING
    gate.after = lambda proposal: GO
    text.write("a: 3\nb: 1\n")
    assert Call(live.check).result(clock) is Outcome.RELOADED
    assert live.snapshot.config.a == 3
    until(lambda: len(factory.open) == 1)
    assert factory.log == ["+recorded1", "+recorded2", "-recorded2", "+recorded3", "-recorded1"]


def test_what_is_prepared_is_closed_with_the_engine(
    live: ReloadCheck[Any], gate: Recorder, text: Text, factory: RecordingFactory
) -> None:
    """An edit that waits leaves nothing open behind."""
    gate.after = lambda proposal: Wait("waiting", "the others are not ready")
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.WAITING
    live.close()
    assert len(factory.open) == 0


def test_kept_keys_wait_for_a_restart(
    live: ReloadCheck[Any], gate: Recorder, text: Text, factory: RecordingFactory
) -> None:
    """The rest goes live; the key keeps its running value, and the status names it."""
    gate.before = lambda proposal: Keep((("a",),)) if ("a",) in proposal.changes.changed else GO
    text.write("a: 2\nb: 2\n")
    assert live.check() is Outcome.RELOADED
    assert (live.snapshot.config.a, live.snapshot.config.b) == (1, 2)
    assert live.status().pending_restart == ("a",)
    assert live.check() is Outcome.UNCHANGED
    assert live.status().pending_restart == ("a",)
    assert len(factory.built) == 1
    text.write("a: 1\nb: 2\n")
    assert live.check() is Outcome.UNCHANGED
    assert live.status().pending_restart == ()


def test_an_edit_of_kept_keys_alone_is_no_version(
    live: ReloadCheck[Any], gate: Recorder, text: Text
) -> None:
    """`unchanged`, told once, and pending until the process starts anew."""
    gate.before = lambda proposal: Keep((("a",),))
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.UNCHANGED
    assert live.snapshot.version == 1
    assert live.status().pending_restart == ("a",)
    assert live.check() is Outcome.UNCHANGED
    assert len(live.status().history) == 2


def test_what_is_kept_is_validated_again(make: Make, gate: Recorder, text: Text) -> None:
    """Old and new values that do not fit together are no version."""

    def schema(tree: Any) -> Any:
        if tree["a"] + tree["b"] > 3:
            raise ValueError("too much")
        return tree

    live = make(schema=schema)
    engine_of(live).gates.append(gate)
    begin(live)
    gate.before = lambda proposal: Keep((("a",),))
    text.write("a: 0\nb: 3\n")
    assert live.check() is Outcome.REJECTED
    assert live.status().code == "schema"
    assert live.snapshot.config["b"] == 1


def test_a_gate_that_fails_lets_nothing_through(
    live: ReloadCheck[Any], gate: Recorder, text: Text, clock: FakeClock
) -> None:
    """A mistake in a gate rejects the edit, is named without its text, and is tried again."""

    def failing(proposal: Proposal) -> Answer:
        raise RuntimeError("a secret")

    gate.before = failing
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    assert live.status().code == Code.INTERNAL
    assert live.status().error == "app.yaml:1:1: recorder failed with RuntimeError"
    gate.before = lambda proposal: GO
    until(lambda: live.snapshot.config.a == 2, clock)


def test_a_rejection_wins_over_a_wait(make: Make, text: Text) -> None:
    """A bad edit waits for nothing, and all who reject it are heard at once."""
    live = make()
    first, second, third = Recorder(), Recorder(), Recorder()
    engine_of(live).gates.extend([first, second, third])
    begin(live)
    first.before = lambda proposal: Wait("window", "opens at ten")
    second.before = third.before = lambda proposal: REFUSED
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.REJECTED
    assert str(live.status().error).count("is more than a pool may have") == 2


def test_a_refusal_says_what_it_comes_to(
    live: ReloadCheck[Any], gate: Recorder, text: Text
) -> None:
    """What was live and taken back is undone: to who asks, in the history and for listeners."""
    told: list[tuple[Outcome, str | None]] = []
    live.subscribe(lambda event: told.append((event.outcome, event.code)))
    back = Reject((Problem("was taken back"),), Code.UNDONE_BEFORE, Outcome.UNDONE)
    gate.before = lambda proposal: back
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.UNDONE
    status = live.status()
    assert (status.outcome, status.code) == (Outcome.UNDONE, Code.UNDONE_BEFORE)
    assert (status.history[-1].outcome, status.history[-1].code) == ("undone", "undone-before")
    assert (status.undone, status.rejections) == (1, 0)
    until(lambda: told == [(Outcome.UNDONE, "undone-before")])


@pytest.mark.parametrize("order", [1, -1])
def test_a_verdict_is_told_before_what_it_led_to(make: Make, text: Text, order: int) -> None:
    """That the content was taken back says less than why; alone it is told."""
    verdict = Reject((Problem("5 of 5 failed"),), Code.UNDONE_FAILED, Outcome.UNDONE)
    known = Reject((Problem("was taken back"),), Code.UNDONE_BEFORE, Outcome.UNDONE)
    live = make(window=1.0)
    gates = [Recorder(), Recorder()]
    engine_of(live).gates.extend(gates)
    begin(live)
    first, second = gates[::order]
    first.after, second.after = lambda _: verdict, lambda _: known
    text.write("a: 2\nb: 1\n")
    assert live.check() is Outcome.UNDONE
    assert live.status().code == "undone-failed"
    assert live.status().error == "app.yaml:1:1: 5 of 5 failed"
    for gate in gates:
        gate.after = lambda _: known
    text.write("a: 3\nb: 1\n")
    assert live.check() is Outcome.UNDONE
    assert live.status().code == "undone-before"
