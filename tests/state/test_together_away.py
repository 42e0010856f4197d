"""Workers that act as one while the store is away: nothing is activated, nothing held up."""

from reloadcheck import Outcome, Together
from tests.support.lateness import Stopwatch
from tests.support.rig import until

from .crew import Crew, Worker


def test_a_store_that_is_away_activates_nothing(crew: Crew) -> None:
    """`deferred`, code `store`; it goes live when the store is back. Serving goes on."""
    one, _ = crew.start(2)
    for worker in crew.workers:
        worker.store.lose()
    until(lambda: all(_is_away(worker) for worker in crew.workers))
    one.file.write_text("a: 2")
    assert one.live.check() == Outcome.DEFERRED
    assert one.code == "store"
    assert crew.values() == [1, 1]
    crew.workers[1].file.write_text("a: 2")
    for worker in crew.workers:
        worker.store.heal()
    crew.serve(2)


def test_who_may_goes_on_alone(crew: Crew) -> None:
    """`alone_after`: so long the store must have been away; back, it serves what all serve."""
    crew.together = Together(alone_after=0.3, deadline=1.0)
    one, _ = crew.start(2)
    one.store.lose()
    until(lambda: _is_away(one))
    one.file.write_text("a: 2")
    one.live.check()
    until(lambda: one.live.check() and one.value == 2)
    assert crew.values() == [2, 1]
    one.store.heal()
    crew.serve(1)
    crew.workers[1].file.write_text("a: 2")
    crew.serve(2)


def test_a_start_without_the_store_serves_the_file_and_joins_later(crew: Crew) -> None:
    """Unregistered meanwhile; then it is with the others."""
    crew.start(1)
    crew.edit("a: 2")
    crew.serve(2)
    crew.text = "a: 1"
    late = Worker(crew, 1)
    crew.workers.append(late)
    late.store.lose()
    late.live.start()
    assert crew.values() == [2, 1]
    late.store.heal()
    crew.serve(2)
    until(lambda: len(crew.orders.members()) == 2)


def test_a_lost_answer_decides_nothing_twice(crew: Crew) -> None:
    """Written or not: there is one edition of it."""
    one, two = crew.start(2)
    for value, written in ((2, True), (3, False), (4, True)):
        for worker in (one, two):
            worker.store.unsure(written=written)
        crew.edit(f"a: {value}")
        crew.serve(value)
    numbers = [row.entry.edition for row in crew.orders.history() if row.entry.edition]
    assert numbers == [4, 3, 2, 1]


def test_a_store_that_hangs_holds_no_request(crew: Crew) -> None:
    """Serving goes on, a check ends, and nothing is activated alone."""
    one, two = crew.start(2)
    one.store.freeze()
    one.file.write_text("a: 2")
    watch = Stopwatch()
    one.live.check()
    assert watch.seconds < 3
    with one.live.lease() as snapshot:
        assert snapshot.config["a"] == 1
    one.store.heal()
    two.file.write_text("a: 2")
    crew.serve(2)


def _is_away(worker: Worker) -> bool:
    store = worker.live.status().store
    return store is not None and store.code == "store"
