"""An etcd with TLS and users: what every store does, one token a process, every mistake said."""

import time
from collections.abc import Callable, Iterator
from http.client import RemoteDisconnected
from itertools import count
from pathlib import Path
from typing import Any

import pytest

from reloadcheck import EtcdSource
from reloadcheck._etcd import tokens
from reloadcheck._etcd.client import Etcd
from reloadcheck._etcd.wire import reason_of
from reloadcheck.exceptions import SourceError, StoreError, StoreLostError
from reloadcheck.stores import EtcdStore
from reloadcheck.testing import STORE_CHECKS, OpenStore
from tests.support.etcd import CERTIFICATES, ROOT_PASSWORD, EtcdServer, etcd_with_users
from tests.support.load import until

CANARY = "hunter2-canary"
_numbers = count()


@pytest.fixture(scope="module")
def etcd() -> Iterator[EtcdServer]:
    """A running server, whose tokens end two seconds after their last use."""
    with etcd_with_users("--auth-token-ttl", "2") as server:
        yield server


def _files(name: str = "client") -> dict[str, str]:
    names = {"ca": "ca.crt", "cert": f"{name}.crt", "key": f"{name}.key"}
    return {option: str(CERTIFICATES / file) for option, file in names.items()}


def _store(etcd: EtcdServer, prefix: str = "shop/", **options: Any) -> EtcdStore:
    given: dict[str, Any] = {"user": "shop", "password": "shop-secret", **_files(), **options}
    return EtcdStore(etcd.url, prefix, ttl=2.0, content=True, **given)


def _told(store: EtcdStore) -> str:
    with pytest.raises(StoreLostError) as caught:
        store.look("shop/")
    store.close()
    return str(caught.value)


