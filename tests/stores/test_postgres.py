"""A store in a real PostgreSQL: what every store does, and what a server does to it.

Long because each fault is done to a real server, which the tests start.
"""

import os
import signal
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from itertools import count
from pathlib import Path
from typing import Any

import psycopg
import pytest

from reloadcheck import OptionError, ReloadCheck
from reloadcheck._state.store_orders import Orders
from reloadcheck.demo.postgres import PostgresServer
from reloadcheck.exceptions import (
    StoreError,
    StoreLostError,
    StoreRefusedError,
    StoreUnsureError,
)
from reloadcheck.stores import PostgresStore
from reloadcheck.stores._postgres_session import Session
from reloadcheck.testing import STORE_CHECKS, OpenStore
from tests.support.load import until
from tests.support.postgres import MortalPostgres, mortal_postgres

_numbers = count()


def _opening(url: str, ttl: float = 1.0) -> Callable[[], PostgresStore]:
    """Return what opens another process's store on a board of this test's own."""
    table = f"board{next(_numbers)}"
    PostgresStore(url, table).init()
    return lambda: PostgresStore(url, table, ttl=ttl, content=True, timeout=1.0)


@pytest.fixture(scope="module")
def mortal() -> Iterator[MortalPostgres]:
    """A server that these tests may stop."""
    with mortal_postgres() as server:
        yield server


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_a_postgres_store_conforms(
    check: Callable[[OpenStore], None], postgres: PostgresServer
) -> None:
    """A database is a board for all processes of many hosts."""
    check(_opening(postgres.url()))


def test_a_change_ends_a_wait_of_others_and_not_of_its_writer(postgres: PostgresServer) -> None:
    """LISTEN makes it fast; who wrote waits its time."""
    opening = _opening(postgres.url())
    with closing(opening()) as store, closing(opening()) as other:
        store.look("shop/")
        other.put({"shop/a": "1"})
        begun = time.monotonic()
        store.wait(20.0)
        assert time.monotonic() - begun < 10
        begun = time.monotonic()
        other.wait(0.3)
        assert time.monotonic() - begun >= 0.3


def test_without_its_table_it_says_what_makes_it(postgres: PostgresServer) -> None:
    """So for a table of something else, and for one of a later release, with both numbers."""
    url = postgres.url()
    with closing(PostgresStore(url, "missing")) as store:
        with pytest.raises(
            StoreRefusedError, match="no table missing, which `reloadcheck store init"
        ):
            store.look("")
        with pytest.raises(StoreRefusedError, match="has no table missing"):
            store.put({"a": "1"})
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE foreign_one (kind text, key text, value text)")
        connection.execute("ALTER TABLE foreign_one ADD revision bigint")
        connection.execute("INSERT INTO foreign_one VALUES ('meta', '', 'x', 1)")
        PostgresStore(url, "newer").init()
        connection.execute("UPDATE newer SET value = '{\"schema\": 2}'")
    with (
        closing(PostgresStore(url, "foreign_one")) as store,
        pytest.raises(StoreRefusedError, match="is a table of something else"),
    ):
        store.look("")
    with (
        closing(PostgresStore(url, "newer")) as store,
        pytest.raises(StoreRefusedError, match="has schema 2, and this release knows 1"),
    ):
        store.look("")


def test_making_the_table_twice_and_at_once_is_fine(postgres: PostgresServer) -> None:
    """Every worker's deployment may do it; what is in it stays."""
    names = [f"public.made twice {number}" for number in range(8)]
    start = threading.Barrier(12)
    refused = list[StoreError]()

    def make(_: int) -> None:
        for name in names:
            start.wait()
            try:
                PostgresStore(postgres.url(), name).init()
            except StoreError as error:
                refused.append(error)

    with ThreadPoolExecutor(start.parties) as makers:
        list(makers.map(make, range(start.parties)))
    assert refused == []
    with closing(PostgresStore(postgres.url(), names[0])) as store:
        assert store.put({"a": "1"}) == 1
        store.init()
        board = store.look("")
        assert board is not None
        assert board.revision == 1


