"""One worker's gate to what all decide, on a board and rounds told by hand."""

# What comes seldom is made to happen from within.
# pyright: reportUnknownLambdaType=false

from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck._state.board import Refusal, State, View
from reloadcheck._state.ledger import Entry
from reloadcheck._state.round_barrier import Barrier
from reloadcheck._state.round_driver import Offer
from reloadcheck.seams.gates import GO, Defer, Reject


class _Rounds:
    """What a worker knows of the rounds, and was told of its own edit."""

    def __init__(self, **known: Any) -> None:
        self.lost_for: float | None = None
        self.deadline, self.alone_after, self.need = 10.0, None, "all"
        self.booting, self.beaten = True, False
        self.offer = None
        self.stepped: Any = SimpleNamespace(
            is_set=lambda: True, clear=lambda: None, wait=lambda _: None
        )
        self.away: list[str | None] = []
        self.failures: list[tuple[str, str | None]] = []
        self.refuses = False
        vars(self).update(known)

    def is_refused(self, view: View, content: str) -> bool:
        """Return whether all have refused it."""
        return self.refuses

    def turned_away(self, content: str | None) -> None:
        """Take note of it."""
        self.away.append(content)

    def built(self, offer: Offer) -> None:
        """Take note of it."""
        self.offer = offer  # type: ignore[assignment]

    def failed(self, content: str, why: Any) -> None:
        """Take note of it."""
        self.failures.append((content, why.error))


def _barrier(rounds: _Rounds, *, target: str | None = None, kept: Sequence[str] = ()) -> Barrier:
    refused = Refusal("B", error="no such host") if rounds.refuses else None
    state = State(active=target, refused=refused)
    known = SimpleNamespace(view=View(state=state), error=None, contents=dict.fromkeys(kept))
    keeper: Any = SimpleNamespace(known=known, wake=lambda: None)
    given: Any = rounds
    return Barrier(given, keeper)


def _offer(content: str) -> Offer:
    return Offer(content, Entry(None, "reloaded", 0.0, content, f"source of {content}"), None)


def test_while_the_store_is_away_for_long_nothing_new_is_built() -> None:
    """Unless this worker is to go alone by then; what serves is built anew at any time."""
    rounds = _Rounds(lost_for=11.0)
    answer = _barrier(rounds).may("B", first=False)
    assert isinstance(answer, Defer)
    assert (answer.drop, rounds.away) == (True, [None])
    assert "it does not answer" in str(answer.why)
    assert _barrier(rounds, target="B").may("B", first=False) is GO
    assert _barrier(_Rounds(lost_for=11.0, alone_after=11.0)).may("B", first=False) is GO
    assert _barrier(_Rounds(lost_for=9.0)).may("B", first=False) is GO


@pytest.mark.parametrize(
    ("need", "words"), [("all", "could not all take it up"), ("quorum", "too few workers")]
)
def test_what_was_refused_is_told_with_its_reason(need: str, words: str) -> None:
    """As many as were needed could not take it up."""
    rounds = _Rounds(refuses=True, need=need)
    answer = _barrier(rounds).may("B", first=False)
    assert isinstance(answer, Reject)
    assert words in answer.problems[0].reason
    assert answer.problems[0].reason.endswith(": no such host")


def test_who_has_joined_already_joins_no_more() -> None:
    """By what was thought to have failed."""
    rounds = _Rounds(booting=False)
    assert _barrier(rounds).now(_offer("B"), first=True) is GO
    assert rounds.offer is None


@pytest.mark.parametrize("kept", [[], ["A"]])
def test_who_starts_with_what_the_others_left_behind_tries_again(kept: list[str]) -> None:
    """With what they serve by now; where the store has lost that, it says so and serves its own."""
    rounds = _Rounds()
    begin: Callable[[Offer], None] = rounds.built

    def built(offer: Offer) -> None:
        begin(offer)
        rounds.beaten = True

    rounds.built = built  # type: ignore[method-assign]
    answer = _barrier(rounds, target="A", kept=kept).now(_offer("B"), first=True)
    assert rounds.beaten is False
    if kept:
        assert isinstance(answer, Defer)
        assert (answer.again, rounds.failures) == (True, [])
    else:
        assert (answer, rounds.failures) == (GO, [("A", "it is not kept in the store")])
