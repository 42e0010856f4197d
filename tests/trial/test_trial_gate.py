"""What a trial answers about each edit, on a clock, a pool and proposals of the test's own."""

from dataclasses import replace
from typing import Any

import pytest

from reloadcheck.seams.feed import Loaded
from reloadcheck.seams.gates import GO, Answer, Go, Proposal, Reject, Share, Wait
from reloadcheck.seams.trial import Counted, Verdict
from reloadcheck.testing import FakeClock, FakeDraw
from reloadcheck.trial import Trial
from reloadcheck.trial.gate import TrialGate
from reloadcheck.trial.run import Run
from reloadcheck.types import TIMER, Diff

UNDO = Verdict("undo", "undone-failed", "undone: version 2")
PROMOTE = Verdict("promote", "", "promoted")


def _edit(digest: str = "B", *, first: bool = False, **more: Any) -> Proposal:
    """Return an edit of what serves as A."""

    def loaded(of: str) -> Loaded[Any]:
        return Loaded(None, {}, of, of, ())

    old = None if first else loaded("A")
    return replace(Proposal(old, loaded(digest), Diff(), (), TIMER, 0.0, (2, 1)), **more)


class _Pool:
    """What other workers say, as a test has it; what this one does is written down."""

    others: tuple[Counted, ...] = ()
    lost: str | None = None

    def __init__(self) -> None:
        self.said = dict[str, Verdict]()
        self.faster: Verdict | None = None
        self.did = list[str]()

    def begin(self, digest: str) -> None:
        """Take note."""
        self.did.append(f"begin {digest}")

    def tell(self, counted: Counted) -> None:
        """Take note."""
        self.did.append("tell")

    def verdict(self, stage: str = "") -> Verdict | None:
        """Return what was said."""
        return self.said.get(stage)

    def decide(self, verdict: Verdict, stage: str = "") -> Verdict:
        """Decide, where nobody was faster."""
        self.did.append(f"decide {verdict.word}")
        return self.faster or verdict

    def leave(self) -> None:
        """Take note."""
        self.did.append("leave")


@pytest.fixture
def pool() -> _Pool:
    """The other workers."""
    return _Pool()


@pytest.fixture
def gate(clock: FakeClock, pool: _Pool) -> TrialGate:
    """A trial of all workers, with a watch."""
    gate = TrialGate(Trial(shares=(0.5,), seconds=60, units=1, watch=60), clock.monotonic)
    gate.shared, gate.draw = lambda: pool, FakeDraw
    return gate


def _run(answer: Answer) -> Run:
    units = answer.watch if isinstance(answer, Go) else None
    units = answer.units if isinstance(answer, Share) else units
    assert isinstance(units, Run)
    return units


def test_a_child_has_no_trial(gate: TrialGate) -> None:
    """Its parent's is forgotten; what it is asked about begins one of its own."""
    mine = _run(gate.now(_edit()))
    gate.forget_parent()
    assert (gate.run, gate.status(), gate.latest()) == (None, None, None)
    assert _run(gate.now(_edit())) is not mine


def test_trouble_holds_back_what_is_new(gate: TrialGate, pool: _Pool, clock: FakeClock) -> None:
    """No start and no way back; nothing is built for it, nor tried once it is built, until then."""
    assert isinstance(gate.now(_edit()), Share)
    pool.said[""] = Verdict("trouble")
    assert isinstance(gate.now(_edit()), Wait)
    pool.said.clear()
    for answer in (gate.may(_edit("C")), gate.now(_edit("C"))):
        assert isinstance(answer, Wait)
        assert (answer.code, answer.look) == ("trouble", 30.0)
    assert gate.may(_edit(first=True)) is GO
    assert gate.may(_edit(is_back=True)) is GO
    assert gate.now(_edit(is_back=True)) is GO
    clock.advance(31.0)
    assert gate.may(_edit("C")) is GO
    assert isinstance(gate.now(_edit("C")), Share)


def test_another_edit_is_tried_in_its_place(gate: TrialGate, pool: _Pool) -> None:
    """Whether it is tried or watched; all are told, and what became of it is remembered."""
    first = _run(gate.now(_edit("B")))
    second = _run(gate.now(_edit("C")))
    last = gate.latest()
    assert (first is second, last and last.digest) == (False, "B")
    assert pool.did == ["begin B", "tell", "leave", "begin C", "tell"]
    second.order("promote", None)
    assert _run(gate.now(_edit("C"))) is second
    third = _run(gate.now(_edit("D")))
    last = gate.latest()
    assert (third is second, third.promoted_at, last and last.digest) == (False, None, "C")


