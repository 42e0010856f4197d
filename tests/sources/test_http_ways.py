"""The way to a server: names, addresses, proxies that nobody asked for."""

import socket
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from typing import Any

import pytest

from reloadcheck import HTTPSource
from tests.support.lateness import Stopwatch
from tests.support.web import Web

from .served import refused, tree_of


@pytest.fixture
def full() -> Iterator[tuple[str, int]]:
    """An address that swallows everything: nobody accepts, and there is no place to wait."""
    with ExitStack() as stack:
        listener = stack.enter_context(socket.create_server(("127.0.0.1", 0), backlog=0))
        for _ in range(4):
            waiting = stack.enter_context(socket.socket())
            waiting.setblocking(False)
            with suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
        yield listener.getsockname()


def _has(monkeypatch: pytest.MonkeyPatch, *addresses: tuple[str, int]) -> None:
    def found(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", one) for one in addresses]

    monkeypatch.setattr(socket, "getaddrinfo", found)


def test_an_address_that_swallows_everything_hides_no_other(
    server: Web, full: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each of a host's addresses has its share of the time."""
    _has(monkeypatch, full, ("127.0.0.1", server.port))
    assert tree_of(HTTPSource("http://config.test/app.yaml", timeout=5.0)) == {"a": 1}


def test_however_many_addresses_end_with_the_time_out(
    full: tuple[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is one for all of them."""
    _has(monkeypatch, *[full] * 40)
    watch = Stopwatch()
    source = HTTPSource("http://config.test/app.yaml", timeout=0.2)
    assert refused(source) == "has not answered in full within 0.2 s"
    assert watch.seconds < 4


def test_a_name_that_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As what it is."""

    def unknown(*_: Any, **__: Any) -> Any:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    source = HTTPSource("http://config.test/app.yaml")
    assert refused(source) == "its host name cannot be resolved"


def test_a_proxy_of_the_environment_is_not_asked(
    server: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever sets one for something else would read the credentials, and answer in its place."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:1")
    assert tree_of(HTTPSource(server.url(), token="t")) == {"a": 1}
    assert server.requests[-1].path == "/app.yaml"


def test_an_address_of_the_sixth_version_is_one(
    server: Web, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written in brackets, in the Host header, too."""
    _has(monkeypatch, ("127.0.0.1", server.port))
    assert tree_of(HTTPSource(f"http://[::1]:{server.port}/app.yaml")) == {"a": 1}
    assert server.requests[-1].headers["host"] == f"[::1]:{server.port}"
