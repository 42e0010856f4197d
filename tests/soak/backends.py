"""The three servers that the resources connect to, and how many connections they have.

Gives addresses with credentials that are right or wrong, and counts what is connected, by the names
under which the clients introduced themselves. It must never ask the clients themselves.
"""

# pyright: reportUnknownMemberType=false
# (the Valkey client leaves some of its parameters without types)

import contextlib
import secrets
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import cast

import psycopg
from valkey import Valkey

from reloadcheck.demo.postgres import PostgresServer
from tests.support.load import until
from tests.support.upstream import UpstreamServer, upstream_server
from tests.support.valkey import ValkeyServer

from .matrix import MATRIX, resource_of
from .sockets import established

__all__ = ["WRONG", "Backends", "backends"]

USER = "soak"
WRONG = "canary-51c0de"
"""The password and token that no server accepts, and no message may show."""


@dataclass(frozen=True, slots=True)
class Backends:
    """PostgreSQL, Valkey and an HTTP upstream."""

    postgres: PostgresServer
    valkey: ValkeyServer
    http: UpstreamServer
    _admin: "psycopg.Connection[tuple[str, int]]"
    _monitor: Valkey
    _password: str

    def database(self, wrong: bool = False) -> str:
        """Return the URL of the database."""
        return self.postgres.url(password=WRONG if wrong else None)

    def cache(self, wrong: bool = False) -> str:
        """Return the URL of the Valkey."""
        place = self.valkey.url().removeprefix("redis://")
        return f"redis://{USER}:{WRONG if wrong else self._password}@{place}"

    def upstream(self, wrong: bool = False) -> tuple[str, str]:
        """Return the URL of the HTTP upstream, and the token for it."""
        return self.http.url, WRONG if wrong else self.http.token

    def connections(self) -> dict[str, int]:
        """Count what is connected just now, by the names that the clients gave.

        The servers say who, and the kernel leaves out what a client has closed in the meantime.
        """
        listed = [(name, (self.http.port, port)) for port, name in self.http.connections().items()]
        clients = cast("list[dict[str, str]]", self._monitor.client_list())
        for one in clients:
            port = int(one["addr"].rpartition(":")[2])
            listed.append((one["name"], (self.valkey.port, port)))
        rows = self._admin.execute(
            "SELECT application_name, client_port FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
        )
        listed.extend((name, (self.postgres.port, port)) for name, port in rows)
        ours = {one.name for one in MATRIX}
        alive = established([self.http.port, self.valkey.port, self.postgres.port])
        return Counter(name for name, ends in listed if resource_of(name) in ours and ends in alive)

    def connected(self) -> set[str]:
        """Return the resources that have connections now."""
        return {resource_of(name) for name in self.connections()}

    def left_over(self, names: set[str]) -> set[str]:
        """Return those of the resources that stay connected though they have had the time to go."""
        with contextlib.suppress(AssertionError):
            until(lambda: not names & self.connected())
        return names & self.connected()


@contextmanager
def backends(postgres: PostgresServer, valkey: ValkeyServer) -> Generator[Backends]:
    """Start an upstream, and prepare the two servers that run already."""
    password = secrets.token_urlsafe(18)
    with (
        upstream_server() as http,
        psycopg.connect(postgres.url(), autocommit=True, application_name="count") as admin,
        Valkey.from_url(valkey.url(), client_name="count", decode_responses=True) as monitor,
    ):
        monitor.acl_setuser(
            USER,
            enabled=True,
            passwords=[f"+{password}"],
            keys=["*"],
            categories=["+@all"],
        )
        yield Backends(postgres, valkey, http, admin, monitor, password)
        monitor.acl_deluser(USER)
