"""Which resources there are, and what the apps' configuration says of each.

Each resource introduces itself to its server as `<resource>-<serial>`; an edit that changes it
gives it another serial, so that the server's own lists tell one instance from the other.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from examples.resources.settings import Cache, Database, Upstream

__all__ = ["MATRIX", "Entry", "Kind", "Settings", "chosen", "introduced", "resource_of"]

Kind = Literal["sync", "async"]


@dataclass(frozen=True, slots=True)
class Entry:
    """One resource: where it is used, and which part of the configuration it is built from."""

    name: str
    kind: Kind
    part: Literal["databases", "caches", "upstreams"]
    scheme: str = "postgresql"


MATRIX = (
    Entry("psycopg_sync", "sync", "databases"),
    Entry("psycopg_async", "async", "databases"),
    Entry("sqlalchemy_sync", "sync", "databases", "postgresql+psycopg"),
    Entry("sqlalchemy_async", "async", "databases", "postgresql+asyncpg"),
    Entry("asyncpg_pool", "async", "databases"),
    Entry("valkey_sync", "sync", "caches"),
    Entry("valkey_async", "async", "caches"),
    Entry("redis_sync", "sync", "caches"),
    Entry("redis_async", "async", "caches"),
    Entry("httpx2_sync", "sync", "upstreams"),
    Entry("httpx2_async", "async", "upstreams"),
    Entry("requests_session", "sync", "upstreams"),
)


@dataclass(frozen=True)
class Settings:
    """The apps' configuration. `end` repeats `number` after all the rest."""

    number: int
    databases: dict[str, Database]
    caches: dict[str, Cache]
    upstreams: dict[str, Upstream]
    end: int


def chosen(kind: Kind, names: Iterable[str] = ()) -> tuple[Entry, ...]:
    """Return the resources of one kind, of these names if there are any."""
    wanted = set(names)
    return tuple(one for one in MATRIX if one.kind == kind and (not wanted or one.name in wanted))


def introduced(name: str, serial: int) -> str:
    """Say as whom an instance introduces itself."""
    return f"{name}-{serial}"


def resource_of(introduction: str) -> str:
    """Say which resource introduced itself so."""
    return introduction.rpartition("-")[0]
