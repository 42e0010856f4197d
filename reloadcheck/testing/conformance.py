"""What every store must do, as checks that any test runner can call.

Each check takes `open_store`, which gives another process's connection to one board that is empty
at first, with a short time to live. Run every one on a fresh board::

    @pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
    def test_my_store(check, tmp_path):
        check(lambda: MyStore(tmp_path, ttl=1.0))
"""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Final, TypeAlias

from ..types import Board, Store

__all__ = ["STORE_CHECKS", "OpenStore"]

OpenStore: TypeAlias = Callable[[], Store]


def a_new_board_is_empty(open_store: OpenStore) -> None:
    """There is a board before anybody wrote, and a look that has seen it gives None."""
    with closing(open_store()) as store:
        board = _seen(store)
        assert dict(board.records) == {}
        assert store.look("shop/", board) is None
        assert isinstance(store, Store)


def records_are_read_by_others(open_store: OpenStore) -> None:
    """What one wrote the other reads, with the revision that `put` returned; None takes away."""
    with closing(open_store()) as one, closing(open_store()) as other:
        revision = one.put({"shop/a": "1", "shop/b": "ü\n\U0001f600"})
        board = _seen(other)
        assert _texts(board) == {"shop/a": "1", "shop/b": "ü\n\U0001f600"}
        assert {revision} == {record.revision for record in board.records.values()}
        assert other.put({"shop/a": None, "shop/b": "2"}) is not None
        changed = one.look("shop/", board)
        assert changed is not None
        assert _texts(changed) == {"shop/b": "2"}
        assert changed.revision > board.revision
        assert one.look("shop/", changed) is None


def a_prefix_is_the_whole_of_a_look(open_store: OpenStore) -> None:
    """Neighbours in the order of letters are not taken along, and keys are sorted."""
    with closing(open_store()) as store:
        keys = ["shop.x", "shop/", "shop/b", "shop/a/1", "shop0", "Shop/a", "shop/ü", "sho"]
        store.put(dict.fromkeys(keys, "v"))
        assert list(_seen(store).records) == ["shop/", "shop/a/1", "shop/b", "shop/ü"]


def a_count_is_that_of_a_look(open_store: OpenStore) -> None:
    """Where a store offers `count`, it is how many records a look below the prefix has."""
    with closing(open_store()) as store:
        count: Callable[[str], int] | None = getattr(store, "count", None)
        for number in range(3):
            store.put({f"shop/a/{number}": "v", f"shop/b{number}": "v"})
        if count is not None:
            for prefix in ("shop/a/", "shop/", "shop0"):
                found = store.look(prefix)
                assert found is not None
                assert len(found.records) == count(prefix), prefix


def taking_away_is_seen(open_store: OpenStore) -> None:
    """A look after a record was taken away is no None, though no record is newer."""
    with closing(open_store()) as store:
        store.put({"shop/a": "1"})
        store.put({"shop/b": "2"})
        board = _seen(store)
        store.put({"shop/a": None})
        assert list(_seen(store, board).records) == ["shop/b"]


def conditions_hold_or_nothing_is_written(open_store: OpenStore) -> None:
    """`same` is each key's revision, 0 for one that does not exist; one that fails stops all."""
    with closing(open_store()) as store:
        first = store.put({"shop/a": "1"}, same={"shop/a": 0})
        assert first is not None
        assert store.put({"shop/a": "2", "shop/c": "x"}, same={"shop/a": 0}) is None
        assert store.put({"shop/b": "2"}, same={"shop/a": first, "shop/b": first}) is None
        assert _texts(_seen(store)) == {"shop/a": "1"}
        second = store.put({"shop/a": "2"}, same={"shop/a": first, "shop/b": 0})
        assert second is not None
        assert second > first
        assert store.put({"shop/a": "3"}, same={"shop/a": first}) is None
        assert store.put({"shop/a": None}, same={"shop/a": second}) is not None
        assert store.put({"shop/a": "new"}, same={"shop/a": 0}) is not None


def joiners_are_noticed(open_store: OpenStore) -> None:
    """`none_since` stops a put where a record below its prefix is newer than the look."""
    with closing(open_store()) as one, closing(open_store()) as other:
        one.put({"shop/state": "0", "shop/member/1": "a"})
        board = _seen(one)
        since = ("shop/member/", board.revision)
        assert one.put({"shop/state": "1"}, none_since=since) is not None
        other.put({"shop/member/2": "b"})
        assert one.put({"shop/state": "2"}, none_since=since) is None
        since = ("shop/member/", _seen(one).revision)
        assert one.put({"shop/state": "2"}, none_since=since) is not None


