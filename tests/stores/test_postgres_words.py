"""A store in PostgreSQL whose session answers as it seldom does; no server is asked."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import os
import selectors
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from reloadcheck.exceptions import (
    OptionError,
    StoreLostError,
    StoreRefusedError,
    StoreUnsureError,
)
from reloadcheck.stores import EtcdStore, PostgresStore, _postgres_session
from reloadcheck.stores import postgres as postgres_
from reloadcheck.stores._etcd_follow import Following
from reloadcheck.stores._etcd_translation import with_events
from reloadcheck.stores._postgres_session import Session, SessionError
from reloadcheck.stores._postgres_sql import statements_for
from reloadcheck.types import Board, Record

URL = "postgresql://dora:canary@db.example.test/shop"
META = '{"v": 1, "birth": "b"}'


class _Session:
    """A session that answers what a test has it answer, by a part of the statement."""

    own_pid = 7

    def __init__(self, store: PostgresStore, **answers: Any) -> None:
        self.answers: dict[str, Any] = {}
        self.closed = False
        for name, answer in answers.items():
            self.answers[getattr(store._sql, name, name)] = answer

    def _answer(self, statement: str) -> Any:
        answer = self.answers.get(statement, [(b"1",)])
        if isinstance(answer, Exception):
            raise answer
        return answer

    def run(self, statement: str, *given: object) -> Any:
        """Answer."""
        return self._answer(statement)

    script = run

    def commit(self) -> bool:
        """Say whether it did."""
        return bool(self._answer("commit"))

    def is_broken(self) -> bool:
        """Be whole."""
        return False

    def close(self) -> None:
        """Be closed."""
        self.closed = True


def _store(monkeypatch: pytest.MonkeyPatch, **answers: Any) -> tuple[PostgresStore, _Session]:
    store = PostgresStore(URL)
    session = _Session(store, **answers)
    store._session = session  # type: ignore[assignment]
    monkeypatch.setattr(postgres_, "Session", lambda *_: session)
    return store, session


def test_a_table_that_went_away_or_is_not_there_says_what_to_do(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """To make it, once; at the opening, at a look, at a write."""
    store, _ = _store(monkeypatch, look=[], begin=[], found=[])
    with pytest.raises(StoreLostError, match="store init"):
        store.look("shop/")
    with pytest.raises(StoreLostError, match="store init"):
        store.put({"a": "1"})
    store._session = None
    with pytest.raises(StoreLostError, match="store init"):
        store.look("shop/")


def test_a_content_that_is_damaged_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not as a traceback of what reads it."""
    store, _ = _store(monkeypatch, content=[(b"\\x00ff00",)])
    with pytest.raises(StoreLostError, match="a content of it is damaged"):
        store.content("d")


@pytest.mark.parametrize(
    ("commit", "raised", "words"),
    [
        (SessionError("the connection broke", over=True), StoreUnsureError, "connection broke"),
        (False, StoreLostError, "has undone it"),
    ],
)
def test_a_commit_that_is_not_one_is_told(
    monkeypatch: pytest.MonkeyPatch, commit: object, raised: type[Exception], words: str
) -> None:
    """Where nobody knows, the write may be there; where the server rolled back, it is not."""
    store, session = _store(monkeypatch, commit=commit)
    with pytest.raises(raised, match=words):
        store.put({"a": "1"})
    assert session.closed


def test_a_table_that_cannot_be_made_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the reason, and the session is let go."""
    store = PostgresStore(URL)
    session = _Session(store)
    script = f"{store._sql.alone}; {store._sql.create}"
    session.answers[script] = SessionError("its disk is full", "53100", over=False)
    monkeypatch.setattr(postgres_, "Session", lambda *_: session)
    with pytest.raises(StoreLostError, match="its disk is full"):
        store.init()
    assert session.closed
    session.answers[script] = SessionError("this user has no right to its table", "42501")
    with pytest.raises(StoreRefusedError, match="may not make its table: let one who may run what"):
        store.init()


def test_a_socket_that_is_not_there_is_told() -> None:
    """An address without a host is a socket's, which hardly anybody means."""
    with (
        closing(PostgresStore("postgresql:///shop?host=/nowhere")) as store,
        pytest.raises(StoreLostError, match="has no socket on this machine: name its host"),
    ):
        store.look("")


