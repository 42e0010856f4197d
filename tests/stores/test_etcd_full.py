"""An etcd whose database has reached its quota: it reads, keeps lives, and writes nothing."""

from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import Orders, ReloadCheck
from reloadcheck._etcd.wire import b64
from reloadcheck.exceptions import StoreLostError
from reloadcheck.stores import EtcdStore
from tests.support.etcd import EtcdServer, etcd_server
from tests.support.load import until

FULL = "its database is full: compact and defragment it, then disarm the alarm NOSPACE"


def _fill(server: EtcdServer) -> None:
    for number in range(100):
        body = {"key": b64(f"fill{number}"), "value": b64("x" * 200_000)}
        if "error" in server.ask("/v3/kv/put", body):
            return
    raise AssertionError("there was room for everything")


def _empty(server: EtcdServer) -> None:
    server.ask("/v3/kv/deleterange", {"key": b64("fill"), "range_end": b64("film")})
    header = server.ask("/v3/kv/range", {"key": b64("fill")})["header"]
    server.ask("/v3/kv/compaction", {"revision": header["revision"], "physical": True})
    server.ask("/v3/maintenance/defragment")
    alarm = {"action": "DEACTIVATE", "memberID": header["member_id"], "alarm": "NOSPACE"}
    server.ask("/v3/maintenance/alarm", alarm)


def test_a_full_etcd_is_told_as_that_and_stops_no_edit(tmp_path: Path) -> None:
    """An edit goes live and waits to be told, an order is refused by its cause; it heals."""
    file = tmp_path / "config.yaml"
    file.write_text("a: 1")
    full = ("--quota-backend-bytes", str(2 * 2**20))
    with etcd_server(*full) as server, closing(EtcdStore(server.url)) as reader:
        store = EtcdStore(server.url)
        live: ReloadCheck[Any] = ReloadCheck(file, store=store, app="shop", settle=0, window=0.1)
        live.start()
        orders = Orders(reader, app="shop")
        try:
            until(lambda: len(orders.history()) == 1)
            _fill(server)
            file.write_text("a: 2")
            live.check()
            assert live.snapshot.config.a == 2
            until(lambda: FULL in str(getattr(live.status().store, "error", "")))
            with pytest.raises(StoreLostError, match=FULL):
                orders.pin(why="x", by="dora")
            assert [one.lost for one in orders.fleet().members] == [False]
            _empty(server)
            until(lambda: [row.entry.edition for row in orders.history()] == [2, 1])
            until(lambda: getattr(live.status().store, "error", "") is None)
        finally:
            live.close()
