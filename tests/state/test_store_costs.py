"""A store costs no more than it must: looks, threads, processor time, imports."""

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._runtime.clock import SystemClock
from reloadcheck._state.board import Member
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.store_orders import Orders
from reloadcheck.stores import SQLiteStore
from reloadcheck.testing import FakeClock, MemoryStore
from reloadcheck.types import Board, Store
from tests.support.load import until
from tests.support.rig import SECONDS

from .keeping import PREFIX, fact, keeper_of


def test_a_store_that_is_away_is_asked_once_a_second() -> None:
    """However short the window is, and however often somebody has something to write."""
    store = Counting()
    keeper = _running(store)
    store.lose()
    until(lambda: keeper.known.error is not None)
    store.looks, begun = 0, time.monotonic()
    while time.monotonic() - begun < 1.2:
        keeper.wake()
        time.sleep(0.01)
    looks = store.looks
    assert looks <= 1 + (time.monotonic() - begun)  # which may be long on a loaded machine
    store.heal()
    until(lambda: keeper.known.error is None)
    keeper.close()


def test_a_close_does_not_wait_until_a_store_that_is_away_is_asked_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not a moment, so not an hour either."""
    monkeypatch.setattr("reloadcheck._state.keeper.AWAY_SECONDS", 3600.0)
    store, others = MemoryStore(), threading.enumerate()
    keeper = _running(store)
    (thread,) = set(threading.enumerate()) - set(others)
    store.lose()
    until(lambda: keeper.known.error is not None)
    keeper.close(SECONDS)
    assert not thread.is_alive()


def _running(store: Store) -> Keeper:
    """Return a keeper whose thread takes the steps, and has taken one."""
    clock = SystemClock()
    keeper = Keeper(store, lambda: PREFIX, Member, window=lambda: 0.01, clock=clock)
    keeper.ensure()
    assert keeper.first_look(SECONDS)
    return keeper


class Counting(MemoryStore):
    """A store that counts how often it is looked at."""

    looks = 0

    def look(self, prefix: str, seen: Board | None = None) -> Board | None:
        """Look, and count it."""
        self.looks += 1
        return super().look(prefix, seen)


def test_only_one_thread_calls_a_store(tmp_path: Path) -> None:
    """Requests, the engine's and the reader's threads never meet it."""
    file = tmp_path / "config.yaml"
    file.write_text("a: 1")
    callers: set[str] = set()

    class Watched(SQLiteStore):
        def _tried(self, work: Callable[[Any], Any]) -> Any:
            callers.add(threading.current_thread().name)
            return super()._tried(work)

    live = ReloadCheck(file, store=Watched(tmp_path / "store.db"), app="shop", settle=0, window=0.1)
    live.start()
    orders = Orders(SQLiteStore(tmp_path / "store.db"), app="shop")
    until(lambda: bool(orders.history()))
    orders.pin(why="x", by="dora")
    file.write_text("a: 2")
    until(lambda: getattr(live.status().store, "hold", None) == "pin")
    live.check()
    live.close()
    assert callers == {"reloadcheck-store"}


def test_an_idle_worker_costs_next_to_nothing(tmp_path: Path) -> None:
    """A look each second and a beat each five: at most 1.2 seconds of CPU an hour."""
    clock = FakeClock()
    keeper = keeper_of(SQLiteStore(tmp_path / "store.db"), clock)
    keeper.note(fact("A", first=True))
    for _ in range(20):
        keeper.step()

    def hour() -> float:
        begun = time.thread_time()
        for _ in range(180):
            clock.advance(1.0)
            keeper.step()
        return (time.thread_time() - begun) * 20

    assert min(hour() for _ in range(3)) < 1.2


def test_without_a_store_nothing_of_it_is_imported(tmp_path: Path) -> None:
    """No module, no thread."""
    import subprocess
    import sys

    (tmp_path / "config.yaml").write_text("a: 1")
    code = (
        "import sys, threading; from reloadcheck import ReloadCheck\n"
        "live = ReloadCheck(sys.argv[1]); live.start(); live.status()\n"
        "print([m for m in sys.modules if 'sqlite' in m or '_state' in m or 'stores' in m],"
        " [t.name for t in threading.enumerate() if 'store' in t.name])"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "config.yaml")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout == "[] []\n"
