"""Where processes share what is live: a file on one host, an engine that exists on many.

A store is loaded when its name is asked for; none of them is needed by who has no store.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from ..types import Board, Record, Retention, Store

if TYPE_CHECKING:
    from .etcd import EtcdStore
    from .postgres import PostgresStore
    from .sqlite import SQLiteStore

__all__ = ["Board", "EtcdStore", "PostgresStore", "Record", "Retention", "SQLiteStore", "Store"]

_HOMES = {"EtcdStore": "etcd", "PostgresStore": "postgres", "SQLiteStore": "sqlite"}


def __getattr__(name: str) -> Any:
    """Load a store when it is asked for."""
    if name in _HOMES:
        return getattr(import_module(f".{_HOMES[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