def test_a_forked_child_has_a_connection_of_its_own(postgres: PostgresServer) -> None:
    """Parent and children write on with the inherited store, and the parent's member lives."""
    with closing(_opening(postgres.url(), ttl=30.0)()) as store:
        store.put({"shop/member/parent": "alive"}, mortal=True)
        children: list[int] = []
        for child in range(2):
            pid = os.fork()
            if pid == 0:
                status = 1
                try:
                    for number in range(10):
                        store.put({f"shop/entry/{child}/{number}": "x"})
                    store.close()
                    status = 0
                finally:
                    os._exit(status)
            children.append(pid)
            for number in range(10):
                store.put({f"shop/entry/parent/{child}/{number}": "x"})
        codes = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in children]
        assert codes == [0, 0]
        board = store.look("shop/")
        assert board is not None
        assert len(board.records) == 4 * 10 + 1
        assert store.beat()


def test_who_stands_still_in_the_middle_of_writing_holds_nobody(postgres: PostgresServer) -> None:
    """As a paused container does: the server cuts it off, and the others write."""
    opening = _opening(postgres.url())
    with closing(opening()) as paused, closing(opening()) as other:
        paused.look("")
        session: Session = paused._opened()  # pyright: ignore[reportPrivateUsage]
        assert session.script(paused._sql.begin)  # pyright: ignore[reportPrivateUsage]

        def written() -> bool:
            try:
                return other.put({"shop/a": "1"}) is not None
            except StoreLostError:
                return False

        until(written)
        until(session.is_broken)
        assert paused.put({"shop/b": "1"}) is not None


def test_a_frozen_server_is_lost_in_time_and_found_again(mortal: MortalPostgres) -> None:
    """No call hangs for longer than its time-out, nor does connecting; then all is as it was."""
    with closing(_opening(mortal.url)()) as store:
        store.put({"shop/a": "1"})
        mortal.halt()
        try:
            begun = time.monotonic()
            for _ in range(2):  # on the old connection, then on a new one
                with pytest.raises(StoreLostError, match="does not answer in time"):
                    store.look("shop/")
            with pytest.raises(StoreLostError):
                store.put({"shop/a": "2"})
            assert time.monotonic() - begun < 12
        finally:
            mortal.go_on()
        board = store.look("shop/")
        assert board is not None
        assert board.records["shop/a"].value == "1"


