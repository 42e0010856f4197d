"""What an edit is to a store that is built and not swapped in: all that came meanwhile holds."""

import threading
from dataclasses import replace
from typing import Any

import pytest

from reloadcheck._state.board import Ban, Freeze, Hold, State
from reloadcheck.seams.gates import GO, Defer, Reject, Wait
from reloadcheck.types import Outcome

from .gate_site import FALLEN, PIN, ROLLED, UNDONE, Site, edit, lost, said


def test_what_is_let_through_is_remembered_by_its_reading() -> None:
    """For the row of history that it gets; what is held back is not what will be swapped in."""
    site = Site()
    assert site.gate.now(edit()) is GO
    assert site.worker.swapping == {"d-B": "s-B"}
    held = Site(State(freeze=Freeze()))
    assert isinstance(held.gate.now(edit()), Wait)
    assert held.worker.swapping == {}


def test_an_order_that_came_meanwhile_has_the_sources_looked_at_anew() -> None:
    """Not the one that was there before, nor for what it wants; its end changes nothing."""
    came = Site(State(hold=PIN)).gate.now(edit())
    assert isinstance(came, Defer)
    assert came.again
    assert Site(State(hold=PIN), order=PIN).gate.now(edit()) is GO
    assert Site(State(hold=PIN)).gate.now(edit("A")) is GO
    assert Site(State(), order=PIN).gate.now(edit()) is GO
    other = Hold("rollback", "C", 3)
    assert isinstance(Site(State(hold=other), order=PIN).gate.now(edit("A")), Defer)


def test_what_is_unknown_by_its_content_is_let_through() -> None:
    """No order can be about it."""
    site = Site(State(hold=PIN, freeze=Freeze()), rounds=lost())
    assert site.gate.now(edit("unknown")) is GO
    site.read(None, "s-B")
    assert site.gate.now(edit()) is GO


def test_a_freeze_that_came_meanwhile_holds_it_back() -> None:
    """Not a start, nor what all serve or what somebody ordered."""
    frozen = State(active="A", freeze=Freeze())
    assert said(Site(frozen).gate.now(edit()))[0] == "frozen"
    assert Site(frozen).gate.now(edit(first=True)) is GO
    assert Site(frozen).gate.now(edit("A")) is GO
    over = Site(State(freeze=Freeze(until=1.0)))
    assert over.gate.now(edit()) is GO
    fallen = Site(State(hold=FALLEN, freeze=Freeze()), order=FALLEN)
    fallen.worker.learn_fallback("B")
    assert fallen.gate.now(edit()) is GO


def test_what_is_tried_is_tried_on() -> None:
    """Whatever is ordered by then: the sources' next reading follows it. The next edit does not."""
    site = Site()
    assert site.gate.may(edit()) is GO
    assert site.gate.now(edit()) is GO
    site.want(State(freeze=Freeze(), hold=PIN, banned={"B": ROLLED}))
    assert site.gate.now(edit()) is GO
    site.want(State())
    assert site.gate.may(edit()) is GO
    site.want(State(freeze=Freeze()))
    assert said(site.gate.now(edit()))[0] == "frozen"


def test_what_another_took_back_is_taken_back_at_once() -> None:
    """In the midst of a trial, too."""
    site = Site()
    assert site.gate.now(edit()) is GO
    site.want(State(banned={"B": UNDONE}))
    answer = site.gate.now(edit())
    assert isinstance(answer, Reject)
    assert (answer.code, answer.outcome) == ("undone-before", Outcome.UNDONE)


@pytest.mark.parametrize("ban", [UNDONE, ROLLED])
def test_a_start_does_not_serve_what_was_banned_while_it_was_built(ban: Ban) -> None:
    """It looks once more, as there may be something else to start with."""
    answer = Site(State(banned={"B": ban})).gate.now(edit(first=True))
    assert isinstance(answer, Defer)
    assert answer.again


class _Rounds:
    """What is known of rounds, and was built; the store is away."""

    offer: Any = None
    lost_for = 0.0
    booting, beaten = True, False

    def __init__(self) -> None:
        self.stepped = threading.Event()
        self.stepped.set()

    def built(self, offer: Any) -> None:
        """Take note of it."""
        self.offer = offer
        self.stepped.set()


def test_the_others_get_what_they_need_of_an_edit() -> None:
    """Its row is made once for a reading, with who gave leave, and how long its steps took."""
    rounds = _Rounds()
    site = Site(State(active="B"), rounds=rounds)
    assert site.gate.now(replace(edit(), overridden=True)) is GO
    made: Any = rounds.offer
    entry = made.entry
    assert (made.content, entry.content, entry.source) == ("B", "B", "s-B")
    assert (entry.actor, entry.why, entry.seconds) == ("arno", "x", {"build": 0.25})
    assert (entry.at, entry.cause, entry.override, entry.layers) == (
        7.0,
        "file",
        True,
        {"memory.yaml": "B"},
    )
    assert (entry.kept, entry.size) == (True, len(made.documents))
    assert site.gate.now(edit()) is GO
    assert rounds.offer is made
    site.read("B", "s-C")
    assert site.gate.now(edit("C")) is GO
    assert (rounds.offer is made, rounds.offer.entry.source) == (False, "s-C")


def test_a_start_is_told_as_one() -> None:
    """Where there is no edition yet, what it starts with is the first."""
    rounds = _Rounds()
    assert Site(rounds=rounds).gate.now(edit(first=True)) is GO
    assert (rounds.offer.content, rounds.offer.entry.cause) == ("B", "start")
