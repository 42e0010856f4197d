"""What happens to an etcd and on the way to it: nothing old is believed, no loss is silent.

Long because each fault is done to a real etcd, or on the way to it.
"""

import os
import random
import socket
import subprocess
import tempfile
import time
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from itertools import count
from typing import Any

import pytest

from reloadcheck import EtcdSource, ReloadCheck
from reloadcheck._etcd import quiet
from reloadcheck._etcd.watch import Watch
from reloadcheck._etcd.wire import b64
from reloadcheck._runtime.deadline import Deadline
from reloadcheck._state.board import Member
from reloadcheck._state.keeper import Keeper
from reloadcheck.exceptions import StoreError, StoreRefusedError
from reloadcheck.stores import EtcdStore, etcd
from reloadcheck.testing import FakeClock
from reloadcheck.types import Board
from tests.support.etcd import EtcdServer, etcd_server, restored, tool
from tests.support.load import until
from tests.support.relay import Link, relay

_numbers = count()


@pytest.fixture(scope="module")
def server() -> Iterator[EtcdServer]:
    """A running server; each test has a prefix of its own in it."""
    with etcd_server() as found:
        yield found


def _prefix() -> str:
    return f"test{next(_numbers)}/"


def _value(board: Board | None, key: str = "shop/a") -> str | None:
    assert board is not None
    record = board.records.get(key)
    return None if record is None else record.value


def _is_watch(link: Link) -> bool:
    return b"/v3/watch" in link.first


def _next(store: EtcdStore, seen: Board | None, seconds: float = 10.0) -> Board:
    """Wait and look as a keeper does, until there is something new."""
    until_ = time.monotonic() + seconds
    while True:
        store.wait(0.2)
        found = store.look("shop/", seen)
        if found is not None:
            return found
        assert time.monotonic() < until_


def test_a_look_under_a_watch_asks_nobody(server: EtcdServer) -> None:
    """The watch tells of changes and of deletions; nothing else goes over the wire."""
    prefix = _prefix()
    with relay(server.port) as between:
        store = EtcdStore(f"http://127.0.0.1:{between.port}", prefix)
        other = EtcdStore(server.url, prefix)
        other.put({"shop/a": "1", "shop/b": "1"})
        board = store.look("shop/")
        store.wait(0.01)
        sent = between.sent
        for _ in range(20):
            assert store.look("shop/", board) is None
        other.put({"shop/a": "2"})
        store.wait(30.0)
        board = store.look("shop/", board)
        assert _value(board) == "2"
        other.put({"shop/b": None})
        until(lambda: "shop/b" not in _records(store, board))
        assert sent == between.sent
        store.close()
        other.close()


def test_who_looks_at_less_hears_of_less(server: EtcdServer) -> None:
    """A worker that finds itself in a crowd follows the state, and no more what all others say."""
    prefix = _prefix()
    with relay(server.port) as between:
        store = EtcdStore(f"http://127.0.0.1:{between.port}", prefix)
        other = EtcdStore(server.url, prefix)
        other.put({"shop/state": "1"})
        store.look("shop/")
        store.wait(0.01)
        state = store.look("shop/state")
        assert store.look("shop/state", state) is None
        store.wait(0.05)
        received = between.received
        for number in range(20):
            other.put({f"shop/member/{number}": "x"})
        store.wait(0.3)
        assert store.look("shop/state", state) is None
        assert received == between.received
        other.put({"shop/state": "2"})
        until(lambda: _records(store, state, "shop/state")["shop/state"].value == "2")
        store.close()
        other.close()


def _records(store: EtcdStore, seen: Board | None, below: str = "shop/") -> Any:
    store.wait(0.05)
    board = store.look(below, seen) or seen
    assert board is not None
    return board.records