def test_content_that_is_not_wanted_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server hears nothing of it."""
    store = PostgresStore(URL, content=False)
    monkeypatch.setattr(store, "_written", lambda work: pytest.fail("it was written"))
    store.keep("d", b"data")
    assert store.retention.content is False


def test_a_forked_child_leaves_the_parents_session_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """It opens one of its own; closing the parent's would end it for the parent."""
    store = PostgresStore(URL, mirror=tmp_path / "mirror")
    assert store.mirror == str(tmp_path / "mirror")
    session: Any = Session.__new__(Session)
    session._pid, session._connection = -1, SimpleNamespace(close=lambda: pytest.fail("closed"))
    session.close()
    assert _postgres_session._ABANDONED.pop() is session._connection
    store._session, store._pid = session, -1

    def away(*_: object) -> None:
        raise SessionError("is away", over=True)

    monkeypatch.setattr(postgres_, "Session", away)
    with pytest.raises(StoreLostError, match="is away"):
        store.look("shop/")
    assert store._pid == os.getpid()
    assert _postgres_session._ABANDONED.pop() is session._connection


@pytest.mark.parametrize("table", ["", "a.b.c", ".a", "a\0", "x" * 70])
def test_what_is_no_name_of_a_table_is_refused(table: str) -> None:
    """It would be written into a statement."""
    with pytest.raises(OptionError, match="table is the name of a table"):
        statements_for(table, 1.0)


class _Result:
    """One result of a statement."""

    def __init__(self, status: Any, state: bytes | None = None) -> None:
        self.status, self._state = status, state
        self.command_status = b"SELECT"
        self.nfields = self.ntuples = 0

    def error_field(self, field: object) -> bytes | None:
        """Return the state."""
        return self._state


def _answering(results: Sequence[Any], flushes: int = 0) -> tuple[Any, list[bool]]:
    left, written = [*results, None], list[bool]()
    waits = [flushes]

    def flush() -> int:
        waits[0] -= 1
        return int(waits[0] >= 0)

    session: Any = Session.__new__(Session)
    session._timeout = 60.0
    session._pgconn = SimpleNamespace(
        flush=flush,
        consume_input=lambda: None,
        is_busy=lambda: False,
        get_result=lambda: left.pop(0),
        send_query=lambda statements: None,
    )
    session._gather = lambda: None
    session._is_broken = lambda: False
    session._ready = lambda deadline, writing=False: written.append(writing)
    return session, written


def test_of_several_errors_the_first_is_told() -> None:
    """What follows it is only its consequence; one without a state is a broken connection."""
    from psycopg.pq import ExecStatus

    bad = ExecStatus.FATAL_ERROR
    session, _ = _answering([_Result(bad, b"42P01"), _Result(bad, b"25P02")])
    with pytest.raises(SessionError) as caught:
        session.script("x")
    assert caught.value.state == "42P01"
    session, _ = _answering([_Result(bad)])
    with pytest.raises(SessionError, match="the connection broke"):
        session.script("x")


def test_a_statement_that_is_larger_than_what_the_network_takes_is_waited_for() -> None:
    """Until it can be written, and what comes meanwhile is read."""
    from psycopg.pq import ExecStatus

    session, written = _answering([_Result(ExecStatus.COMMAND_OK)], flushes=2)
    assert session.script("x") == []
    assert written == [True, True]
    assert selectors.EVENT_WRITE


# ------------------------------------------------------------------------------ an etcd's


class _Watch:
    """A watch that tells nothing more."""

    endpoint = "http://a"
    ended = False

    def wait(self, seconds: float, or_for: object = None) -> list[Any]:
        """End."""
        self.ended = True
        return []

    def close(self) -> None:
        """Be closed."""


def test_a_watch_that_ends_or_is_elsewhere_is_followed_no_longer() -> None:
    """The next look asks the cluster."""
    etcd: Any = SimpleNamespace(asks="http://a")
    following, board = Following(etcd, 0, 10.0), Board(3, {"a": Record("1", 3)})
    following.wake()
    watch: Any = _Watch()
    following._watch = watch
    opened = [following.watches]
    assert following.follow(board, 5.0) == board
    opened.append(following.watches)
    following._watch = watch
    etcd.asks = "http://b"
    assert [*opened, following.watches] == [True, False, False]


def test_an_event_that_a_board_has_already_is_left_out() -> None:
    """An older one never takes the place of a newer."""
    board = Board(3, {"a": Record("new", 3)})
    old = {"kv": {"key": "YQ==", "value": "b2xk", "mod_revision": "2"}}
    assert with_events(board, [old], 0).records == board.records


def test_an_etcd_store_of_a_forked_child_begins_anew(tmp_path: Path) -> None:
    """With a following and a lease of its own; content that is not wanted is not kept."""
    store = EtcdStore("http://127.0.0.1:1", mirror=tmp_path / "m", content=False)
    assert store.mirror == str(tmp_path / "m")
    known = store._known
    store._pid, store._lease = -1, "lease"
    store.keep("d", b"data")
    assert store._known is not known
    assert store._pid == os.getpid()
    assert not store._lease