def test_an_answer_to_a_commit_that_is_lost_is_told_as_that(
    mortal: MortalPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may have been written: `StoreUnsureError`, and a look tells."""
    with closing(_opening(mortal.url)()) as store:
        store.put({"shop/a": "1"})
        commit = Session.commit

        def frozen(session: Session) -> bool:
            mortal.halt()
            return commit(session)

        monkeypatch.setattr(Session, "commit", frozen)
        try:
            with pytest.raises(StoreUnsureError, match="does not answer in time"):
                store.put({"shop/a": "2"})
        finally:
            mortal.go_on()
            monkeypatch.undo()
        board = store.look("shop/")
        assert board is not None
        assert board.records["shop/a"].value in ("1", "2")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGQUIT], ids=["shut down", "crashed"])
def test_a_server_that_restarts_is_found_again(mortal: MortalPostgres, number: int) -> None:
    """A broken connection is no end, for whoever waits neither; what was written is there."""
    with closing(_opening(mortal.url)()) as store:
        store.put({"shop/a": "1"}, same={"shop/a": 0})
        board = store.look("shop/")
        mortal.stop(number)
        try:
            store.wait(0.2)
            for _ in range(2):
                with pytest.raises(StoreLostError, match="nobody listens there"):
                    store.look("shop/", board)
        finally:
            mortal.start()
        assert store.look("shop/", board) is None
        assert store.put({"shop/a": "2"}) is not None


def test_a_server_that_is_told_to_end_waits_for_the_store_alone(mortal: MortalPostgres) -> None:
    """SIGTERM lets sessions end by themselves: the store works until it is closed."""
    store = _opening(mortal.url)()
    store.put({"shop/a": "1"})
    os.kill(mortal.server.process.pid, signal.SIGTERM)
    try:
        assert store.put({"shop/a": "2"}) is not None
        store.close()
        assert mortal.server.process.wait(20) is not None
        with pytest.raises(StoreLostError):
            store.look("shop/")
    finally:
        mortal.start()
    assert store.put({"shop/a": "3"}) is not None
    store.close()


def test_an_engine_outlives_its_store(mortal: MortalPostgres, tmp_path: Path) -> None:
    """Edits go live while the server is away, and are in the history when it is back."""
    opening = _opening(mortal.url)
    file = tmp_path / "config.yaml"
    file.write_text("a: 1")
    live: ReloadCheck[Any] = ReloadCheck(file, store=opening(), app="shop", settle=0, window=0.1)
    live.start()
    with closing(opening()) as reader:
        orders = Orders(reader, app="shop")
        until(lambda: len(orders.history()) == 1)
        mortal.stop()
        try:
            for value in (2, 3):
                file.write_text(f"a: {value}")
                live.check()
                assert live.snapshot.config.a == value
            until(lambda: getattr(live.status().store, "code", None) == "store")
        finally:
            mortal.start()
        until(lambda: _editions(orders) == [3, 2, 1])
        until(lambda: getattr(live.status().store, "code", "store") is None)
        orders.rollback(1, why="back", by="dora")
        until(lambda: bool(live.check()) and live.snapshot.config.a == 1)
    live.close()


def _editions(orders: Orders) -> list[int | None]:
    try:
        return [row.entry.edition for row in orders.history()]
    except StoreError:
        return []


SECRETS = (
    "postgresql://me:canary-word@127.0.0.1:1/shop",
    "postgresql://me:canary/word@127.0.0.1/shop",
    "postgresql://me:canary@word@127.0.0.1:1/shop",
    "postgresql://me:canary-word@127.0.0.1:canary/shop",
    "postgresql://me:canary%zz@127.0.0.1:1/shop",
    "host=127.0.0.1 port=1 password=canary user='me",
)


@pytest.mark.parametrize("address", SECRETS)
def test_a_password_is_shown_nowhere(address: str) -> None:
    """Neither in a name, nor in an error or its traceback, well written or not."""
    shown: list[str] = []
    try:
        store = PostgresStore(address, timeout=1.0)
        shown += [repr(store), store.name]
        store.look("")
    except (StoreLostError, OptionError):
        shown.append(traceback.format_exc())
    assert len(shown) in (1, 3)
    assert not [text for text in shown if "canary" in text or "word@" in text]


def test_a_wrong_password_is_told_without_it(postgres: PostgresServer) -> None:
    """By what to put right."""
    with (
        closing(PostgresStore(postgres.url(password="canary"))) as store,
        pytest.raises(StoreLostError, match="refuses the password") as found,
    ):
        store.look("")
    assert "canary" not in "".join(traceback.format_exception(found.value))


def test_it_is_imported_by_whom_it_is_for() -> None:
    """Naming the stores imports no psycopg; without it, the extra is named."""
    code = (
        "import sys, reloadcheck, reloadcheck.stores as s; s.SQLiteStore;"
        "assert 'psycopg' not in sys.modules;"
        "sys.modules['psycopg'] = None;"
        "s.PostgresStore('postgresql://me@127.0.0.1/x')"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    words = "psycopg is not installed: pip install 'reloadcheck[postgres]'"
    assert done.stderr.splitlines()[-1] == f"ModuleNotFoundError: {words}"
