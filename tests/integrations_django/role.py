"""A login role of a private PostgreSQL, whose password a test rotates, and its connections."""

import json
import secrets
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, LiteralString, Self

import psycopg
from psycopg import sql

from reloadcheck.demo.postgres import PostgresServer
from tests.support import config

_CREATE: LiteralString = "CREATE ROLE {} LOGIN PASSWORD {}"

__all__ = ["Role", "Watch", "role_in"]


@dataclass(slots=True)
class Role:
    """One role; `extra` are lines of YAML that stand in the `database` part beside its own."""

    server: PostgresServer
    admin: "psycopg.Connection[Any]"
    name: str
    file: Path
    extra: dict[str, Any]
    password: str = ""
    number: int = 0
    label: int = 1

    def rotate(self) -> int:
        """Set for the role a new password, then write the configuration that has it."""
        self.change()
        return self.write()

    def change(self, password: str | None = None) -> None:
        """Set for the role a password, a new one unless one is given."""
        self.password = password or secrets.token_urlsafe(12)
        word = sql.SQL("ALTER ROLE {} PASSWORD {}" if self.number else _CREATE)
        names = sql.Identifier(self.name), sql.Literal(self.password)
        self.admin.execute(word.format(*names))

    def write(self) -> int:
        """Write the next configuration; give its number."""
        config.replace(self.file, self._next())
        return self.number

    def rename(self) -> int:
        """Edit nothing but the name that connections give themselves: `site-` and the number."""
        self.label = self.number + 1
        return self.write()

    def _next(self) -> str:
        self.number += 1
        options = self.extra.get("options", {}) | {"application_name": f"site-{self.label}"}
        part = {
            "user": self.name,
            "password": self.password,
            "name": "postgres",
            "host": self.server.host,
            "port": self.server.port,
            **self.extra,
            "options": options,
        }
        return f"number: {self.number}\ndatabase: {json.dumps(part)}\nend: {self.number}\n"

    def terminate(self, backends: set[int]) -> None:
        """Have the server end some of its processes."""
        for backend in backends:
            self.admin.execute("SELECT pg_terminate_backend(%s)", [backend])

    def backends(self) -> set[int]:
        """Return the server processes that serve the role."""
        return backends(self.admin, self.name)


class Watch:
    """Counts a role's connections, from enter to exit; `most` is the most there were at once."""

    def __init__(self, role: Role) -> None:
        self.most = 0
        self._role = role
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join(30)

    def _run(self) -> None:
        with psycopg.connect(self._role.server.url(), autocommit=True) as admin:
            while not self._over.wait(0.01):
                self.most = max(self.most, len(backends(admin, self._role.name)))


def backends(admin: "psycopg.Connection[Any]", role: str) -> set[int]:
    """Return the server processes that serve a role."""
    text = "SELECT pid FROM pg_stat_activity WHERE usename = %s"
    return {int(row[0]) for row in admin.execute(text, [role]).fetchall()}


@contextmanager
def role_in(server: PostgresServer, file: Path, **extra: Any) -> Generator[Role]:
    """Make a role and its first configuration."""
    with psycopg.connect(server.url(), autocommit=True) as admin:
        role = Role(server, admin, f"site_{secrets.token_hex(4)}", file, extra)
        role.rotate()
        home = sql.SQL("CREATE SCHEMA AUTHORIZATION {}")  # where its tables go
        admin.execute(home.format(sql.Identifier(role.name)))
        yield role
