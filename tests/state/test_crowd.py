"""In a crowd a worker reads what is wanted, and not what everybody says: the same, for less."""

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from reloadcheck import Orders, ReloadCheck
from reloadcheck._state.board import Member, State, view_of
from reloadcheck._state.crowd import ASKED_SECONDS, CROWD, WHOLE_SECONDS, Outlook
from reloadcheck._state.keeper import Keeper
from reloadcheck.testing import FakeClock, MemoryStore
from reloadcheck.types import Board
from tests.support.load import until

from .keeping import PREFIX, editions, fact, keeper_of


class Watched(MemoryStore):
    """A store that remembers what was looked at."""

    def __init__(self, shared: MemoryStore) -> None:
        super().__init__()
        self.share(shared)
        self.looks: list[str] = []
        self.read = 0

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Look, and remember it."""
        self.looks.append(prefix.removeprefix(PREFIX))
        board = super().look(prefix, seen)
        self.read += 0 if board is None else len(board.records)
        return board


def _crowd(store: MemoryStore, count: int = CROWD + 1) -> None:
    text = Member(host="web", version=1, content="A").to_text()
    store.put({f"{PREFIX}member/m{number}": text for number in range(count)})


def test_in_a_crowd_the_state_is_looked_at_and_nothing_else() -> None:
    """What others say of themselves is no news; an edit that another has written is the state's."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    quick, slow = keeper_of(shared, clock), Watched(shared)
    keeper = keeper_of(slow, clock)
    for one, name in ((quick, "quick"), (keeper, "slow")):
        one.note(fact("A", first=True))
        one.step()
        assert one.edition == 1, name
    slow.looks.clear()
    keeper.step()
    quick.note(fact("B"))
    quick.step()
    keeper.step()
    keeper.note(fact("B"))
    keeper.step()
    assert set(slow.looks) == {"state"}
    assert 2 == keeper.edition == quick.edition
    assert editions(shared) == [(1, "A"), (2, "B")]
    board = shared.look(PREFIX)
    assert board is not None
    assert {quick.id, keeper.id} <= view_of(board, PREFIX).members.keys()


def test_in_a_crowd_editions_are_written_once_all_the_same() -> None:
    """A, B, A, C: one who is three edits behind reads all there is, and writes none again."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    quick, slow = keeper_of(shared, clock), keeper_of(shared.peer(), clock)
    quick.step()
    slow.step()
    for number, content in enumerate("ABAC"):
        quick.note(fact(content, first=number == 0))
        quick.step()
        slow.note(fact(content, first=number == 0))
    slow.step()
    assert editions(shared) == [(1, "A"), (2, "B"), (3, "A"), (4, "C")]
    assert 4 == quick.edition == slow.edition


def test_in_a_crowd_orders_are_heard_and_others_are_read_now_and_then() -> None:
    """A pin by the state; a crowd that has gone by the look of every few minutes."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    store = Watched(shared)
    keeper = keeper_of(store, clock)
    keeper.note(fact("A", first=True))
    keeper.step()
    Orders(shared.peer(), app="shop").pin(why="x", by="dora")
    keeper.step()
    view = keeper.known.view
    assert view is not None
    assert view.state.hold is not None
    for number in range(CROWD):
        shared.put({f"{PREFIX}member/m{number}": None})
    keeper.step()
    assert store.looks[-1] == "state"
    clock.advance(WHOLE_SECONDS * 1.3)
    keeper.step()
    assert store.looks[-1] == ""
    view = keeper.known.view
    assert view is not None
    assert len(view.members) == 2
    store.looks.clear()
    keeper.step()
    assert set(store.looks) == {""}


def test_in_a_crowd_what_is_asked_for_by_name_is_read() -> None:
    """A statement that somebody puts into the store is seen within seconds, as by few workers."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    keeper = keeper_of(shared, clock)
    keeper.step()
    assert keeper.records("approval/") == {}
    shared.put({f"{PREFIX}approval/1": "signed"})
    clock.advance(6.0)
    keeper.step()
    assert keeper.records("approval/") == {"1": "signed"}


def test_who_starts_in_a_crowd_reads_nothing_of_what_the_others_say() -> None:
    """State, history and its own: a thousand starts in one moment read no million of records."""
    shared, clock = MemoryStore(), FakeClock()
    first = keeper_of(shared, clock)
    first.note(fact("A", first=True))
    first.step()
    _crowd(shared)
    store = Watched(shared)
    keeper = keeper_of(store, clock)
    keeper.note(fact("A", first=True))
    for _ in range(3):
        keeper.step()
    assert keeper.edition == 1
    assert "" not in store.looks
    assert store.read < 10
    board = shared.look(PREFIX)
    assert board is not None
    assert keeper.id in view_of(board, PREFIX).members


def test_a_crowd_is_read_for_who_looks_at_it() -> None:
    """The page of a worker lists a thousand as they are now, and reads them for nobody else."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    store = Watched(shared)
    keeper = keeper_of(store, clock)
    keeper.step()
    assert _known(keeper) == (CROWD + 1, 0)
    keeper.is_asked()
    keeper.step()
    assert _known(keeper) == (0, CROWD + 2)  # and itself
    store.looks.clear()
    keeper.is_asked()
    keeper.step()
    assert set(store.looks) == {"state"}
    clock.advance(ASKED_SECONDS)
    keeper.step()
    assert "" in store.looks


