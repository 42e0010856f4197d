"""Three etcds of which one is killed, stopped or cut off: the others are found in time."""

import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from functools import partial
from itertools import count

import pytest

from reloadcheck import EtcdSource, ReloadCheck
from reloadcheck._etcd.client import Etcd
from reloadcheck._etcd.tokens import CHANCE
from reloadcheck._etcd.wire import b64
from reloadcheck.exceptions import StoreError, StoreUnsureError
from reloadcheck.stores import EtcdStore, etcd
from reloadcheck.testing import STORE_CHECKS
from tests.support.etcd import Cluster, etcd_cluster
from tests.support.lateness import watched
from tests.support.load import until

Made = Callable[[list[str], str], EtcdStore]

_numbers = count()


@pytest.fixture(scope="module")
def cluster() -> Iterator[Cluster]:
    """A running cluster; each test has a prefix of its own in it, and mends what it breaks."""
    with etcd_cluster() as found:
        yield found


@pytest.fixture
def made() -> Iterator[Made]:
    """Return a way to make stores; they are closed at the end, however it came."""
    with ExitStack() as stack:
        yield lambda urls, prefix: stack.enter_context(closing(EtcdStore(urls, prefix)))


@pytest.fixture
def first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let clients begin with the endpoint that is named first."""
    monkeypatch.setattr(CHANCE, "randrange", _zero)


def _zero(stop: int) -> int:
    return 0 * stop


def _from(cluster: Cluster, number: int) -> list[str]:
    return [*cluster.urls[number:], *cluster.urls[:number]]


def _prefix() -> str:
    return f"test{next(_numbers)}/"


def _goes_on(store: EtcdStore) -> bool:
    try:
        return store.put({"shop/b": "1"}) is not None and store.look("shop/") is not None
    except StoreError:
        return False


def _puts(store: EtcdStore, value: str) -> bool:
    try:
        return store.put({"shop/a": value}) is not None
    except StoreError:  # a busy machine: who lost the answer may say the same again
        return False


def test_a_store_on_a_cluster_conforms(cluster: Cluster) -> None:
    """All that a store must do, at whichever endpoint each process has begun with."""
    for check in STORE_CHECKS:
        prefix = _prefix()
        check(partial(EtcdStore, cluster.urls, prefix, ttl=2.0, content=True))


def test_workers_spread_over_the_endpoints(cluster: Cluster) -> None:
    """A thousand with one list do not all ask the first of it."""
    clients = [Etcd(cluster.urls) for _ in range(64)]
    assert {cluster.urls[0]} == {one.name for one in clients}
    assert len({one.asks for one in clients}) == 3


@pytest.mark.usefixtures("first")
def test_a_member_that_is_killed_is_passed_over(cluster: Cluster, made: Made) -> None:
    """The leader, too: as soon as there is another one."""
    leader = cluster.leader()
    store = made(_from(cluster, leader), _prefix())
    store.put({"shop/a": "1"})
    cluster.servers[leader].stop()
    try:
        with watched() as machine:
            took = until(lambda: _goes_on(store))
        assert took - machine.excuses < 10
    finally:
        cluster.servers[leader].start()


@pytest.mark.usefixtures("first")
def test_a_member_that_is_stopped_is_passed_over(cluster: Cluster, made: Made) -> None:
    """TCP never notices; a look takes as long as our own time-out, and no longer."""
    store = made(cluster.urls, _prefix())
    store.put({"shop/a": "1"})
    board = store.look("shop/")
    cluster.servers[0].halt()
    try:
        with watched() as machine:
            took = until(lambda: _looks(store))
        assert took - machine.excuses < 8
    finally:
        cluster.servers[0].go_on()
    assert store.look("shop/", board) is None


def _looks(store: EtcdStore) -> bool:
    try:
        return store.look("shop/") is not None
    except StoreError:
        return False


@pytest.mark.usefixtures("first")
def test_a_member_that_is_cut_off_is_left(
    cluster: Cluster, made: Made, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its watch ends rather than be silent, and no look believes what it still has."""
    monkeypatch.setattr(etcd, "RANGE", 1000.0)
    prefix, alone = _prefix(), (cluster.leader() + 1) % 3
    store = made(_from(cluster, alone), prefix)
    other = made(_from(cluster, (alone + 1) % 3)[:1], prefix)
    other.put({"shop/a": "1"})
    board = store.look("shop/")
    store.wait(0.01)
    cluster.cut(alone)
    try:
        until(lambda: _puts(other, "2"))
        begun, changed = time.monotonic(), None
        with watched() as machine:
            while changed is None:
                assert time.monotonic() - begun - machine.excuses < 12
                store.wait(1.0)
                changed = store.look("shop/", board)
        assert changed.records["shop/a"].value == "2"
    finally:
        cluster.heal()


@pytest.mark.usefixtures("first")
def test_a_write_whose_answer_is_lost_is_never_repeated(cluster: Cluster, made: Made) -> None:
    """It is told as unsure, and a look says what came of it: one version or none, never two."""
    prefix, leader = _prefix(), cluster.leader()
    store = made(_from(cluster, leader), prefix)
    store.put({"shop/other": "1"})
    cluster.cut(leader)
    try:
        with pytest.raises(StoreUnsureError, match="in time"):
            store.put({"shop/a": "1"})
        until(lambda: _looks(store))
    finally:
        cluster.heal()
    key = {"key": b64(f"{prefix}board/shop/a")}
    until(lambda: "header" in cluster.servers[leader].ask("/v3/kv/range", key))
    kvs = cluster.servers[cluster.leader()].ask("/v3/kv/range", key).get("kvs", [])
    assert [one["version"] for one in kvs] in ([], ["1"])
    board = store.look("shop/")
    assert board is not None
    assert ("shop/a" in board.records) == bool(kvs)


@pytest.mark.usefixtures("first")
def test_a_source_goes_on_at_another_member(cluster: Cluster) -> None:
    """An edit is live in 12 s though the endpoint that was asked is cut off from the rest."""
    key = f"{_prefix()}shop.yaml"
    alone = cluster.leader()
    cluster.servers[alone].ask("/v3/kv/put", {"key": b64(key), "value": b64("a: 1")})
    live = ReloadCheck(EtcdSource(_from(cluster, alone), key), settle=0, window=0.1)
    live.start()
    cluster.cut(alone)
    try:
        there = cluster.servers[cluster.leader()]
        there.ask("/v3/kv/put", {"key": b64(key), "value": b64("a: 2")})
        with watched() as machine:
            took = until(lambda: bool(live.check()) and live.snapshot.config.a == 2)
        assert (
            took - machine.excuses < 12
        )  # a watch tells in five; the range every ten seconds makes it sure
    finally:
        cluster.heal()
    live.close()
