"""Workers that act as one, on real engines over one board: all take up an edit, or none does.

Long because each moment at which workers can disagree is brought about on real engines.
"""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck, Together
from reloadcheck._config.digest import tree_digest
from reloadcheck._state.store_orders import Orders
from reloadcheck.testing import MemoryStore
from tests.support.rig import until


class Worker:
    """One worker's engine, its file and its store; each has its own."""

    def __init__(self, crew: "Crew", number: int) -> None:
        self.file = crew.directory / f"worker-{number}.yaml"
        self.file.write_text(crew.text)
        self.store = crew.board.peer()
        self.live: ReloadCheck[Any] = ReloadCheck(
            self.file,
            store=self.store,
            app="shop",
            release=crew.release,
            settle=0,
            window=0.1,
            together=crew.together,
        )
        self.bad: set[object] = set()
        self.never: set[object] = set()
        self.builds: list[object] = []
        self.gate = threading.Event()
        self.gate.set()
        self.live.resource("a", name="pool")(self._build)
        self.live.rule("a")(self._judge)

    def _build(self, a: object) -> object:
        assert self.gate.wait(20)
        if a in self.bad:
            raise ConnectionError
        self.builds.append(a)
        return object()

    def _judge(self, a: object) -> str | None:
        return "is never right here" if a in self.never else None

    @property
    def value(self) -> object:
        """What it serves."""
        return self.live.snapshot.config["a"]

    @property
    def code(self) -> str | None:
        """Why it does not serve what its file holds."""
        return self.live.status().code


class Crew:
    """Some workers over one board."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.board = MemoryStore()
        self.together: Any = "all"
        self.release: str | None = None
        self.text = "a: 1"
        self.workers: list[Worker] = []

    def start(self, count: int = 1) -> list[Worker]:
        """Start more workers; return them all."""
        for _ in range(count):
            worker = Worker(self, len(self.workers))
            self.workers.append(worker)
            worker.live.start()
        return self.workers

    @property
    def orders(self) -> Orders:
        """What an operator has."""
        return Orders(self.board.peer(), app="shop", release=self.release)

    def edit(self, text: str, *workers: Worker) -> None:
        """Edit the files of some workers, or of all, and let those look."""
        self.text = text
        for worker in workers or self.workers:
            worker.file.write_text(text)
        for worker in workers or self.workers:
            worker.live.check()

    def values(self) -> list[object]:
        """Return what each serves."""
        return [worker.value for worker in self.workers]

    def serve(self, value: object) -> None:
        """Wait until all serve it, without a request."""
        until(lambda: {value} == set(self.values()))


@pytest.fixture
def crew(tmp_path: Path) -> Iterator[Crew]:
    """Workers that are ended with the test."""
    crew = Crew(tmp_path)
    yield crew
    for worker in crew.workers:
        worker.gate.set()
        worker.store.heal()
        worker.live.close()


def test_an_edit_goes_live_on_all_or_waits_for_the_slowest(crew: Crew) -> None:
    """While one of them builds nobody serves it; then all do, by one activation."""
    *quick, slow = crew.start(3)
    assert crew.values() == [1, 1, 1]
    slow.gate.clear()
    crew.edit("a: 2", *quick)
    slow.file.write_text("a: 2")
    until(lambda: crew.orders.state().round)
    time.sleep(0.3)
    assert crew.values() == [1, 1, 1]
    assert {worker.code for worker in quick} == {"waiting"}
    status = quick[0].live.status()
    assert status.store is not None
    assert status.store.together == "all"
    assert status.store.round is not None
    assert sorted(status.store.round.votes.values(), key=lambda vote: vote is None) == [
        "prepared",
        "prepared",
        None,
    ]
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
    crew.edit("a: 4")
    time.sleep(0.4)
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
    crew.edit("# why?\na: 3")
    time.sleep(0.4)
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
    time.sleep(1.5)
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


def test_a_store_that_hangs_holds_no_request(crew: Crew) -> None:
    """Serving goes on, a check ends, and nothing is activated alone."""
    one, two = crew.start(2)
    one.store.freeze()
    one.file.write_text("a: 2")
    begun = time.monotonic()
    one.live.check()
    assert time.monotonic() - begun < 3
    with one.live.lease() as snapshot:
        assert snapshot.config["a"] == 1
    one.store.heal()
    two.file.write_text("a: 2")
    crew.serve(2)


def _codes(crew: Crew) -> list[str | None]:
    return [row.entry.code for row in crew.orders.history()]


def _votes(crew: Crew) -> list[str]:
    board = crew.board.look("shop/")
    assert board is not None
    return [json.loads(one.value)["vote"] for key, one in board.records.items() if "/vote/" in key]


def _is_away(worker: Worker) -> bool:
    store = worker.live.status().store
    return store is not None and store.code == "store"


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
