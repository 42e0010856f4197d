"""What happens in the store wakes idle workers: others' activations, orders, outages."""

from pathlib import Path
from typing import Any

import pytest

from reloadcheck import ReloadCheck
from reloadcheck._state.board import Member
from reloadcheck._state.keeper import Keeper
from reloadcheck._state.store_orders import Orders
from reloadcheck.stores import EtcdStore
from reloadcheck.testing import FakeClock, MemoryStore
from tests.support.etcd import etcd_server
from tests.support.load import until

HOUR = 3600.0


def test_an_idle_worker_takes_up_what_another_has_activated(tmp_path: Path) -> None:
    """With a window of an hour and no request: the store alone has it look at its file."""
    file, store = tmp_path / "app.yaml", MemoryStore()
    file.write_text("a: 1\n")
    workers: list[ReloadCheck[Any]] = [
        ReloadCheck(file, store=store.peer(), app="shop", settle=0, window=HOUR) for _ in range(2)
    ]
    for live in workers:
        live.start()
    busy, idle = workers
    try:
        until(lambda: len(Orders(store, app="shop").members()) == 2)
        file.write_text("a: 2\n")
        busy.check()
        until(lambda: idle.snapshot.config.a == 2)
    finally:
        for live in workers:
            live.close()


@pytest.mark.parametrize("word", ["lose", "heal"])
def test_an_outage_and_its_end_have_the_engine_look(word: str) -> None:
    """So that what is counted after each check, as the metrics of several processes, is right."""
    store, heard = MemoryStore(), list[bool]()
    keeper = Keeper(
        store,
        lambda: "shop/default/",
        lambda: Member(host="web-1", version=1, content="A"),
        notify=heard.append,
        clock=FakeClock(),
    )
    keeper.begin()
    keeper.step()
    before = len(heard)
    store.lose()
    keeper.step()
    keeper.step()
    assert before + 1 == len(heard)
    if word == "heal":
        store.heal()
        keeper.step()
        keeper.step()
        assert before + 2 == len(heard)


def test_an_order_in_etcd_is_live_on_an_idle_worker_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long before it would look by itself: the watch wakes it."""
    monkeypatch.setattr("reloadcheck._state.keeper.BEAT_SECONDS", HOUR)
    file = tmp_path / "app.yaml"
    file.write_text("a: 1\n")
    with etcd_server() as server:
        url = server.url
        store = EtcdStore(url, content=True)
        live: ReloadCheck[Any] = ReloadCheck(file, store=store, app="shop", settle=0, window=HOUR)
        live.start()
        mine = EtcdStore(url, content=True)
        orders = Orders(mine, app="shop")
        try:
            until(lambda: len(orders.members()) == 1)
            file.write_text("a: 2\n")
            live.check()
            until(lambda: orders.state().edition == 2)
            orders.rollback(1, why="x", by="dora")
            until(lambda: live.snapshot.config.a == 1)
        finally:
            live.close()
            mine.close()
