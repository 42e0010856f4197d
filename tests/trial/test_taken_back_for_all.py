"""What `live.undo()` has answered holds for all: the content is banned in the store by then."""

import asyncio
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Outcome, ReloadCheck
from reloadcheck._engine import by_hand
from reloadcheck._state.board import STATE
from reloadcheck._state.store_orders import Orders
from reloadcheck.testing import MemoryStore
from tests.support.rig import until

Undo = Callable[[ReloadCheck[Any]], Outcome]


def _undo(live: ReloadCheck[Any]) -> Outcome:
    return live.undo()


def _aundo(live: ReloadCheck[Any]) -> Outcome:
    return asyncio.run(live.aundo())


UNDO = pytest.mark.parametrize("undo", [_undo, _aundo], ids=["sync", "async"])


class _Slow(MemoryStore):
    """A store whose bans take a while, and for as long as `held` is set."""

    def __init__(self) -> None:
        super().__init__()
        self.held = threading.Event()
        self.freed = threading.Event()

    def put(self, records: Mapping[str, str | None], **conditions: Any) -> int | None:
        """Write, later."""
        if any(key.endswith(STATE) and '"undone"' in str(text) for key, text in records.items()):
            time.sleep(0.05)
            if self.held.is_set():
                assert self.freed.wait(30)
        return super().put(records, **conditions)


@pytest.fixture
def store() -> _Slow:
    """Such a store."""
    return _Slow()


@pytest.fixture
def live(tmp_path: Path, store: _Slow) -> Iterator[ReloadCheck[Any]]:
    """An engine beside it, without a trial, on its second version."""
    file = tmp_path / "config.yaml"
    file.write_text("a: 1")
    live: ReloadCheck[Any] = ReloadCheck(file, store=store, app="shop", settle=0, window=0)
    live.start()
    try:
        file.write_text("a: 2")
        until(lambda: bool(live.check()) and live.snapshot.config["a"] == 2)
        until(lambda: Orders(store.peer(), app="shop").state().edition == 2)
        yield live
    finally:
        store.freed.set()
        live.close()


@UNDO
def test_it_is_banned_when_the_undo_has_answered(
    live: ReloadCheck[Any], store: _Slow, undo: Undo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever starts from then on does not serve it, though all are killed that moment."""
    monkeypatch.setattr(by_hand, "TOLD_SECONDS", 30.0)
    orders = Orders(store.peer(), app="shop")
    bad = orders.state().active
    assert undo(live) is Outcome.UNDONE
    state = orders.state()
    assert (list(state.banned), state.active == bad, state.edition) == ([bad], False, 3)


@UNDO
def test_a_store_that_hangs_holds_up_no_undo(
    live: ReloadCheck[Any], store: _Slow, undo: Undo, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It serves the version before, and is banned as soon as the store takes it."""
    monkeypatch.setattr(by_hand, "TOLD_SECONDS", 0.1)
    store.held.set()
    orders = Orders(store.peer(), app="shop")
    assert undo(live) is Outcome.UNDONE
    assert (live.snapshot.config["a"], orders.state().banned) == (1, {})
    store.freed.set()
    until(lambda: bool(orders.state().banned))


def test_a_store_that_is_away_is_not_waited_for(
    live: ReloadCheck[Any], store: _Slow, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was told that it is; nobody learns of it before it is back."""
    monkeypatch.setattr(by_hand, "TOLD_SECONDS", 60.0)
    store.lose()
    until(lambda: getattr(live.status().store, "code", None) == "store")
    assert live.undo() is Outcome.UNDONE
    assert live.snapshot.config["a"] == 1
