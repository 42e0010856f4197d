"""What goes over the wire to an etcd and what comes back, as a stand-in for the cluster says it."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false
# pyright: reportUnknownArgumentType=false
# pyright: reportUnknownLambdaType=false

import base64
import os
import socket
import ssl

import pytest

from reloadcheck._etcd import client as client_
from reloadcheck._etcd.client import Etcd
from reloadcheck._etcd.quiet import Quiet
from reloadcheck._etcd.tokens import SlowError, Token
from reloadcheck._etcd.wire import (
    LeaderError,
    TokenError,
    answer_of,
    end_of,
    endpoint_of,
    reason_of,
)
from reloadcheck.exceptions import OptionError, StoreLostError, StoreRefusedError


@pytest.mark.parametrize(
    "text", ["http://[::1", "ftp://a", "http://a:b", "http://u@a", "http://a/x"]
)
def test_what_is_no_endpoint_is_refused(text: str) -> None:
    """By how one is written; without one there is no client."""
    with pytest.raises(OptionError, match="is written as http"):
        endpoint_of(text)
    with pytest.raises(OptionError, match="name at least one endpoint"):
        Etcd([])


def test_the_end_of_all_keys_is_a_zero() -> None:
    """Of those below a prefix the prefix's last byte and one more."""
    assert end_of("") == base64.b64encode(b"\0").decode()
    assert base64.b64decode(end_of("shop/")) == b"shop0"


def _unverified(code: int, message: str = "self-signed certificate") -> ssl.SSLError:
    error = ssl.SSLCertVerificationError(1, "quoted")
    error.verify_code, error.verify_message = code, message
    return error


def _tls(reason: str) -> ssl.SSLError:
    error = ssl.SSLError(1, "quoted")
    error.reason = reason
    return error


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (TimeoutError(), "does not answer in time"),
        (_unverified(62), "its certificate is one of another host"),
        (_unverified(18), "its certificate is not trusted here (self-signed certificate): ca="),
        (_tls("TLSV13_ALERT_CERTIFICATE_REQUIRED"), "wants a client's certificate: cert=, key="),
        (_tls("TLSV1_ALERT_UNKNOWN_CA"), "does not trust the client's certificate: cert=, key="),
        (_tls("WRONG_VERSION_NUMBER"), "does not speak TLS as expected: http:// or https://"),
        (ConnectionResetError(), "ends the connection without an answer: http:// or https://"),
        (ConnectionRefusedError(111, "x"), os.strerror(111).lower()),
        (ValueError("quoted"), "breaks the connection off (ValueError)"),
    ],
)
def test_why_an_endpoint_does_not_answer_names_the_option(error: Exception, words: str) -> None:
    """What the other side said is not quoted."""
    assert reason_of(error) == words


@pytest.mark.parametrize(
    ("status", "answer", "raised", "words"),
    [
        (200, b"[]", StoreLostError, "no JSON: is it etcd"),
        (400, b"<html>", StoreLostError, "status 400 and no JSON: is it etcd"),
        (400, b"... CommonName of client ...", StoreLostError, "certificate with a common name"),
        (401, b'{"code": 2}', TokenError, None),
        (
            400,
            b'{"code": 3, "error": "revision of auth store is old"}',
            TokenError,
            None,
        ),
        (403, b'{"code": 7}', StoreLostError, "permission denied: no role"),
        (503, b'{"code": 14, "message": "etcdserver: no leader"}', LeaderError, "^no leader"),
        (
            400,
            b'{"code": 3, "message": "request is too large"}',
            StoreRefusedError,
            None,
        ),
        (400, b'{"code": 8, "message": "database space exceeded"}', StoreLostError, "disarm"),
        (500, b'{"code": 13}', StoreLostError, "status 500"),
    ],
)
def test_what_an_answer_means(
    status: int, answer: bytes, raised: type[Exception], words: str | None
) -> None:
    """Whether to ask another endpoint, another token, or nobody."""
    with pytest.raises(raised, match=words) as caught:
        answer_of(status, answer, "http://a")
    if isinstance(caught.value, TokenError):
        assert caught.value.everybody is (status == 400)


# ------------------------------------------------------------------------ tokens and calls


def _client(monkeypatch: pytest.MonkeyPatch, *answers: object, user: str | None = None) -> Etcd:
    """Return a client to whose calls these are the answers, those for a token among them."""
    etcd = Etcd("http://127.0.0.1:1", user=user, password=None if user is None else "p")
    left = iter(answers)

    def called(*_: object, **__: object) -> object:
        answer = next(left)
        if isinstance(answer, Exception):
            raise answer
        return answer

    monkeypatch.setattr(etcd, "_called", called)
    return etcd


def test_a_cluster_that_wants_a_user_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    """One who gives none is told which options to set."""
    with pytest.raises(StoreLostError, match="wants a user: user=, password="):
        _client(monkeypatch, TokenError()).call("/v3/kv/range", {})


