"""A watch reads what is there of a stream, and is over where that tells what is none."""

# What comes seldom is made to happen from within.
# pyright: reportPrivateUsage=false

import json
import socket
import ssl
from collections.abc import Generator
from typing import Any

import pytest

from reloadcheck._etcd.watch import Watch
from reloadcheck._runtime.deadline import Deadline

HEAD = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


def _chunk(found: object) -> bytes:
    line = json.dumps(found).encode() + b"\n"
    return b"%x\r\n%s\r\n" % (len(line), line)


@pytest.fixture
def pair() -> Generator[tuple[socket.socket, socket.socket]]:
    """Our socket and the cluster's."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


def _watch(pair: tuple[socket.socket, socket.socket], answer: bytes) -> Watch:
    ours, theirs = pair
    theirs.sendall(answer)
    return Watch(ours, "/v3/watch", {"Host": "etcd"}, "{}", Deadline(60.0))


def test_a_watch_tells_the_events_that_have_come(pair: tuple[Any, Any]) -> None:
    """Those that came with the head of the answer, and those that come in pieces; no half line."""
    watch = _watch(pair, HEAD + _chunk({"result": {"created": True}}))
    assert watch.wait(0.0) == []
    told = _chunk({"result": {"events": [{"kv": {"key": "YQ=="}}]}})
    pair[1].sendall(told[:9])
    assert watch.wait(0.0) == []
    assert (watch.told, watch.ended) == (False, False)
    pair[1].sendall(told[9:])
    assert watch.wait(0.0) == [{"kv": {"key": "YQ=="}}]
    assert (watch.told, watch.ended) == (True, False)


@pytest.mark.parametrize(
    "bad",
    [
        b"zz\r\n{}\r\n",
        b"0\r\n\r\n",
        _chunk({"error": {"message": "no leader"}}),
        _chunk(["no", "object"]),
        _chunk({"result": {"canceled": True}}),
    ],
)
def test_a_watch_that_tells_what_is_none_is_over(pair: tuple[Any, Any], bad: bytes) -> None:
    """A size that is no number, an error, a cancellation: nobody relies on it further."""
    watch = _watch(pair, HEAD)
    pair[1].sendall(bad)
    assert watch.wait(0.0) == []
    assert watch.ended


def test_an_answer_without_a_result_is_no_event(pair: tuple[Any, Any]) -> None:
    """As etcd's sign of progress; the watch goes on."""
    watch = _watch(pair, HEAD)
    pair[1].sendall(_chunk({"result": None}) + _chunk({}))
    assert (watch.wait(0.0), watch.ended) == ([], False)


def test_a_watch_ends_with_its_connection(pair: tuple[Any, Any]) -> None:
    """Closed by the other side."""
    watch = _watch(pair, HEAD)
    pair[1].close()
    assert (watch.wait(0.0), watch.ended) == ([], True)


def test_a_watch_whose_socket_is_closed_is_over(pair: tuple[Any, Any]) -> None:
    """By another thread, while somebody was to wait for it."""
    watch = _watch(pair, HEAD)
    pair[0].close()
    assert (watch.wait(0.0), watch.ended) == ([], True)


class _Broken:
    """A socket on which reading fails."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def settimeout(self, seconds: float) -> None:
        """Wait for nothing."""

    def recv(self, most: int) -> bytes:
        """Fail."""
        raise self._error


def test_a_record_of_tls_that_is_not_whole_is_waited_for(pair: tuple[Any, Any]) -> None:
    """A connection that is reset is over."""
    watch = _watch(pair, HEAD)
    watch._socket = _Broken(ssl.SSLWantReadError())  # type: ignore[assignment]
    watch._receive()
    assert not watch.ended
    watch._socket = _Broken(ConnectionResetError())  # type: ignore[assignment]
    watch._receive()
    assert watch.ended


def test_what_a_connection_has_decrypted_already_is_read(pair: tuple[Any, Any]) -> None:
    """The kernel has nothing to tell of it."""
    watch = _watch(pair, HEAD)

    class Secure(ssl.SSLSocket):
        def __init__(self) -> None:
            """Be no socket."""

        def pending(self) -> int:
            return 5

        def __del__(self) -> None:
            """Close nothing."""

    watch._socket = Secure.__new__(Secure)
    assert watch._readable(0.0)


@pytest.mark.parametrize(
    "answer", [b"HTTP/1.1 404 Not Found\r\n\r\n", b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n"]
)
def test_what_answers_no_stream_is_no_watch(pair: tuple[Any, Any], answer: bytes) -> None:
    """Another program, or a gateway that is not etcd's."""
    with pytest.raises(ValueError, match="no stream"):
        _watch(pair, answer)


def test_a_watch_that_ends_before_it_begins_is_told(pair: tuple[Any, Any]) -> None:
    """With no head, nothing was begun."""
    pair[1].shutdown(socket.SHUT_WR)
    with pytest.raises(ConnectionResetError):
        Watch(pair[0], "/v3/watch", {}, "{}", Deadline(60.0))
