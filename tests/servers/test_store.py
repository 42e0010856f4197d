"""Four gunicorn workers and one store: one history, orders live on all, through kills."""

import os
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from reloadcheck import Orders
from reloadcheck.stores import SQLiteStore
from tests.support import config
from tests.support.load import Load, get, until
from tests.support.servers import environment, gunicorn, serving


def _has_rows(orders: Orders, count: int) -> bool:
    return len(orders.history(limit=99)) == count


def _all_serve(orders: Orders, workers: int, edition: int = 1) -> bool:
    fleet = orders.fleet(grace=0.0)
    return (fleet.edition >= edition, len(fleet.live), fleet.drift) == (True, workers, 0.0)


def _lost(orders: Orders) -> list[int]:
    return [one.member.pid for one in orders.fleet().members if one.lost]


@pytest.mark.parametrize(
    "options",
    [
        pytest.param((), id="plain"),
        pytest.param(("--preload",), id="preload", marks=pytest.mark.long),
    ],
)
def test_four_workers_have_one_history_and_one_mind(
    tmp_path: Path, options: tuple[str, ...]
) -> None:
    """Edits are one row each, a roll-back is live everywhere with no request failed, and lasts."""
    file, store = tmp_path / "config.yaml", tmp_path / "state" / "store.db"
    config.write(file, config.text(1))
    environ = environment(file, tmp_path / "journal", RELOAD_CHECK_STORE=str(store))
    environ["RELOAD_CHECK_APP"] = "shop"
    command = gunicorn("tests.support.wsgi_app:app", "--workers", "4", *options)
    orders = Orders(SQLiteStore(store), app="shop")
    with serving(command, environ, tmp_path) as server:
        with Load(server.port) as load:
            until(lambda: store.exists() and _all_serve(orders, 4))
            for number in (2, 3):
                config.replace(file, config.text(number))
                until(partial(_all_serve, orders, 4, number))
                config.replace(file, "number: [" + " " * number)
                until(partial(_has_rows, orders, 2 * number - 1))
            ordered = orders.rollback(why="too new", by="dora")
            until(lambda: _all_serve(orders, 4))
            assert get(server.port).number == 2
        assert load.failures == []
        victim = next(iter(orders.members().values())).pid
        os.kill(victim, signal.SIGKILL)
        with Load(server.port):
            until(lambda: victim not in {one.pid for one in orders.members().values()}, 40.0)
            until(lambda: _all_serve(orders, 4))  # with the one that took its place
            until(lambda: [victim] == _lost(orders))
            config.replace(file, config.text(3) + "# banned, with a comment\n")
            time.sleep(1.0)
            assert get(server.port).number == 2
            config.replace(file, config.text(4))
            until(partial(_all_serve, orders, 4, 5))
            assert orders.state().hold is None
            assert get(server.port).number == 4
        server.stop()
        until(lambda: not orders.members(), 30.0)
        assert [victim] == _lost(orders)  # who ended by itself is missed by nobody
    rows = [(row.entry.edition, row.entry.cause) for row in reversed(orders.history(limit=99))]
    numbered = [row for row in rows if row[0] is not None]
    assert numbered == [(1, "start"), (2, "file"), (3, "file"), (4, "rollback"), (5, "file")]
    assert (ordered.entry.edition, ordered.entry.of) == (4, 2)