def test_a_token_that_is_refused_twice_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first time another one is asked for; not in a loop."""
    first, second = {"token": "one"}, {"token": "two"}
    answers = (first, TokenError(), second, TokenError())
    with pytest.raises(StoreLostError, match="refuses the token that it gave"):
        _client(monkeypatch, *answers, user="ada-twice").call("/v3/kv/range", {})
    found = {"kvs": list[object]()}
    etcd = _client(monkeypatch, first, TokenError(), second, found, user="ada-once")
    assert etcd.call("/v3/kv/range", {}) == {"kvs": []}


def test_a_user_who_is_refused_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also where the gateway answers a log-in as it would a token; a slow server is not blamed."""
    with pytest.raises(StoreLostError, match=r"authentication failed \(user 'ada-refused'\)"):
        _client(monkeypatch, TokenError(), user="ada-refused").call("/v3/kv/range", {})
    with pytest.raises(SlowError):
        _client(monkeypatch, SlowError("slow"), user="ada-slow").call("/v3/kv/range", {})


def test_a_server_that_is_too_busy_is_left_alone_for_a_while() -> None:
    """Nobody authenticates again at once; a forked child has a lock of its own."""
    token = Token("p")

    def slow(password: str) -> str:
        raise SlowError("no answer in time")

    with pytest.raises(SlowError):
        token.get(slow)
    with pytest.raises(StoreLostError, match=r"waits up to .* the server was too busy"):
        token.get(lambda _: "never asked")
    lock = token._lock
    token._pid = -1
    with pytest.raises(StoreLostError, match="waits up to"):
        token.get(lambda _: "never asked")
    assert token._lock is not lock


def test_a_function_that_gives_the_password_may_fail_with_its_own_reason() -> None:
    """A reason of ours is kept; of another the kind alone, for it may quote the password."""

    def lost() -> str:
        raise StoreLostError("the vault is sealed")

    def odd() -> str:
        raise ValueError("canary")

    with pytest.raises(StoreLostError, match=r"^the vault is sealed$"):
        Token(lost).get(lambda _: "t")
    with pytest.raises(StoreLostError, match=r"^what gives the password raised ValueError$"):
        Token(odd).get(lambda _: "t")


class _Response:
    """An answer over HTTP."""

    def __init__(self, text: bytes, *, will_close: bool = False, status: int = 200) -> None:
        self._text, self.will_close, self.status = text, will_close, status

    def read(self, most: int) -> bytes:
        """Return at most so much."""
        return self._text[:most]

    def getheader(self, name: str) -> None:
        """Have none."""


class _Connection:
    """A connection that answers."""

    def __init__(self, response: _Response) -> None:
        self._response = response
        self.closed = False

    def request(self, *_: object) -> None:
        """Take a request."""

    def getresponse(self) -> _Response:
        """Return the answer."""
        return self._response

    def close(self) -> None:
        """Be closed."""
        self.closed = True


def _answering(monkeypatch: pytest.MonkeyPatch, response: _Response) -> tuple[Etcd, _Connection]:
    etcd, connection = Etcd("http://127.0.0.1:1"), _Connection(response)

    def ready(*_: object) -> _Connection:
        etcd._connection = connection  # type: ignore[assignment]
        return connection

    monkeypatch.setattr(etcd, "_ready", ready)
    return etcd, connection


def test_a_connection_that_the_server_ends_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """The answer is taken all the same."""
    etcd, connection = _answering(monkeypatch, _Response(b'{"kvs": []}', will_close=True))
    assert etcd.call("/v3/kv/range", {}) == {"kvs": []}
    assert connection.closed


def test_an_answer_that_is_too_large_is_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Its end would be read as the next one's begin."""
    monkeypatch.setattr(client_, "_MOST", 4)
    etcd, connection = _answering(monkeypatch, _Response(b'{"kvs": []}'))
    with pytest.raises(StoreLostError, match="answers with more than 64 MiB"):
        etcd.call("/v3/kv/range", {})
    assert connection.closed


def test_an_endpoint_without_a_leader_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """In its own words, once each endpoint has been asked."""
    answer = b'{"code": 14, "message": "etcdserver: no leader"}'
    etcd, _ = _answering(monkeypatch, _Response(answer, status=503))
    with pytest.raises(StoreLostError, match=r"http://127.0.0.1:1: no leader"):
        etcd.call("/v3/kv/range", {})


def test_a_forked_child_has_connections_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """It closes its copy, and counts anew: the parent's revision is none of its own."""
    etcd, _ = _answering(monkeypatch, _Response(b"{}"))
    parents = _Connection(_Response(b"{}"))
    etcd._connection = parents  # type: ignore[assignment]
    etcd._pid, etcd.connections = -1, 7
    etcd.call("/v3/kv/range", {})
    assert (parents.closed, etcd.connections, etcd._pid) == (True, 0, os.getpid())
    quiet = Quiet(etcd, "shop/", below=True)
    quiet._pid = -1
    assert (quiet.lasts(), quiet._pid) == (False, os.getpid())


def test_a_watch_at_an_endpoint_that_is_away_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether nobody listens there or what answers is no etcd."""
    etcd = Etcd("http://127.0.0.1:1")
    with pytest.raises(StoreLostError, match=r"http://127.0.0.1:1: connection refused"):
        etcd.watch("shop/", 1)
    ours, theirs = socket.socketpair()
    theirs.sendall(b"HTTP/1.1 404 Not Found\r\n\r\n")
    monkeypatch.setattr(etcd, "_connected", lambda *_: ours)
    with theirs, pytest.raises(StoreLostError, match="breaks the connection off"):
        etcd.watch("shop/", 1)
    assert ours.fileno() == -1
