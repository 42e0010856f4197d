"""Workers that act as one, on real engines over one board: all take up an edit, or none does."""

import json

from reloadcheck import Outcome, Together
from tests.support.rig import until

from .crew import Crew


def test_an_edit_goes_live_on_all_or_waits_for_the_slowest(crew: Crew) -> None:
    """While one of them builds nobody serves it; then all do, by one activation."""
    *quick, slow = crew.start(3)
    assert crew.values() == [1, 1, 1]
    slow.gate.clear()
    crew.edit("a: 2", *quick)
    slow.file.write_text("a: 2")
    until(lambda: crew.votes() == ["prepared", "prepared", None])
    crew.look()
    assert crew.values() == [1, 1, 1]
    assert {worker.code for worker in quick} == {"waiting"}
    status = quick[0].live.status()
    assert status.store is not None
    assert status.store.together == "all"
    assert status.store.round is not None
    slow.gate.set()
    crew.serve(2)
    until(lambda: [row.entry.edition for row in crew.orders.history()] == [2, 1])
    assert (
        crew.orders.history()[0].entry.changed,
        crew.orders.history()[0].entry.cause,
    ) == (("a",), "file")
    until(lambda: {None} == {worker.code for worker in crew.workers})
    until(lambda: {2} == {one.edition for one in crew.orders.members().values()})


def test_a_check_alone_comes_to_reloaded(crew: Crew) -> None:
    """Who has nobody to wait for is not held up."""
    (worker,) = crew.start()
    worker.file.write_text("a: 2")
    assert worker.live.check() in (Outcome.RELOADED, Outcome.UNCHANGED)
    assert worker.value == 2


def test_one_that_can_never_have_it_refuses_for_all(crew: Crew) -> None:
    """Refused at once, with its name and reason; the next edit goes live."""
    *good, bad = crew.start(3)
    bad.never.add(2)
    crew.edit("a: 2")
    until(lambda: {"refused"} == {worker.code for worker in good})
    assert crew.values() == [1, 1, 1]
    assert bad.code == "rule"
    error = str(good[0].live.status().error)
    assert "is never right here" in error
    refused = crew.orders.state().refused
    assert refused is not None
    assert ((refused.code,), len(refused.by)) == (("rule",), 1)
    until(lambda: {None, "refused", "rule"} == set(_codes(crew)))
    assert len(_codes(crew)) == 3
    crew.edit("a: 3")
    crew.serve(3)
    assert crew.orders.state().refused is None


def test_one_that_cannot_build_it_now_may_turn_in_time(crew: Crew) -> None:
    """A factory that fails is no verdict: it is tried again, and then all go."""
    *_, ill = crew.start(3)
    ill.bad.add(2)
    crew.edit("a: 2")
    until(lambda: "failed" in set(_votes(crew)))
    assert crew.values() == [1, 1, 1]
    ill.bad.clear()
    crew.serve(2)


def test_what_is_not_ready_in_time_is_refused_and_tried_again(crew: Crew) -> None:
    """The deadline is each worker's own; after a pause another round is opened."""
    crew.together = Together(deadline=0.5)
    quick, slow = crew.start(2)
    slow.gate.clear()
    crew.edit("a: 2", quick)
    slow.file.write_text("a: 2")
    until(lambda: "not ready in time" in str(quick.live.status().error))
    assert crew.values() == [1, 1]
    slow.gate.set()
    crew.serve(2)


def test_what_all_cannot_build_opens_no_round(crew: Crew) -> None:
    """Each tells its own failure; it goes live once they can."""
    for worker in crew.start(2):
        worker.bad.add(2)
    crew.edit("a: 2")
    assert {worker.code for worker in crew.workers} == {"factory"}
    assert crew.orders.state().round is None
    for worker in crew.workers:
        worker.bad.clear()
    crew.serve(2)


def test_a_quorum_is_enough(crew: Crew) -> None:
    """More than half have it ready: it goes live; who cannot have it is behind, and serves."""
    crew.together = "quorum"
    *good, bad = crew.start(3)
    bad.bad.add(2)
    crew.edit("a: 2")
    until(lambda: crew.values() == [2, 2, 1])
    bad.bad.clear()
    crew.serve(2)
    del good


def test_an_edit_undone_in_mid_round_is_withdrawn(crew: Crew) -> None:
    """Nobody serves it, and nothing of it is left behind."""
    quick, slow = crew.start(2)
    slow.gate.clear()
    crew.edit("a: 2", quick)
    until(lambda: crew.orders.state().round)
    crew.edit("a: 1", quick)
    until(lambda: crew.orders.state().round is None)
    slow.gate.set()
    assert crew.values() == [1, 1]
    assert quick.live.check() == Outcome.UNCHANGED
    board = crew.board.look("shop/")
    assert board is not None
    until(
        lambda: not [key for key in (crew.board.look("shop/") or board).records if "/vote/" in key]
    )
    crew.edit("a: 3")
    crew.serve(3)


def test_two_edits_in_a_row_end_on_the_last(crew: Crew) -> None:
    """The first is given up for the second, or goes live before it."""
    quick, slow = crew.start(2)
    slow.gate.clear()
    crew.edit("a: 2", quick)
    slow.file.write_text("a: 2")
    crew.edit("a: 3", quick)
    slow.file.write_text("a: 3")
    slow.gate.set()
    crew.serve(3)


def test_who_starts_joins_on_what_is_active(crew: Crew) -> None:
    """Whatever its file says; then it takes part."""
    crew.start(2)
    crew.edit("a: 2")
    crew.serve(2)
    crew.text = "a: 1"
    crew.together = Together(deadline=1.0)
    (*_, late) = crew.start(1)
    assert late.value == 2
    late.file.write_text("a: 2")
    crew.edit("a: 3")
    crew.serve(3)


def test_who_starts_in_the_middle_of_a_round_is_waited_for(crew: Crew) -> None:
    """It joins on the version before, and has a vote."""
    quick, slow = crew.start(2)
    slow.gate.clear()
    crew.edit("a: 2", quick)
    slow.file.write_text("a: 2")
    until(lambda: crew.orders.state().round)
    (*_, late) = crew.start(1)
    assert late.value == 1
    slow.gate.set()
    crew.serve(2)


def _codes(crew: Crew) -> list[str | None]:
    return [row.entry.code for row in crew.orders.history()]


def _votes(crew: Crew) -> list[str]:
    board = crew.board.look("shop/")
    assert board is not None
    return [json.loads(one.value)["vote"] for key, one in board.records.items() if "/vote/" in key]


def test_idle_workers_take_part(crew: Crew) -> None:
    """No request is needed, and no check: only one of them looks by itself."""
    crew.start(3)
    for worker in crew.workers:
        worker.file.write_text("a: 2")
    crew.workers[0].live.check()
    crew.serve(2)


def test_a_release_waits_for_nobody_of_another(crew: Crew) -> None:
    """A rolling deploy: each release decides for itself."""
    crew.release = "1"
    crew.start(2)
    crew.release = "2"
    crew.start(1)
    crew.edit("a: 2", crew.workers[2])
    until(lambda: crew.workers[2].value == 2)
    assert crew.values() == [1, 1, 2]
