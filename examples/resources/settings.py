"""The parts of a configuration that the factories beside this file are called with.

Each part says as whom a client introduces itself, so that the server's own lists
(`pg_stat_activity`, `CLIENT LIST`, an access log) tell the old client from the new one.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Database:
    """A PostgreSQL, its credentials within the URL; `size` is the pool's."""

    url: str
    name: str = "orders"
    size: int = 10


@dataclass(frozen=True)
class Cache:
    """A Valkey or Redis, its credentials within the URL; `size` is the pool's."""

    url: str
    name: str = "orders"
    size: int = 10


@dataclass(frozen=True)
class Upstream:
    """An HTTP service; `timeout` is in seconds."""

    url: str
    token: str
    name: str = "orders"
    size: int = 10
    timeout: float = 5.0