@pytest.fixture
def authentications(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Collect the paths of all that is asked without a token: authentications."""
    asked: list[str] = []
    original: Any = vars(Etcd)["_called"]

    def called(self: Etcd, path: str, *rest: Any, **options: Any) -> Any:
        if path.endswith("/authenticate"):
            asked.append(path)
        return original(self, path, *rest, **options)

    monkeypatch.setattr("reloadcheck._etcd.client.Etcd._called", called)
    return asked


@pytest.mark.parametrize("check", STORE_CHECKS, ids=lambda check: check.__name__)
def test_a_store_with_tls_and_users_conforms(
    check: Callable[[OpenStore], None], etcd: EtcdServer
) -> None:
    """A certificate, a password and a role for one prefix are enough for all of it."""
    prefix = f"shop/{next(_numbers)}/"
    check(lambda: _store(etcd, prefix))


def test_a_process_authenticates_once(etcd: EtcdServer, authentications: list[str]) -> None:
    """Its stores and sources share one token: each costs the server a tenth of a second."""
    password = lambda: "shop-secret"  # noqa: E731
    stores = [_store(etcd, password=password) for _ in range(5)]
    stores[0].put({"doc.yaml": "a: 1"})
    sources = [
        EtcdSource(
            etcd.url,
            "shop/board/doc.yaml",
            user="shop",
            password=password,
            ca=_files()["ca"],
            cert=_files()["cert"],
            cert_key=_files()["key"],
        )
        for _ in range(3)
    ]
    for one in stores:
        assert one.look("") is not None
        one.close()
    for source in sources:
        source.stamp()
    assert len(authentications) == 1


def test_a_token_that_has_expired_is_asked_for_once_and_at_once(
    etcd: EtcdServer, authentications: list[str]
) -> None:
    """Nobody waits for it, and the watch that is open lives on."""
    store, other = _store(etcd), _store(etcd)
    other.put({"shop/a": "1"})
    board = store.look("shop/")
    store.wait(0.01)
    before = len(authentications)
    time.sleep(4.5)
    begun = time.monotonic()
    assert other.put({"shop/a": "2"}) is not None
    store.wait(30.0)
    board = store.look("shop/", board)
    assert board is not None
    assert board.records["shop/a"].value == "2"
    assert len(authentications) - before == 1
    assert time.monotonic() - begun < 15
    store.close()
    other.close()


def test_after_a_restart_each_waits_for_a_time_of_its_own(
    etcd: EtcdServer, authentications: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """All tokens are gone, and a thousand that ask at once would stop the server."""
    monkeypatch.setattr(tokens, "FIRST", 2.0)
    monkeypatch.setattr(tokens.CHANCE, "uniform", _high)
    store = _store(etcd)
    store.put({"shop/a": "1"})
    time.sleep(0.5)  # what it has not written to its own file is played again, the token too
    etcd.stop()
    with pytest.raises(StoreLostError):
        store.look("shop/")
    etcd.start()
    before = len(authentications)
    begun = time.monotonic()
    with pytest.raises(StoreLostError, match="waits up to 2 s to authenticate anew, as others"):
        store.look("shop/")
    assert before == len(authentications)
    until(lambda: _has(store, "shop/"), 20.0)
    assert time.monotonic() - begun > 1.5
    assert len(authentications) - before == 1
    store.close()


def _high(low: float, high: float) -> float:
    return max(low, high)


def _has(store: EtcdStore, prefix: str) -> bool:
    try:
        return store.look(prefix) is not None
    except StoreError:
        return False


def test_a_wrong_password_is_told_and_not_shown_and_not_tried_in_a_loop(
    etcd: EtcdServer, authentications: list[str]
) -> None:
    """Neither by the error nor by the representation; the right one is taken at once."""
    given = [CANARY]
    store = _store(etcd, password=lambda: given[0])
    first = _told(store)
    assert "authentication failed, invalid user ID or password (user 'shop')" in first
    second = ""
    for _ in range(5):
        second = _told(store)
        assert "to authenticate anew: user and password were refused (user 'shop')" in second
    assert len(authentications) == 1
    assert CANARY not in first + second + repr(store) + repr(vars(store))
    given[0] = "shop-secret"
    assert store.look("shop/") is not None
    store.close()


def test_a_password_that_is_changed_is_taken_from_its_function(etcd: EtcdServer) -> None:
    """The old token dies with the old password; the next call has the new one."""
    root = {"name": "root", "password": ROOT_PASSWORD}
    token = etcd.ask("/v3/auth/authenticate", root)["token"]
    given = ["first"]
    etcd.ask("/v3/auth/user/add", {"name": "rota", "password": "first"}, token)
    etcd.ask("/v3/auth/user/grant", {"user": "rota", "role": "shop"}, token)
    store = _store(etcd, user="rota", password=lambda: given[0])
    assert store.look("shop/") is not None
    given[0] = "second"
    etcd.ask("/v3/auth/user/changepw", {"name": "rota", "password": "second"}, token)
    assert store.look("shop/") is not None
    store.close()


def _raising() -> str:
    raise RuntimeError(CANARY)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"user": "out", "password": "out"}, "permission denied: no role of its user (user=)"),
        ({"user": None}, "permission denied: no role of its user (user=)"),
        ({"password": _raising}, "what gives the password raised RuntimeError (user 'shop')"),
        ({"ca": None}, "its certificate is not trusted here ("),
        ({"cert": None, "key": None}, "wants a client's certificate: cert=, key="),
        ({"ca": "/none"}, "a file for TLS cannot be read: No such file or directory"),
        ({"cert": __file__}, "the files for TLS hold no usable certificate or key"),
        (_files("named"), "refuses a client's certificate with a common name: use one without"),
    ],
)
def test_what_is_wrong_is_told(etcd: EtcdServer, options: dict[str, Any], told: str) -> None:
    """By the option that it is about, and without a secret."""
    assert told in _told(_store(etcd, **options))


@pytest.mark.parametrize("error", [RemoteDisconnected(""), ConnectionResetError(104, "")])
def test_an_end_and_a_reset_are_the_same(error: Exception) -> None:
    """Which of them comes of a server that expects TLS is chance."""
    assert reason_of(error) == "ends the connection without an answer: http:// or https://"


def test_plain_and_tls_that_are_mixed_up_are_told(etcd: EtcdServer) -> None:
    """Both ways round, in words of this side."""
    plain = EtcdStore(etcd.url.replace("https", "http"))
    assert "without an answer: http:// or https://" in _told(plain)
    other = EtcdStore(etcd.url.replace("127.0.0.1", "127.0.0.2"), ca=_files()["ca"])
    assert "connection refused" in _told(other)


def test_a_certificate_that_is_rotated_is_read_anew(etcd: EtcdServer, tmp_path: Path) -> None:
    """At the next connection, without a restart of the application."""
    ca = tmp_path / "ca.crt"
    ca.write_bytes((CERTIFICATES.parent / "loopback.crt").read_bytes())
    store = _store(etcd, ca=str(ca))
    assert "not trusted here" in _told(store)
    ca.write_bytes((CERTIFICATES / "ca.crt").read_bytes())
    assert store.look("shop/") is not None
    store.close()


def test_a_source_says_the_same_and_nothing_more(etcd: EtcdServer) -> None:
    """Credentials are shown by no error, name or representation of a source."""
    source = EtcdSource(etcd.url, "shop/x.yaml", user="shop", password=CANARY, ca=_files()["ca"])
    with pytest.raises(SourceError) as caught:
        source.stamp()
    assert "wants a client's certificate" in str(caught.value)
    assert CANARY not in f"{caught.value!r} {source!r} {source.name} {source.place()!r}"
