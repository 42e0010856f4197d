"""A configuration in a real etcd: live, last good while it is away, and every mistake said."""

from collections.abc import Iterator

import pytest

from reloadcheck import EtcdSource, OptionError, Outcome, ReloadCheck, Source
from reloadcheck._etcd import quiet
from reloadcheck._etcd.client import Etcd
from reloadcheck._etcd.wire import b64
from tests.support.etcd import EtcdServer, etcd_server
from tests.support.load import until


@pytest.fixture(scope="module")
def etcd() -> Iterator[EtcdServer]:
    """A running server."""
    with etcd_server() as server:
        yield server


def _put(etcd: EtcdServer, key: str, value: str) -> None:
    client = Etcd(etcd.url)
    client.call("/v3/kv/put", {"key": b64(key), "value": b64(value)}, writes=True)
    client.close()


def _delete(etcd: EtcdServer, key: str) -> None:
    client = Etcd(etcd.url)
    client.call("/v3/kv/deleterange", {"key": b64(key)}, writes=True)
    client.close()


def test_a_document_under_a_key_is_live(etcd: EtcdServer) -> None:
    """An edit is taken up, a bad one is rejected at its line, a removed or empty one is held."""
    _put(etcd, "shop.yaml", "a: 1")
    source = EtcdSource(etcd.url, "shop.yaml")
    assert isinstance(source, Source)
    live = ReloadCheck(source, settle=0, window=0.1)
    live.start()
    assert live.snapshot.config.a == 1
    _put(etcd, "shop.yaml", "a: 2")
    until(lambda: bool(live.check()) and live.snapshot.config.a == 2)
    _put(etcd, "shop.yaml", "a: [")
    until(lambda: live.check() is Outcome.REJECTED)
    assert "etcd:shop.yaml:1:" in str(live.status().error)
    _put(etcd, "shop.yaml", "")
    until(lambda: live.check() is Outcome.DEFERRED)
    assert live.snapshot.config.a == 2
    _delete(etcd, "shop.yaml")
    until(lambda: live.check() is Outcome.DEFERRED and "is not in etcd" in str(live.status().error))
    assert live.snapshot.config.a == 2
    _put(etcd, "shop.yaml", "a: 3")
    until(lambda: bool(live.check()) and live.snapshot.config.a == 3)
    live.close()


def test_a_prefix_is_a_tree_of_texts(etcd: EtcdServer) -> None:
    """Segments are keys; a key that goes is gone; one that is a prefix too is refused."""
    _put(etcd, "tree/database/url", "postgres://")
    _put(etcd, "tree/greeting", "hello")
    live = ReloadCheck(EtcdSource(etcd.url, prefix="tree/"), settle=0.1, window=0.1)
    live.start()
    assert live.snapshot.config == {"database": {"url": "postgres://"}, "greeting": "hello"}
    _delete(etcd, "tree/greeting")
    until(lambda: bool(live.check()) and "greeting" not in live.snapshot.config)
    _put(etcd, "tree/database", "x")
    until(lambda: live.check() is Outcome.REJECTED)
    assert "contradicts" in str(live.status().error)
    live.close()


def test_a_cluster_that_is_away_changes_nothing(
    etcd: EtcdServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was live stays, the cause is told, and the next edit is taken when it is back."""
    monkeypatch.setattr(quiet, "RANGE", 0.5)
    _put(etcd, "away.yaml", "a: 1")
    live = ReloadCheck(EtcdSource(etcd.url, "away.yaml", timeout=1.0), settle=0, window=0.1)
    live.start()
    etcd.halt()
    try:
        until(lambda: live.check() is Outcome.DEFERRED)
        assert "does not answer in time" in str(live.status().error)
        assert live.snapshot.config.a == 1
    finally:
        etcd.go_on()
    _put(etcd, "away.yaml", "a: 2")
    until(lambda: bool(live.check()) and live.snapshot.config.a == 2)
    live.close()


def test_what_cannot_be_a_source_is_said() -> None:
    """A key or a prefix, a known format, an endpoint without a password in it."""
    with pytest.raises(OptionError, match="a key with a document, or a prefix"):
        EtcdSource("http://127.0.0.1:2379")
    with pytest.raises(OptionError, match="add format='yaml'"):
        EtcdSource("http://127.0.0.1:2379", "shop")
    with pytest.raises(OptionError, match="is written as"):
        EtcdSource("http://me:secret@127.0.0.1:2379", "shop.yaml")