def one_of_many_wins(open_store: OpenStore) -> None:
    """Of eight that write at once on one condition exactly one is told that it has."""
    stores = [open_store() for _ in range(8)]
    try:
        for turn in range(5):
            barrier = threading.Barrier(len(stores))

            def race(
                store: Store, barrier: threading.Barrier = barrier, turn: int = turn
            ) -> int | None:
                barrier.wait()
                return store.put({f"shop/{turn}": "me"}, same={f"shop/{turn}": 0})

            with ThreadPoolExecutor(len(stores)) as threads:
                won = [answer for answer in threads.map(race, stores) if answer is not None]
            assert len(won) == 1
    finally:
        for store in stores:
            store.close()


def what_is_mortal_ends_with_a_close(open_store: OpenStore) -> None:
    """A store that is closed takes its members along, and nothing else."""
    with closing(open_store()) as other:
        with closing(open_store()) as store:
            store.put({"shop/member/1": "a"}, mortal=True)
            store.put({"shop/entry/1": "kept"})
            board = _seen(other)
            assert len(board.records) == 2
        assert _texts(_seen(other, board)) == {"shop/entry/1": "kept"}


def what_is_mortal_ends_without_beats(open_store: OpenStore) -> None:
    """A silent member vanishes for those who beat; it hears of it, and may come again."""
    with closing(open_store()) as silent, closing(open_store()) as other:
        silent.put({"shop/member/1": "a"}, mortal=True)
        other.put({"shop/member/2": "b"}, mortal=True)
        assert silent.beat()
        until = time.monotonic() + 30
        while "shop/member/1" in _seen(other).records:
            assert other.beat()
            assert time.monotonic() < until
            time.sleep(0.05)
        assert _texts(_seen(other)) == {"shop/member/2": "b"}
        assert not silent.beat()
        assert silent.beat()
        silent.put({"shop/member/1": "again"}, mortal=True)
        assert silent.beat()
        assert _texts(_seen(other))["shop/member/1"] == "again"


def a_beat_changes_nothing(open_store: OpenStore) -> None:
    """Keeping alive is no news to anybody."""
    with closing(open_store()) as store, closing(open_store()) as other:
        store.put({"shop/member/1": "a"}, mortal=True)
        board = _seen(other)
        assert store.beat()
        assert other.look("shop/", board) is None


def content_is_kept_by_its_digest(open_store: OpenStore) -> None:
    """Bytes come back as they were, once kept they stay the same, and go when told."""
    data = bytes(range(256)) * 2000
    with closing(open_store()) as store, closing(open_store()) as other:
        assert other.content("d1") is None
        store.keep("d1", data)
        store.keep("d1", data)
        assert data == other.content("d1")
        store.keep("d1", None)
        assert other.content("d1") is None
        store.keep("d1", None)


def a_wait_ends_in_time(open_store: OpenStore) -> None:
    """Waiting takes no longer than was said, and less after a wake where there is one."""
    with closing(open_store()) as store:
        _seen(store)
        begun = time.monotonic()
        store.wait(0.1)
        assert time.monotonic() - begun < 5
        wake: Callable[[], None] | None = getattr(store, "wake", None)
        if wake is not None:
            begun = time.monotonic()
            timer = threading.Timer(0.1, wake)
            timer.start()
            store.wait(30)
            timer.join()
            assert time.monotonic() - begun < 10


def a_closed_store_opens_anew(open_store: OpenStore) -> None:
    """Closing twice is fine, and a call after it finds everything there."""
    with closing(open_store()) as store:
        store.put({"shop/a": "1"})
        store.close()
        store.close()
        assert _texts(_seen(store)) == {"shop/a": "1"}


STORE_CHECKS: Final[tuple[Callable[[OpenStore], None], ...]] = (
    a_new_board_is_empty,
    records_are_read_by_others,
    a_prefix_is_the_whole_of_a_look,
    a_count_is_that_of_a_look,
    taking_away_is_seen,
    conditions_hold_or_nothing_is_written,
    joiners_are_noticed,
    one_of_many_wins,
    what_is_mortal_ends_with_a_close,
    what_is_mortal_ends_without_beats,
    a_beat_changes_nothing,
    content_is_kept_by_its_digest,
    a_wait_ends_in_time,
    a_closed_store_opens_anew,
)
"""Every check, to be run on a fresh board each."""


def _seen(store: Store, before: Board | None = None) -> Board:
    board = store.look("shop/", before)
    assert board is not None
    return board


def _texts(board: Board) -> dict[str, str]:
    return {key: record.value for key, record in board.records.items()}