def test_a_watch_that_is_swallowed_is_found_out(
    server: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A box on the way that lets ranges through and no event: a range tells the truth in time."""
    monkeypatch.setattr(etcd, "RANGE", 0.5)
    prefix = _prefix()
    with relay(server.port) as between:
        store = EtcdStore(f"http://127.0.0.1:{between.port}", prefix)
        other = EtcdStore(server.url, prefix)
        other.put({"shop/a": "1"})
        board = store.look("shop/")
        store.wait(0.01)
        between.silent = _is_watch
        other.put({"shop/a": "2"})
        assert _value(_next(store, board)) == "2"
        store.close()
        other.close()


def test_an_event_that_comes_with_the_head_of_the_answer_is_told() -> None:
    """An edit at the very moment at which a watch begins waits for no range."""
    line = b'{"result":{"events":[{"kv":{"key":"YQ==","mod_revision":"2"}}]}}\n'
    head = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    here, there = socket.socketpair()
    with here, there:
        there.sendall(head + b"%x\r\n%s\r\n" % (len(line), line))
        watch = Watch(here, "/v3/watch", {}, "{}", Deadline(5.0))
        assert [event["kv"]["mod_revision"] for event in watch.wait(0.0)] == ["2"]
        assert watch.told
        assert watch.wait(0.0) == []


def test_a_source_under_a_watch_asks_nobody(
    server: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until it is told of a change; and a watch that is swallowed is found out in time."""
    assert quiet.RANGE == 10.0
    key = f"{_prefix()}app.yaml"
    _write(server, key, "a: 1")
    with relay(server.port) as between:
        source = EtcdSource(f"http://127.0.0.1:{between.port}", key)
        stamps = [source.stamp() for _ in range(3)]
        sent = between.sent
        assert {stamp.value for stamp in stamps} == {source.stamp().value for _ in range(20)}
        assert sent == between.sent
        _write(server, key, "a: 2")
        until(lambda: source.stamp() != stamps[0])
        between.silent = _is_watch
        before = source.stamp()
        _write(server, key, "a: 3")
        monkeypatch.setattr(quiet, "RANGE", 0.2)
        until(lambda: source.stamp() != before)


def _write(server: EtcdServer, key: str, value: str) -> None:
    server.ask("/v3/kv/put", {"key": b64(key), "value": b64(value)})


def test_a_compaction_is_got_over(server: EtcdServer) -> None:
    """A watch that begins before it is refused, and a look tells what is there."""
    prefix = _prefix()
    store, other = EtcdStore(server.url, prefix), EtcdStore(server.url, prefix)
    other.put({"shop/a": "1"})
    board = store.look("shop/")
    other.put({"shop/a": "2"})
    last = other.put({"elsewhere": "1"})
    server.ask("/v3/kv/compaction", {"revision": str(last), "physical": True})
    board = _next(store, board)
    assert _value(board) == "2"
    store.wait(0.01)
    last = other.put({"elsewhere": "2"})
    server.ask("/v3/kv/compaction", {"revision": str(last), "physical": True})
    other.put({"shop/a": "3"})
    assert _value(_next(store, board)) == "3"
    store.close()
    other.close()


@contextmanager
def _backed_up(*, later: dict[str, str]) -> Generator[tuple[EtcdServer, str]]:
    """Run a server with a backup of it, and what was put `later`."""
    with etcd_server() as server, tempfile.TemporaryDirectory() as directory:
        for key in ("app.yaml", "p/board/shop/a"):
            server.ask("/v3/kv/put", {"key": b64(key), "value": b64("a: 1")})
        backup = f"{directory}/backup"
        command = [tool("etcdctl"), "--endpoints", server.url, "snapshot", "save", backup]
        subprocess.run(command, check=True, capture_output=True)
        for key, value in later.items():
            server.ask("/v3/kv/put", {"key": b64(key), "value": b64(value)})
        yield server, backup


def test_an_older_copy_that_is_restored_is_an_edit_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The revision goes back: everything is read, a member comes again, and it is one WARNING."""
    later = {"app.yaml": "a: 2", "p/board/shop/a": "a: 2", "x": "1"}
    with _backed_up(later=later) as (server, backup):
        live = ReloadCheck(EtcdSource(server.url, "app.yaml"), settle=0, window=0.1)
        live.start()
        keeper = Keeper(
            EtcdStore(server.url, "p/"),
            lambda: "shop/",
            lambda: Member(host="web-1", version=1),
            clock=FakeClock(),
        )
        keeper.begin()
        keeper.step()
        assert live.snapshot.config.a == 2
        restored(server, backup)
        until(lambda: bool(live.check()) and live.snapshot.config.a == 1)
        until(lambda: _steps(keeper))
        assert caplog.text.count("went back from revision") == 1
        assert caplog.text.count("was replaced: it is told anew") == 1
        live.close()
        keeper.store.close()


def _steps(keeper: Keeper) -> bool:
    keeper.step()
    return keeper.known.error is None and keeper.id in _members(keeper)


def _members(keeper: Keeper) -> list[str]:
    board = keeper.store.look("shop/")
    assert board is not None
    return [key.removeprefix("shop/member/") for key in board.records]


def test_a_revision_that_comes_again_is_not_taken_for_the_one_before() -> None:
    """Restored one edit back and edited once: count and revision are as they were, the text not."""
    with _backed_up(later={"p/board/shop/a": "a: 2"}) as (server, backup):
        store = EtcdStore(server.url, "p/")
        source = EtcdSource(server.url, "p/board/shop/a", format="yaml")
        board, stamp = store.look("shop/"), source.stamp()
        assert _value(board) == "a: 2"
        restored(server, backup)
        server.ask("/v3/kv/put", {"key": b64("p/board/shop/a"), "value": b64("a: 3")})
        after = store.look("shop/", board)
        assert _value(after) == "a: 3"
        assert after is not None
        assert board is not None
        assert board.stamp == after.stamp
        assert stamp != source.stamp()
        store.close()


def test_a_lease_that_has_lapsed_is_made_anew(server: EtcdServer) -> None:
    """A put that comes before the beat goes; the beat tells of it all the same, once."""
    store = EtcdStore(server.url, _prefix())
    store.put({"shop/member/1": "a"}, mortal=True)
    (lease,) = [one["ID"] for one in server.ask("/v3/lease/leases")["leases"]]
    server.ask("/v3/lease/revoke", {"ID": lease})
    assert store.put({"shop/member/1": "b"}, mortal=True) is not None
    assert [store.beat(), store.beat()] == [False, True]
    assert _value(store.look("shop/"), "shop/member/1") == "b"
    store.close()


def test_sizes_are_refused_by_name(server: EtcdServer) -> None:
    """1.4 MB and 128 operations go; what does not is refused, and nothing of it is written."""
    prefix = _prefix()
    store = EtcdStore(server.url, prefix)
    assert store.put({"shop/a": "x" * 1_400_000}) is not None
    board = store.look("shop/")
    for size in (1_700_000, 4_000_000):
        with pytest.raises(StoreRefusedError, match=r"too large|larger than"):
            store.put({"shop/a": "y" * size, "shop/b": "1"})
    with pytest.raises(StoreRefusedError, match="at most 128"):
        store.put({f"shop/{number}": "1" for number in range(129)})
    assert store.look("shop/", board) is None
    assert store.put({f"many/{number}": "1" for number in range(128)}) is not None
    source = EtcdSource(server.url, f"{prefix}board/shop/a", format="json")
    assert len(source.read(source.stamp(), 4 * 2**20)[0].data) == 1_400_000
    store.close()


def test_a_forked_child_speaks_for_itself(server: EtcdServer) -> None:
    """With an inherited store, watch and lease: parent and child go on, each with its own."""
    prefix = _prefix()
    store = EtcdStore(server.url, prefix, ttl=2.0)
    store.put({"shop/member/parent": "1"}, mortal=True)
    board = store.look("shop/")
    store.wait(0.01)
    pid = os.fork()
    if pid == 0:
        status = 1
        try:
            store.put({"shop/a": "child"})
            store.put({"shop/member/child": "1"}, mortal=True)
            store.wait(0.01)
            if store.look("shop/") is not None:
                store.close()
                status = 0
        finally:
            os._exit(status)
    assert os.waitpid(pid, 0)[1] == 0
    board = _next(store, board)
    assert list(board.records) == ["shop/a", "shop/member/parent"]
    assert store.beat()
    store.close()


def test_a_slow_drip_ends_with_the_time_out() -> None:
    """However many portions come: the time-out is one for all of an exchange."""
    from tests.support.web import raw, web

    with web() as slow:
        portion = b"HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n"
        slow.respond = raw(portion, *[b" "] * 400, pause=0.1)
        store = EtcdStore(f"http://127.0.0.1:{slow.port}", timeout=0.5)
        begun = time.monotonic()
        with pytest.raises(StoreError, match="does not answer in time"):
            store.look("shop/")
        assert time.monotonic() - begun < 20  # all of it takes twice as long
        slow.respond = raw(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]")
        with pytest.raises(StoreError, match="no JSON: is it etcd"):
            store.look("shop/")
        store.close()


def test_a_stopped_server_is_told_and_asked_once_a_second(server: EtcdServer) -> None:
    """A source's looks cost one time-out a second, the rest is answered from memory."""
    key = f"{_prefix()}app.yaml"
    _write(server, key, "a: 1")
    source = EtcdSource(server.url, key, timeout=1.0)
    stamp = source.stamp()
    server.halt()
    try:
        until(lambda: _stamps(source) is None)
        begun = time.monotonic()
        for _ in range(50):
            with pytest.raises(Exception, match="does not answer in time"):
                source.stamp()
        assert time.monotonic() - begun < 25  # half of what asking each time would take
    finally:
        server.go_on()
    until(lambda: _stamps(source) == stamp)


def _stamps(source: EtcdSource) -> object:
    try:
        return source.stamp()
    except Exception:
        time.sleep(0.1)
        return None


def test_content_comes_back_whole_or_as_an_error(server: EtcdServer) -> None:
    """What somebody has damaged is told, and not decompressed into something else."""
    prefix = _prefix()
    store = EtcdStore(server.url, prefix, content=True)
    store.keep("d", random.Random(2).randbytes(500_000))
    server.ask("/v3/kv/put", {"key": b64(f"{prefix}content/d"), "value": b64("nonsense")})
    with pytest.raises(StoreError, match="damaged"):
        store.content("d")
    store.close()
