"""A store on a real etcd: what every store does, and what a network does to it."""

import random
import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from reloadcheck.exceptions import StoreError, StoreLostError, StoreRefusedError
from reloadcheck.stores import EtcdStore
from reloadcheck.testing import STORE_CHECKS, OpenStore
from tests.support.etcd import EtcdServer, etcd_server

_numbers = count()


@pytest.fixture(scope="module")
def etcd() -> Iterator[EtcdServer]:
    """A running server; each test has a prefix of its own in it."""
    with etcd_server() as server:
        yield server


def _open(etcd: EtcdServer) -> Callable[[], EtcdStore]:
    prefix = f"test{next(_numbers)}/"
    return lambda: EtcdStore(etcd.url, prefix, ttl=2.0, content=True)


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_an_etcd_store_conforms(check: Callable[[OpenStore], None], etcd: EtcdServer) -> None:
    """A cluster is a board for all processes of many hosts."""
    check(_open(etcd))


def test_a_change_ends_a_wait_of_others(etcd: EtcdServer) -> None:
    """The watch makes it fast: well before the time is over."""
    opening = _open(etcd)
    store, other = opening(), opening()
    store.look("shop/")
    store.wait(0.5)
    other.put({"shop/a": "1"})
    begun = time.monotonic()
    store.wait(20.0)
    assert time.monotonic() - begun < 10
    store.close()
    other.close()


def test_a_stopped_server_is_lost_in_time_and_found_again(etcd: EtcdServer) -> None:
    """No call hangs for longer than its time-outs; afterwards all is as it was."""
    store = _open(etcd)()
    store.put({"shop/a": "1"})
    etcd.halt()
    try:
        begun = time.monotonic()
        with pytest.raises(StoreLostError, match="in time"):
            store.look("shop/")
        with pytest.raises(StoreError):
            store.put({"shop/a": "2"})
        assert time.monotonic() - begun < 10
    finally:
        etcd.go_on()
    board = store.look("shop/")
    assert board is not None
    assert board.records["shop/a"].value in ("1", "2")
    store.close()


def test_a_server_that_restarts_is_found_again(etcd: EtcdServer) -> None:
    """A broken connection is no end; what was written is there."""
    store = _open(etcd)()
    store.put({"shop/a": "1"})
    board = store.look("shop/")
    etcd.stop()
    with pytest.raises(StoreLostError):
        store.look("shop/", board)
    etcd.start()
    assert store.look("shop/", board) is None
    assert store.put({"shop/a": "2"}) is not None
    store.close()


def test_an_endpoint_that_is_away_is_passed_over(etcd: EtcdServer) -> None:
    """One of several is enough."""
    store = EtcdStore(["http://127.0.0.1:1", etcd.url], "passed/")
    assert store.put({"shop/a": "1"}) is not None
    store.close()


def test_content_that_is_too_large_is_refused(etcd: EtcdServer) -> None:
    """By its size, and nothing else: the history goes on without it."""
    store = _open(etcd)()
    with pytest.raises(StoreRefusedError, match="takes no content of"):
        store.keep("d", random.Random(1).randbytes(1_200_000))
    assert store.content("d") is None
    store.close()
