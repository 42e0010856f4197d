"""One app server of each kind for all tests, on the servers that all tests share."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from reloadcheck.demo.postgres import PostgresServer
from tests.support.valkey import ValkeyServer

from .backends import Backends, backends
from .matrix import Kind
from .sides import Side, Times, side

TIMES = Times(window=0.1, settle=0.05)


@pytest.fixture(scope="package")
def servers(postgres: PostgresServer, valkey: ValkeyServer) -> Iterator[Backends]:
    """The servers that the resources connect to."""
    with backends(postgres, valkey) as running:
        yield running


@pytest.fixture(scope="package")
def app_server(
    servers: Backends, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Callable[[Kind], Side]]:
    """Return the app server of a kind, started when it is first asked for."""
    directory: Path = tmp_path_factory.mktemp("soak")
    started: dict[Kind, Side] = {}
    with ExitStack() as stack:

        def get(kind: Kind) -> Side:
            if kind not in started:
                started[kind] = stack.enter_context(side(kind, servers, directory, TIMES))
            return started[kind]

        yield get
