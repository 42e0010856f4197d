"""In a crowd a worker reads what is wanted, and not what everybody says: the same, for less."""

from reloadcheck import Orders
from reloadcheck._state.board import Member, view_of
from reloadcheck._state.keeper import Fact, Keeper
from reloadcheck._state.ledger import Entry, editions_of, entries_from
from reloadcheck._state.outlook import CROWD, WHOLE_SECONDS
from reloadcheck.testing import FakeClock, MemoryStore
from reloadcheck.types import Board

PREFIX = "shop/default/"


class Watched(MemoryStore):
    """A store that remembers what was looked at."""

    def __init__(self, shared: MemoryStore) -> None:
        super().__init__()
        self.__dict__["_shared"] = vars(shared)["_shared"]
        self.looks: list[str] = []

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Look, and remember it."""
        self.looks.append(prefix.removeprefix(PREFIX))
        return super().look(prefix, seen)


def _crowd(store: MemoryStore, count: int = CROWD + 1) -> None:
    text = Member(host="web", version=1, content="A").to_text()
    store.put({f"{PREFIX}member/m{number}": text for number in range(count)})


def _keeper(store: MemoryStore, clock: FakeClock) -> Keeper:
    member = Member(host="web-1", version=1, content="A")
    keeper = Keeper(store, lambda: PREFIX, lambda: member, clock=clock)
    keeper.begin()
    return keeper


def _fact(content: str, *, first: bool = False) -> Fact:
    return Fact(Entry(None, "reloaded", 1.0, content, content), b"data", first=first)


def _editions(store: MemoryStore) -> list[tuple[int, str | None]]:
    board = store.look(PREFIX)
    assert board is not None
    found = editions_of(entries_from(view_of(board, PREFIX).entries))
    return [(number, entry.content) for number, entry in found.items()]


def test_in_a_crowd_the_state_is_looked_at_and_nothing_else() -> None:
    """What others say of themselves is no news; an edit that another has written is the state's."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    quick, slow = _keeper(shared, clock), Watched(shared)
    keeper = _keeper(slow, clock)
    for one, name in ((quick, "quick"), (keeper, "slow")):
        one.note(_fact("A", first=True))
        one.step()
        assert one.edition == 1, name
    slow.looks.clear()
    keeper.step()
    quick.note(_fact("B"))
    quick.step()
    keeper.step()
    keeper.note(_fact("B"))
    keeper.step()
    assert {"state"} == set(slow.looks)
    assert 2 == keeper.edition == quick.edition
    assert [(1, "A"), (2, "B")] == _editions(shared)
    board = shared.look(PREFIX)
    assert board is not None
    assert {quick.id, keeper.id} <= view_of(board, PREFIX).members.keys()


def test_in_a_crowd_editions_are_written_once_all_the_same() -> None:
    """A, B, A, C: one who is three edits behind reads all there is, and writes none again."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    quick, slow = _keeper(shared, clock), _keeper(shared.peer(), clock)
    quick.step()
    slow.step()
    for number, content in enumerate("ABAC"):
        quick.note(_fact(content, first=number == 0))
        quick.step()
        slow.note(_fact(content, first=number == 0))
    slow.step()
    assert [(1, "A"), (2, "B"), (3, "A"), (4, "C")] == _editions(shared)
    assert 4 == quick.edition == slow.edition


def test_in_a_crowd_orders_are_heard_and_others_are_read_now_and_then() -> None:
    """A pin by the state; a crowd that has gone by the look of every few minutes."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    store = Watched(shared)
    keeper = _keeper(store, clock)
    keeper.note(_fact("A", first=True))
    keeper.step()
    Orders(shared.peer(), app="shop").pin(why="x", by="dora")
    keeper.step()
    view = keeper.known.view
    assert view is not None
    assert view.state.hold is not None
    for number in range(CROWD):
        shared.put({f"{PREFIX}member/m{number}": None})
    keeper.step()
    assert "state" == store.looks[-1]
    clock.advance(WHOLE_SECONDS * 1.3)
    keeper.step()
    assert "" == store.looks[-1]
    view = keeper.known.view
    assert view is not None
    assert 2 == len(view.members)
    store.looks.clear()
    keeper.step()
    assert {""} == set(store.looks)


def test_in_a_crowd_what_is_asked_for_by_name_is_read() -> None:
    """A statement that somebody puts into the store is seen within seconds, as by few workers."""
    shared, clock = MemoryStore(), FakeClock()
    _crowd(shared)
    keeper = _keeper(shared, clock)
    keeper.step()
    assert {} == keeper.records("approval/")
    shared.put({f"{PREFIX}approval/1": "signed"})
    clock.advance(6.0)
    keeper.step()
    assert {"1": "signed"} == keeper.records("approval/")
