"""What workers that act as one do not vote on: orders, freezes, and secrets that rotate."""

from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._config.digest import tree_digest
from tests.support.rig import until

from .crew import Crew


def test_orders_are_not_voted_on(crew: Crew) -> None:
    """A roll-back is live everywhere though one could not have an edit; a pin stops rounds."""
    one, two = crew.start(2)
    crew.edit("a: 2")
    crew.serve(2)
    crew.orders.rollback(why="x", by="dora")
    crew.serve(1)
    crew.edit("a: 3")
    crew.serve(3)
    assert crew.orders.state().hold is None
    crew.orders.pin(why="x", by="dora")
    crew.look()
    crew.edit("a: 4")
    crew.look()
    assert crew.values() == [3, 3]
    assert crew.orders.state().round is None
    crew.orders.unpin(why="x", by="dora")
    crew.serve(4)
    crew.edit("a: 2")
    until(lambda: {"banned"} == {one.code, two.code})
    assert crew.values() == [4, 4]


@pytest.mark.parametrize("failing", [False, True], ids=["being built", "that one cannot have"])
def test_a_roll_back_over_a_pending_edit_bans_it(crew: Crew, failing: bool) -> None:
    """The round ends with it, all serve the older one, and only other content ends that."""
    *quick, slow = crew.start(3)
    crew.edit("a: 2")
    crew.serve(2)
    until(lambda: len(crew.orders.history(limit=9, outcome="reloaded")) == 2)
    if failing:
        slow.bad.add(3)
    else:
        slow.gate.clear()
    crew.edit("a: 3", *quick)
    slow.file.write_text("a: 3")
    until(lambda: crew.orders.state().round)
    crew.orders.rollback(why="slow", by="dora")
    until(lambda: [worker.value for worker in quick] == [1, 1])
    slow.gate.set()
    crew.serve(1)
    until(lambda: {2, None} == {b.edition for b in crew.orders.state().banned.values()})
    crew.look()
    crew.edit("# why?\na: 3")
    crew.look()
    assert crew.values() == [1, 1, 1]
    state = crew.orders.state()
    assert (state.round, state.hold.kind if state.hold else None) == (None, "rollback")
    assert {tree_digest({"a": a}) for a in (2, 3)} == set(state.banned)
    crew.edit("a: 4")
    crew.serve(4)
    assert crew.orders.state().hold is None


def test_a_rotated_secret_is_not_voted_on(crew: Crew, tmp_path: Path) -> None:
    """It is taken up by each worker at once, also while the others cannot be asked."""
    from reloadcheck import DirectorySource

    secrets = tmp_path / "secrets"
    secrets.mkdir()
    (secrets / "password").write_text("one")
    file = tmp_path / "shared.yaml"
    file.write_text("a: 1")
    lives: list[ReloadCheck[Any]] = [
        ReloadCheck(
            file,
            DirectorySource(secrets),
            store=crew.board.peer(),
            app="shop",
            settle=0,
            window=0.1,
            together="all",
        )
        for _ in range(2)
    ]
    for live in lives:
        live.start()
    (secrets / "password").write_text("two")
    until(lambda: lives[0].check() and lives[0].snapshot.config["password"] == "two")
    assert crew.orders.state().edition == 1
    for live in lives:
        live.close()


def test_a_retry_forgets_a_refusal(crew: Crew) -> None:
    """At once, though it would never be tried again by itself."""
    *_, bad = crew.start(2)
    bad.never.add(2)
    crew.edit("a: 2")
    until(lambda: crew.workers[0].code == "refused")
    bad.never.clear()
    for _ in range(3):
        crew.look()
        for worker in crew.workers:
            worker.live.check()
    assert crew.values() == [1, 1]
    crew.orders.retry(why="x", by="dora")
    crew.serve(2)


def test_a_frozen_board_holds_an_edit_back(crew: Crew) -> None:
    """A freeze in mid-round ends it; thawed, it goes live."""
    quick, slow = crew.start(2)
    slow.gate.clear()
    crew.edit("a: 2", quick)
    slow.file.write_text("a: 2")
    until(lambda: crew.orders.state().round)
    crew.orders.freeze(why="x", by="dora")
    slow.gate.set()
    until(lambda: slow.code == "frozen")
    assert crew.values() == [1, 1]
    assert crew.orders.state().round is None
    crew.orders.thaw(why="x", by="dora")
    crew.serve(2)