@pytest.mark.parametrize(
    "ends",
    [{"is_back": True}, {"overridden": True}, {"first": True}],
    ids=lambda one: next(iter(one)),
)
def test_what_is_not_tried_ends_the_trial(
    gate: TrialGate, pool: _Pool, ends: dict[str, bool]
) -> None:
    """Of anything else; it is not watched, and no verdict is needed."""
    run = _run(gate.now(_edit("B")))
    assert gate.now(_edit("C", **ends)) is GO
    assert (gate.run, run.promoted_at, pool.did[-1]) == (None, None, "leave")
    last = gate.latest()
    assert (last and last.digest, "decide promote" in pool.did) == ("B", False)


def test_what_another_promoted_is_watched_here(gate: TrialGate) -> None:
    """Its row of history was read before its verdict; where all have just decided, it is tried."""
    asked = list[bool]()

    def is_news(proposal: Proposal) -> bool:
        asked.append(proposal.is_back)
        return True

    gate.is_news = is_news
    gate.now(_edit())
    assert False in asked  # before its row is there
    run = _run(gate.now(_edit(is_back=True)))
    assert run.promoted_at is None
    gate.is_news = lambda _: False
    assert _run(gate.now(_edit(is_back=True))) is run
    assert run.promoted_at is not None


def test_it_speaks_of_the_versions_that_there_are(gate: TrialGate) -> None:
    """They are counted on while it is tried: something was built anew."""
    gate.now(_edit(versions=(2, 1)))
    run = _run(gate.now(_edit(versions=(5, 4))))
    run.order("undo", None)
    answer = gate.now(_edit(versions=(5, 4)))
    assert isinstance(answer, Reject)
    assert answer.problems[0].reason == "undone by hand: version 5. Version 4 serves."


def test_who_shares_a_trial_tells_each_bad_unit_at_once(gate: TrialGate) -> None:
    """One alone has enough time until it is asked."""
    poked = list[int]()
    run = _run(gate.now(_edit()))
    run.poke = lambda: poked.append(1)
    run.draw({}).failed("GET / → 500")
    assert poked == [1]
    gate.shared = lambda: None
    alone = _run(gate.now(_edit("C")))
    alone.poke = lambda: poked.append(2)
    alone.draw({}).failed("GET / → 500")
    assert poked == [1]


def test_the_first_verdict_holds_for_all(gate: TrialGate, pool: _Pool) -> None:
    """What is known is not decided again, and who was slower takes it for his own."""
    run = _run(gate.now(_edit()))
    pool.faster = PROMOTE
    run.order("undo", None)
    assert _run(gate.now(_edit())) is run
    assert pool.did[-1] == "decide undo"
    other = _run(gate.now(_edit("C")))
    pool.did.clear()
    pool.said[""] = PROMOTE
    assert _run(gate.now(_edit("C"))) is other
    assert [one for one in pool.did if one.startswith("decide")] == []


def test_a_verdict_that_is_there_at_once_leaves_nothing(gate: TrialGate, pool: _Pool) -> None:
    """The engine has tried nothing, and ends nothing of it."""
    pool.said[""] = UNDO
    answer = gate.now(_edit())
    assert isinstance(answer, Reject)
    assert (answer.code, gate.run, pool.did[-1]) == ("undone-failed", None, "leave")


def test_a_watch_that_is_over_is_left(gate: TrialGate, pool: _Pool, clock: FakeClock) -> None:
    """Until then it is asked again; after it nothing is watched, and what it came to is known."""
    run = _run(gate.now(_edit()))
    run.order("promote", None)
    gate.now(_edit())
    assert isinstance(gate.after(_edit()), Wait)
    assert "leave" not in pool.did
    clock.advance(61.0)
    assert gate.after(_edit()) is GO
    assert (gate.run, pool.did[-1]) == (None, "leave")
    pool.did.clear()
    assert gate.after(_edit()) is GO
    run.over()
    assert pool.did == []
    last = gate.latest()
    assert last is not None
    assert last.phase == "watching"


def test_what_the_engine_ended_is_left_once(gate: TrialGate, pool: _Pool) -> None:
    """It is no trial any more, and is told of as the last one; a start leaves nothing."""
    run = _run(gate.now(_edit()))
    pool.did.clear()
    run.over()
    last = gate.latest()
    assert (gate.run, gate.status(), last and last.digest) == (None, None, "B")
    assert pool.did == ["leave"]
    fresh = TrialGate(Trial())
    fresh.shared = lambda: pool
    assert fresh.now(_edit(first=True)) is GO
    assert pool.did == ["leave"]
