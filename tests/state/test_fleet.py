"""Who serves what, as numbers: drift, score, and names for who is behind or lost."""

from reloadcheck._state.board import Hold, Member, State
from reloadcheck._state.fleet import fleet_of

MEMBERS = {
    "web-1/1": Member(host="web-1", content="A", edition=42, in_step=(90.0, 100.0)),
    "web-1/2": Member(host="web-1", content="B", edition=43, in_step=(100.0, 100.0)),
    "web-2/1": Member(host="web-2", content="B", edition=43, in_step=(100.0, 200.0)),
}


def test_drift_is_the_share_off_the_target() -> None:
    """One of three serves another content, and is named; the score is of the time."""
    fleet = fleet_of(State(43, "B"), MEMBERS, 1000.0)
    assert 1 / 3 == fleet.drift
    assert 290 / 400 == fleet.score
    assert ["web-1/1"] == [one.id for one in fleet.members if not one.in_step]
    assert "serves edition 42" == fleet.members[0].behind


def test_nobody_drifts_for_a_moment_after_a_change() -> None:
    """Each goes as soon as it has built; that takes windows, looks and builds."""
    state = State(43, "B")
    assert 0.0 == fleet_of(state, MEMBERS, 1000.0, grace=30.0, changed_at=980.0).drift
    assert 0.0 < fleet_of(state, MEMBERS, 1011.0, grace=30.0, changed_at=980.0).drift


def test_what_is_held_is_the_target() -> None:
    """Under a pin those drift that follow the file."""
    fleet = fleet_of(State(43, "B", hold=Hold("pin", "A")), MEMBERS, 1000.0)
    assert ["web-1/2", "web-2/1"] == [one.id for one in fleet.members if not one.in_step]


def test_another_target_can_be_asked_about() -> None:
    """As what git has: then the grace is no excuse."""
    fleet = fleet_of(State(43, "B"), MEMBERS, 1000.0, target="C", changed_at=999.0)
    assert 1.0 == fleet.drift


def test_the_lost_are_listed_and_not_counted() -> None:
    """A machine that burned down is no drift."""
    fleet = fleet_of(State(43, "B"), {}, 1000.0, lost=MEMBERS)
    assert (0.0, 1.0, 3) == (fleet.drift, fleet.score, sum(one.lost for one in fleet.members))
