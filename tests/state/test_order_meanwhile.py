"""An order that comes while an edit is being built holds for that edit, too."""

import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.testing import MemoryStore
from tests.support.rig import until


class _Slow:
    """A worker whose pool takes as long as a test wants it to."""

    def __init__(self, directory: Path) -> None:
        self.file = directory / "config.yaml"
        self.file.write_text("a: 1")
        self.store = MemoryStore()
        self.live: ReloadCheck[Any] = ReloadCheck(
            self.file, store=self.store, app="shop", settle=0, window=0.1
        )
        self.live.resource("a", name="pool")(self._build)
        self.served: list[object] = []
        self.live.subscribe(lambda _: self.served.append(self.value))
        self.building, self.goes_on = threading.Event(), threading.Event()
        self.goes_on.set()

    def _build(self, a: object) -> object:
        self.building.set()
        assert self.goes_on.wait(30)
        return a

    @property
    def value(self) -> object:
        """What it serves."""
        return self.live.snapshot.config["a"]

    @property
    def orders(self) -> Orders:
        """What an operator has."""
        return Orders(self.store.peer(), app="shop")

    def serve(self, a: int) -> None:
        """Have an edit live."""
        self.file.write_text(f"a: {a}")
        until(lambda: bool(self.live.check()) and self.value == a)
        until(lambda: self.orders.state().edition == a)

    def while_built(self, a: int, order: Callable[[Orders], object]) -> None:
        """Write an order while an edit is being built; return when that has come to something."""
        self.building.clear()
        self.goes_on.clear()
        self.file.write_text(f"a: {a}")
        asked = threading.Thread(target=self.live.check)
        asked.start()
        assert self.building.wait(30)
        order(self.orders)
        until(self._has_heard)
        self.goes_on.set()
        asked.join(30)

    def _has_heard(self) -> bool:
        store = self.live.status().store
        return store is not None and (store.hold or store.frozen) is not None


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[_Slow]:
    """One that serves its second edition; it is ended with the test."""
    worker = _Slow(tmp_path)
    try:
        worker.live.start()
        until(lambda: worker.orders.state().edition == 1)
        worker.serve(2)
        yield worker
    finally:
        worker.goes_on.set()
        worker.live.close()


def test_a_roll_back_is_not_ended_by_what_was_there_before_it(worker: _Slow) -> None:
    """The edit that was being built is banned as any that the sources held when it came."""
    worker.while_built(3, lambda orders: orders.rollback(why="slow", by="dora"))
    until(lambda: worker.value == 1)
    until(lambda: len(worker.orders.state().banned) == 2)
    hold = worker.orders.state().hold
    assert (hold and hold.kind, 3 in worker.served) == ("rollback", False)
    worker.serve(4)
    assert 3 not in worker.served


def test_a_pin_holds_back_what_is_being_built(worker: _Slow) -> None:
    """It is told as pending, and goes live with `unpin`."""
    worker.while_built(3, lambda orders: orders.pin(why="release", by="dora"))
    until(lambda: worker.live.status().code == "pinned")
    assert (worker.value, 3 in worker.served) == (2, False)
    worker.orders.unpin(by="dora")
    until(lambda: worker.value == 3)


def test_a_freeze_holds_back_what_is_being_built(worker: _Slow) -> None:
    """It is built already, and goes live with `thaw`, not before."""
    worker.while_built(3, lambda orders: orders.freeze(why="sale", by="dora"))
    until(lambda: worker.live.status().code == "frozen")
    worker.live.check()
    assert (worker.value, 3 in worker.served) == (2, False)
    worker.orders.thaw(by="dora")
    until(lambda: worker.value == 3)
