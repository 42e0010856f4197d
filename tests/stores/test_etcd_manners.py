"""How a store on etcd behaves towards the server and towards other processes of its own."""

import os
import time
from collections.abc import Iterator
from contextlib import closing
from itertools import count

import pytest

from reloadcheck import EtcdSource
from reloadcheck._etcd.client import Etcd
from reloadcheck._etcd.tokens import Token
from reloadcheck._etcd.watch import Watch
from reloadcheck._etcd.wire import b64
from reloadcheck.exceptions import StoreLostError, StoreUnsureError
from reloadcheck.stores import EtcdStore
from tests.support.etcd import EtcdServer, etcd_server
from tests.support.load import until
from tests.support.relay import relay

_numbers = count()


@pytest.fixture(scope="module")
def server() -> Iterator[EtcdServer]:
    """A running server; each test has a prefix of its own in it."""
    with etcd_server() as found:
        yield found


def _prefix() -> str:
    return f"manners{next(_numbers)}/"


def test_a_child_that_closes_takes_no_parent_along(server: EtcdServer) -> None:
    """A forked worker that ends at once with the store that it inherited is nobody's farewell."""
    with closing(EtcdStore(server.url, _prefix())) as store:
        store.put({"shop/member/parent": "alive"}, mortal=True)
        pid = os.fork()
        if pid == 0:
            status = 1
            try:
                store.close()
                status = 0
            finally:
                os._exit(status)
        assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
        board = store.look("shop/")
        assert board is not None
        assert list(board.records) == ["shop/member/parent"]


def test_what_others_say_of_themselves_wakes_nobody(server: EtcdServer) -> None:
    """A thousand do so after each edit: there at the next look; what lasts is told at once."""
    prefix = _prefix()
    with (
        closing(EtcdStore(server.url, prefix)) as store,
        closing(EtcdStore(server.url, prefix)) as other,
    ):
        board = store.look("shop/")
        store.wait(0.1)  # begins to watch
        begun = time.monotonic()
        other.put({"shop/member/1": "a"}, mortal=True)
        store.wait(0.5)
        assert time.monotonic() - begun >= 0.5
        assert store.look("shop/", board) is not None
        begun = time.monotonic()
        other.put({"shop/a": "1"})
        store.wait(30.0)
        assert time.monotonic() - begun < 15


def test_no_write_goes_over_a_connection_that_may_have_been_cut(
    server: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else nobody could say whether it was written: an idle one is made anew before."""
    with (
        relay(server.port) as way,
        closing(EtcdStore(f"http://127.0.0.1:{way.port}", _prefix())) as store,
    ):
        assert store.put({"shop/a": "1"}) is not None
        monkeypatch.setattr("reloadcheck._etcd.client._IDLE", 1e9)
        way.reset()
        with pytest.raises(StoreUnsureError):
            store.put({"shop/a": "2"})
        assert store.put({"shop/a": "3"}) is not None
        monkeypatch.setattr("reloadcheck._etcd.client._IDLE", 0.0)
        way.reset()
        assert store.put({"shop/a": "4"}) is not None


def test_a_watch_that_cannot_be_is_asked_for_seldom(
    server: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not once a wait: the range that is asked now and then tells the truth as well."""
    asked: list[str] = []

    def refused(_: Etcd, key: str, revision: int, *, below: bool = True) -> Watch:
        asked.append(f"{key} {revision} {below}")
        raise StoreLostError("no watch here")

    monkeypatch.setattr(Etcd, "watch", refused)
    with closing(EtcdStore(server.url, _prefix())) as store:
        store.look("shop/")
        for _ in range(5):
            store.wait(0.02)
        assert len(asked) == 1


def test_a_source_whose_watch_has_ended_asks_at_once(
    server: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A watch that tells nothing since it is over tells nothing at all."""
    monkeypatch.setattr("reloadcheck._etcd.quiet.RANGE", 1e9)
    body = {"key": b64("ended.yaml"), "value": b64("a: 1")}
    server.ask("/v3/kv/put", body)
    with relay(server.port) as way:
        source = EtcdSource(f"http://127.0.0.1:{way.port}", "ended.yaml")
        first = source.stamp()
        assert source.stamp() is first  # begins to watch
        assert source.stamp() is first
        way.reset()
        server.ask("/v3/kv/put", {**body, "value": b64("a: 2")})
        until(lambda: source.stamp() != first)


def test_a_token_that_was_refused_takes_no_newer_one_along() -> None:
    """Clients share one: who hears late that the old one is gone leaves the new one to the rest."""
    asked: list[str] = []

    def authenticate(password: str) -> str:
        asked.append(password)
        return f"token-{len(asked)}"

    token = Token("word")
    assert token.get(authenticate) == "token-1"
    token.drop("token-0", herd=True)
    assert token.get(authenticate) == "token-1"
    token.drop("token-1", herd=False)
    assert token.get(authenticate) == "token-2"