def _known(keeper: Keeper) -> tuple[int, int]:
    view = keeper.known.view
    assert view is not None
    return view.crowd, len(view.members)


def test_a_crowd_is_read_by_a_few_of_it_now_and_then() -> None:
    """So that who is lost is forgotten: as many read all as a small fleet has, not a thousand."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared, 10 * CROWD)
    drawn = [0.5]
    outlook = Outlook(chance=lambda: drawn[0])
    store = Watched(shared)
    found = outlook.look(store, PREFIX, clock.monotonic(), None)
    assert found is not None
    for chance, looks in ((0.11, {"state", "entry/"}), (0.09, {""})):
        drawn[0] = chance
        store.looks.clear()
        clock.advance(WHOLE_SECONDS * 1.3)
        outlook.look(store, PREFIX, clock.monotonic(), found.view)
        assert looks == set(store.looks), chance


def test_a_crowd_that_votes_reads_all() -> None:
    """Who decides together has to know of everybody, after a lean start, too."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    outlook, store = Outlook(), Watched(shared)
    found = outlook.look(store, PREFIX, clock.monotonic(), None)
    assert found is not None
    assert outlook.whole is None
    found = outlook.look(store, PREFIX, clock.monotonic(), found.view, votes=True)
    assert found is not None
    assert len(found.view.members) == CROWD + 1
    assert outlook.whole is not None


def test_an_older_copy_of_the_store_is_noticed_in_a_crowd() -> None:
    """A backup that was put back is told, and read anew, without reading the crowd."""
    older, newer, clock = MemoryStore(), MemoryStore(), FakeClock()
    for store, count in ((older, 1), (newer, 3)):
        _crowd(store)
        for number in range(count):
            store.put({f"{PREFIX}state": State(edition=number).to_text()})
    outlook, store = Outlook(), Watched(newer)
    found = outlook.look(store, PREFIX, clock.monotonic(), None)
    assert found is not None
    assert (found.view.state.edition, found.replaced) == (2, False)
    store.share(older)
    found = outlook.look(store, PREFIX, clock.monotonic(), found.view)
    assert found is not None
    assert (found.view.state.edition, found.replaced) == (0, True)
    assert "" not in store.looks


def test_who_starts_in_a_crowd_serves_what_it_serves(tmp_path: Path) -> None:
    """A file that lags is not served beside others, however many they are."""
    shared = MemoryStore()
    path = tmp_path / "config.yaml"
    with _started(path, "a: 1", shared) as live:
        path.write_text("a: 2")
        until(lambda: bool(live.check()) and live.snapshot.config.a == 2)
        until(lambda: _edition(live) == 2)
        _crowd(shared)
        store = Watched(shared)
        lagging = tmp_path / "lagging.yaml"
        with _started(lagging, "a: 1", store) as other:
            assert other.snapshot.config.a == 2
            assert "" not in store.looks


@contextmanager
def _started(path: Path, text: str, store: MemoryStore) -> Generator[ReloadCheck[Any]]:
    path.write_text(text)
    live: ReloadCheck[Any] = ReloadCheck(path, store=store, app="shop", settle=0, window=0.1)
    live.start()
    try:
        yield live
    finally:
        live.close()


def _edition(live: ReloadCheck[Any]) -> int | None:
    store = live.status().store
    return None if store is None else store.edition


def test_in_a_crowd_too_who_never_left_has_the_number_that_came_back() -> None:
    """The history is read for it once, and not at each look."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    slow = Watched(shared)
    keeper, quick = keeper_of(slow, clock), keeper_of(shared, clock)
    for one in (keeper, quick):
        one.note(replace(fact("A", first=True), version=1))
        one.step()
    quick.note(fact("B"))
    quick.step()
    keeper.step()
    assert (keeper.edition, dict(keeper.editions)) == (1, {1: 1})
    Orders(shared.peer(), app="shop").rollback(1, why="x", by="dora")
    keeper.step()
    assert (keeper.edition, dict(keeper.editions)) == (3, {1: 3})
    slow.looks.clear()
    for _ in range(3):
        keeper.step()
    assert set(slow.looks) == {"state"}
