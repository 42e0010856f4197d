"""A store behind a pooler that gives each transaction another connection."""

import time
from collections.abc import Callable, Iterator
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reloadcheck import Orders, ReloadCheck
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.stores import PostgresStore
from reloadcheck.testing import STORE_CHECKS, OpenStore
from tests.support.load import until
from tests.support.pooler import Pooler, pooler

_numbers = count()


@pytest.fixture(scope="module")
def pooled(postgres: PostgresServer) -> Iterator[Pooler]:
    """A pooler with four connections for all that these tests open."""
    with pooler(postgres.url()) as made:
        yield made


def _opening(pooled: Pooler, ttl: float = 1.0) -> Callable[[], PostgresStore]:
    """Return what opens another process's store on a board of this test's own, made through it."""
    table = f"pooled{next(_numbers)}"
    PostgresStore(pooled.url, table, timeout=10.0).init()
    return lambda: PostgresStore(pooled.url, table, ttl=ttl, content=True, timeout=10.0)


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_a_store_behind_a_pooler_conforms(
    check: Callable[[OpenStore], None], pooled: Pooler
) -> None:
    """Nothing that a store keeps its word with hangs on one connection of the server."""
    before = len(pooled.turns)
    check(_opening(pooled))
    assert len(set(pooled.turns[before:])) > 2


def test_what_a_write_sets_ends_with_it(pooled: Pooler) -> None:
    """The next transaction on that connection is somebody else's, with limits of its own."""
    with closing(_opening(pooled)()) as store:
        for number in range(8):
            assert store.put({"shop/a": str(number)}, same={}) is not None
    shown: list[Any] = []
    with psycopg.connect(pooled.url, autocommit=True, prepare_threshold=None) as connection:
        for name in ("lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"):
            asked = "SELECT current_setting(%s)"
            shown += [connection.execute(asked, [name]).fetchone() for _ in range(4)]
    assert shown == [("0",)] * 12


def test_nobody_listens_through_a_pooler(pooled: Pooler) -> None:
    """What is told on a connection would be heard by whoever has it then; who waits, waits."""
    opening = _opening(pooled)
    before = len(pooled.listening)
    with closing(opening()) as store, closing(opening()) as other:
        board = store.look("shop/")
        other.put({"shop/a": "1"})
        begun = time.monotonic()
        store.wait(0.2)
        assert time.monotonic() - begun >= 0.2
        assert store.look("shop/", board) is not None
    assert pooled.listening[before:] == []


def test_workers_behind_a_pooler_hear_by_asking(pooled: Pooler, tmp_path: Path) -> None:
    """An edit, a roll-back and its end, on two workers, with a history of what was."""
    opening = _opening(pooled, ttl=30.0)
    file = tmp_path / "config.yaml"
    file.write_text("a: 1")
    workers: list[ReloadCheck[Any]] = [
        ReloadCheck(file, store=opening(), app="shop", settle=0, window=0.1) for _ in range(2)
    ]
    reader = opening()
    orders = Orders(reader, app="shop")
    try:
        for live in workers:
            live.start()
        until(lambda: len(orders.history()) == 1)
        file.write_text("a: 2")
        _all_serve(workers, 2)
        until(lambda: len(orders.history()) == 2)
        orders.rollback(1, why="back", by="dora")
        _all_serve(workers, 1)
        file.write_text("a: 3")
        _all_serve(workers, 3)
        until(lambda: [row.entry.edition for row in orders.history()][:1] == [4])
        until(lambda: [one.in_step for one in orders.fleet().live] == [True, True])
    finally:
        for live in workers:
            live.close()
    assert len(orders.fleet().live) == 0
    reader.close()


def _all_serve(workers: list[ReloadCheck[Any]], value: int) -> None:
    def served() -> bool:
        for live in workers:
            live.check()
        return {live.snapshot.config.a for live in workers} == {value}

    until(served)
