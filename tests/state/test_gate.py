"""What an edit is to a store before it is built, and what served before; all is told by hand."""

from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck._state.board import Ban, Freeze, Hold, State
from reloadcheck._state.decide import Decision
from reloadcheck.seams.gates import GO, Defer, Reject, Wait
from reloadcheck.types import Outcome

from .gate_site import FALLEN, PIN, ROLLED, UNDONE, Site, edit, lost, said


@pytest.mark.parametrize(
    ("ban", "code", "words", "outcome"),
    [
        (UNDONE, "undone-before", "was taken back at 1970-01-01 00:00 UTC: undone", "undone"),
        (
            ROLLED,
            "banned",
            "edition 2 was banned by dora at 1970-01-01 00:00 UTC: slow",
            "rejected",
        ),
        (Ban(), "banned", "was banned at 1970-01-01 00:00 UTC", "rejected"),
    ],
)
def test_what_is_banned_is_refused(ban: Ban, code: str, words: str, outcome: str) -> None:
    """With who has banned it, when and why; though the sources were read before that."""
    answer = Site(State(banned={"B": ban})).gate.may(edit())
    assert isinstance(answer, Reject)
    assert (answer.code, answer.outcome) == (code, Outcome(outcome))
    assert words in answer.problems[0].reason


@pytest.mark.parametrize(("wanted", "again"), [("B", True), (None, False), ("A", False)])
def test_a_start_looks_once_more_where_it_was_banned_meanwhile(
    wanted: str | None, again: bool
) -> None:
    """Where it was read as what to serve; where it was not, there is nothing else to start with."""
    site = Site(State(banned={"B": ROLLED}), Decision(wanted))
    answer = site.gate.may(edit(first=True))
    assert (getattr(answer, "again", False), said(answer)[0]) == (again, "banned")


@pytest.mark.parametrize(
    ("hold", "code", "words"),
    [
        (PIN, "pinned", "edition 1 is held by dora and is not kept here"),
        (Hold("rollback", "A", 1), "pinned", "edition 1 is held by an order and is not kept here"),
        (FALLEN, "fallback", "the fall-back is on by dora, and is not served here"),
    ],
)
def test_no_start_without_what_is_held(hold: Hold, code: str, words: str) -> None:
    """It names the order; whoever serves already takes up secrets meanwhile."""
    site = Site(State(hold=hold), Decision(None, behind=True))
    told = said(site.gate.may(edit(first=True)))
    assert (told[0], words in told[1]) == (code, True)
    assert site.gate.may(edit("A")) is GO
    site.feed.decision = Decision("B")
    assert site.gate.may(edit(first=True)) is GO


def test_a_freeze_holds_back_what_is_new() -> None:
    """Not a start, not what all serve or are ordered to, and nothing once its time is over."""
    freeze = Freeze(until=2e9, by="dora", why="sale")
    site = Site(State(freeze=freeze, active="A"))
    answer = site.gate.may(edit())
    assert isinstance(answer, Wait)
    told = "edits are frozen by dora until 2033-05-18 03:33 UTC: sale"
    assert (answer.code, answer.why, answer.opens) == ("frozen", told, 2e9)
    assert site.gate.may(edit(first=True)) is GO
    assert site.gate.may(edit("A")) is GO
    site.want(State(freeze=Freeze(until=site.clock.wall() - 1)))
    assert site.gate.may(edit()) is GO


def test_a_start_waits_for_no_store() -> None:
    """Whoever serves already builds nothing new while that is away."""
    site = Site(rounds=lost())
    assert isinstance(site.gate.may(edit()), Defer)
    assert site.gate.may(edit(first=True)) is GO


def test_the_fall_back_waits_for_nobody() -> None:
    """No freeze, and no others: it is an order."""
    fallen = State(hold=FALLEN, freeze=Freeze())
    site = Site(fallen, order=FALLEN)
    assert isinstance(site.gate.may(edit()), Wait)
    site.worker.learn_fallback("B")
    assert site.gate.may(edit()) is GO
    together = Site(State(hold=FALLEN), order=FALLEN, rounds=lost())
    assert isinstance(together.gate.may(edit()), Defer)
    together.worker.learn_fallback("B")
    assert together.gate.may(edit()) is GO
    assert together.gate.now(edit()) is GO


def test_what_was_taken_back_here_has_not_served() -> None:
    """Though the history has not heard of that yet; unless somebody orders it."""
    site = Site(served=("s-A", "s-B"))
    new = edit().new
    assert site.gate.served(new)
    site.keeper.told.set()
    site.gate.taken_back(new)
    assert (site.gate.served(new), site.gate.served(edit("A").new)) == (False, True)
    assert not site.keeper.told.is_set()
    site.want(State(hold=Hold("pin", "A", 1)))
    assert not site.gate.served(new)
    site.want(State(hold=Hold("pin", "B", 2)))
    assert site.gate.served(new)
    site.want(State(hold=FALLEN))
    assert not site.gate.served(new)
    assert not site.gate.served(edit("unknown").new)
    site.worker.learn_fallback("B")
    assert site.gate.served(new)


def _row(edition: int, content: str) -> dict[str, Any]:
    return {"edition": edition, "outcome": "reloaded", "at": float(edition), "content": content}


@pytest.mark.parametrize(
    ("news", "changes"),
    [
        (True, {}),
        (False, {"rounds": None}),
        (False, {"rounds": SimpleNamespace(offer=None)}),
        (False, {"rounds": SimpleNamespace(offer=SimpleNamespace(content="A")), "entries": {}}),
        (False, {"state": State(1, "A"), "entries": {"entry/1": _row(1, "A")}}),
        (False, {"state": State(2, "B", hold=Hold("pin", "B", 2))}),
        (True, {"state": State(2, "B", hold=Hold("rollback", "A", 1))}),
        (True, {"state": State(2, "B", hold=FALLEN)}),
        (False, {"entries": {"entry/1": _row(1, "B"), "entry/2": _row(2, "B")}}),
    ],
    ids=[
        "decided on",
        "each alone",
        "nothing offered",
        "another offered",
        "not active",
        "held",
        "another held",
        "nothing of the fall-back",
        "live before",
    ],
)
def test_what_all_have_just_decided_on_has_not_served(news: bool, changes: dict[str, Any]) -> None:
    """Its edition is that of the decision, and it is tried; one that was live before is not."""
    words: dict[str, Any] = {
        "state": State(2, "B"),
        "rounds": SimpleNamespace(offer=SimpleNamespace(content="B")),
        "entries": {"entry/1": _row(1, "A"), "entry/2": _row(2, "B")},
        **changes,
    }
    site = Site(**words)
    assert site.gate.is_news(edit()) is news
    assert not site.gate.is_news(edit("unknown"))
    site.worker.learn_fallback("B")
    assert site.gate.is_news(edit()) is (news and site.state.hold is not FALLEN)


def test_what_all_have_decided_on_is_news_until_it_has_served() -> None:
    """Though something else is active by then; a worker that has not read the board knows none."""
    offered = SimpleNamespace(offer=SimpleNamespace(content="B"))
    site = Site(State(2, "B"), rounds=offered, entries={"entry/2": _row(2, "B")})
    view, site.keeper.known.view = site.keeper.known.view, None
    assert not site.gate.is_news(edit())
    site.keeper.known.view = view
    assert site.gate.is_news(edit())
    site.want(State(3, "A"))
    assert site.gate.is_news(edit())
    site.worker.swapped("A", "s-A")
    assert site.gate.is_news(edit())
    site.worker.swapped("B", "s-B")
    assert not site.gate.is_news(edit())
    assert not site.gate.is_news(edit("unknown"))
