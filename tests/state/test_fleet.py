"""Who serves what, as numbers: drift, score, and names for who is behind or lost."""

from dataclasses import replace

from reloadcheck._state.board import Hold, Member, State
from reloadcheck._state.fleet import Against, fleet_of, fleets_in, shares
from reloadcheck._state.fleet_document import document
from reloadcheck.types import Board, Record

MEMBERS = {
    "web-1/1": Member(host="web-1", content="A", edition=42, in_step=(90.0, 100.0)),
    "web-1/2": Member(host="web-1", content="B", edition=43, in_step=(100.0, 100.0)),
    "web-2/1": Member(host="web-2", content="B", edition=43, in_step=(100.0, 200.0)),
}


def test_drift_is_the_share_off_the_target() -> None:
    """One of three serves another content, and is named; the score is of the time."""
    fleet = fleet_of(State(43, "B"), MEMBERS, 1000.0)
    assert fleet.drift == 1 / 3
    assert fleet.score == 290 / 400
    assert [one.id for one in fleet.members if not one.in_step] == ["web-1/1"]
    assert fleet.members[0].behind == "serves edition 42"


def test_nobody_drifts_for_a_moment_after_a_change() -> None:
    """Each goes as soon as it has built; that takes windows, looks and builds."""
    state = State(43, "B")
    assert fleet_of(state, MEMBERS, 1000.0, grace=30.0, changed_at=980.0).drift == 0.0
    assert fleet_of(state, MEMBERS, 1011.0, grace=30.0, changed_at=980.0).drift > 0.0


def test_a_clock_that_is_far_ahead_hides_no_drift() -> None:
    """Of whoever made the change: an hour's mistake is no hour's excuse; a second's is none."""
    state = State(43, "B")
    assert fleet_of(state, MEMBERS, 1000.0, grace=30.0, changed_at=4600.0).drift == 1 / 3
    assert fleet_of(state, MEMBERS, 1000.0, grace=30.0, changed_at=1001.0).drift == 0.0


def test_who_tries_the_target_is_in_step() -> None:
    """Workers that act together try an edit for minutes: no drift, and nobody is woken."""
    state = State(44, "C")
    trying = {name: replace(one, pending="C", outcome="trying") for name, one in MEMBERS.items()}
    fleet = fleet_of(state, trying, 1000.0, grace=0.0)
    assert (fleet.drift, {one.word for one in fleet.members}) == (0.0, {"trying"})
    waits = {**trying, "web-1/1": replace(trying["web-1/1"], outcome="waiting")}
    assert fleet_of(state, waits, 1000.0, grace=0.0).drift == 1 / 3
    assert fleet_of(state, trying, 1000.0, target="C").drift == 1.0


def test_what_is_held_is_the_target() -> None:
    """Under a pin those drift that follow the file."""
    fleet = fleet_of(State(43, "B", hold=Hold("pin", "A")), MEMBERS, 1000.0)
    assert [one.id for one in fleet.members if not one.in_step] == ["web-1/2", "web-2/1"]


def test_another_target_can_be_asked_about() -> None:
    """As what git has: then the grace is no excuse."""
    fleet = fleet_of(State(43, "B"), MEMBERS, 1000.0, target="C", changed_at=999.0)
    assert fleet.drift == 1.0


def test_the_lost_are_listed_and_not_counted() -> None:
    """A machine that burned down is no drift."""
    fleet = fleet_of(State(43, "B"), {}, 1000.0, lost=MEMBERS)
    assert (fleet.drift, fleet.score, sum(one.lost for one in fleet.members)) == (0.0, 1.0, 3)


def test_who_says_that_it_cannot_drifts_at_once() -> None:
    """The moment of grace is for those who have not got round to it."""
    state = State(43, "B")
    failed = replace(MEMBERS["web-1/1"], code="factory", outcome="rejected", since=985.0)
    members = {**MEMBERS, "web-1/1": failed}
    assert fleet_of(state, members, 1000.0, grace=30.0, changed_at=980.0).drift == 1 / 3
    before = {**MEMBERS, "web-1/1": replace(failed, since=970.0)}
    assert fleet_of(state, before, 1000.0, grace=30.0, changed_at=980.0).drift == 0.0


def test_a_layer_is_found_by_the_end_of_its_name() -> None:
    """So that what git has is compared with the file it stands for, whatever lies over it."""
    layers = {"/srv/shop/config.yaml": "one", "/srv/shop/local.yaml": "two"}
    member = Member(content="merged", layers=layers)
    for path, digest, serves in (
        ("config.yaml", "one", True),
        ("deploy/shop/config.yaml", "one", True),
        ("local.yaml", "one", False),
        ("other.yaml", "one", False),
        ("other.yaml", "merged", True),
    ):
        assert serves is Against("HEAD", digest, path).is_served_by(member), path
    assert not Against("HEAD", "one").is_served_by(member)
    alone = replace(member, layers={"etcd": "one"})
    assert Against("HEAD", "one", "config.yaml").is_served_by(alone)
    twins = replace(member, layers={"a/config.yaml": "one", "b/config.yaml": "two"})
    assert Against("HEAD", "two", "config.yaml").is_served_by(twins)
    assert not Against("HEAD", "two", "a/config.yaml").is_served_by(twins)


def test_a_board_of_several_applications_is_one_fleet() -> None:
    """Each group has its own target; each member counts once; the killed are named."""
    records = {
        "shop/default/state": State(2, "A").to_text(),
        "shop/default/member/web-1/1": Member(host="web-1", content="A").to_text(),
        "shop/default/seen/web-1/1": Member(host="web-1").to_text(),
        "shop/default/seen/web-1/9": Member(host="web-1", pid=9).to_text(),
        "a%2Fb/1.4/state": State(7, "X").to_text(),
        "a%2Fb/1.4/member/web-2/1": Member(host="web-2", content="X").to_text(),
        "a%2Fb/1.4/member/web-2/2": Member(host="web-2", content="Y").to_text(),
        "a%2Fb/1.5/state": State(1, "Z").to_text(),
    }
    board = Board(9, {key: Record(text, 1) for key, text in records.items()})
    fleets = fleets_in(board, 1000.0)
    assert [(one.app, one.release, one.edition) for one in fleets] == [
        ("a/b", "1.4", 7),
        ("a/b", "1.5", 1),
        ("shop", "", 2),
    ]
    told = document(fleets)
    assert (told["live"], told["lost"], told["drift"], told["edition"]) == (3, 1, 1 / 3, None)
    assert [one["app"] for one in told["members"]] == ["a/b", "a/b", "shop", "shop"]
    assert [one["pid"] for one in told["members"] if one["lost"]] == [9]
    assert [one["behind"] for one in told["members"] if one["behind"]] == ["serves nothing"]
    (only,) = fleets_in(board, 1000.0, app="a/b", release="1.4")
    assert (document([only])["edition"], shares([only])[0]) == (7, 0.5)
    assert fleets_in(board, 1000.0, app="none") == ()
