"""A store that has no room: what can be read is read, and who is there stays there."""

from collections.abc import Mapping

from reloadcheck._state.board import MEMBERS, Member
from reloadcheck._state.history_writer import Fact
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.ledger import Entry
from reloadcheck.exceptions import StoreLostError
from reloadcheck.testing import FakeClock, MemoryStore

PREFIX = "shop/default/"


class Full(MemoryStore):
    """A store that may have no room for what is written; a beat needs none."""

    def __init__(self) -> None:
        super().__init__()
        self.full = False
        self.beats = 0

    def put(
        self,
        records: Mapping[str, str | None],
        *,
        same: Mapping[str, int] | None = None,
        none_since: tuple[str, int] | None = None,
        mortal: bool = False,
    ) -> int | None:
        """Write, where there is room."""
        if self.full:
            raise StoreLostError("full")
        return super().put(records, same=same, none_since=none_since, mortal=mortal)

    def beat(self) -> bool:
        """Count it."""
        self.beats += 1
        return super().beat()


def test_a_worker_lives_on_in_a_store_that_is_full() -> None:
    """What it cannot write waits, and it is no lost one meanwhile; then all is told."""
    store, clock = Full(), FakeClock()
    member = Member(host="web-1", version=1, content="A")
    keeper = Keeper(store, lambda: PREFIX, lambda: member, clock=clock)
    keeper.begin()
    keeper.note(Fact(Entry(None, "reloaded", 1.0, "A", "s-A"), b"data", first=True))
    keeper.step()
    store.full = True
    keeper.note(Fact(Entry(None, "reloaded", 2.0, "B", "s-B"), b"data"))
    for _ in range(3):
        before = store.beats
        clock.advance(6.0)
        keeper.step()
        assert store.beats == before + 1
        assert keeper.known.error == "full"
    store.full = False
    keeper.step()
    assert (keeper.known.error, keeper.edition) == (None, 2)
    assert f"{PREFIX}{MEMBERS}{keeper.id}" in _board(store)


def _board(store: MemoryStore) -> Mapping[str, object]:
    board = store.look(PREFIX)
    assert board is not None
    return board.records
