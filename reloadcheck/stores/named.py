"""The store that a text names: an address of PostgreSQL or etcd, else the path of a file.

So do code, the environment, pyproject.toml and the command line name one. No error quotes it: there
may be a password in it.
"""

import os
import re
from typing import Final
from urllib.parse import unquote

from ..exceptions import OptionError
from ..types import Store

__all__ = ["is_address", "store_named"]

_ADDRESS: Final = re.compile(r"[a-zA-Z][a-zA-Z0-9+.-]*://|(?:postgres(?:ql)?|etcds?):")
_POSTGRES: Final = ("postgresql://", "postgres://")
_ETCD: Final = {"etcd://": "http", "etcds://": "https"}


def is_address(given: object) -> bool:
    """Return whether it names a store of the network, or was meant to, and no file."""
    return isinstance(given, str) and _ADDRESS.match(given) is not None


def store_named(given: str | os.PathLike[str]) -> Store:
    """Open nothing yet, and return the store; raise `OptionError` for what names none."""
    if not isinstance(given, str) or not is_address(given):
        from .sqlite import SQLiteStore

        return SQLiteStore(given)
    if given.startswith(_POSTGRES):
        from .postgres import PostgresStore

        return PostgresStore(given)
    for lead, scheme in _ETCD.items():
        if given.startswith(lead):
            return _etcd(given.removeprefix(lead), scheme)
    raise OptionError(
        "a store is the path of a file, postgresql://USER@HOST/DATABASE, "
        "etcd://HOST:PORT,HOST:PORT/PREFIX/, or etcds:// with TLS"
    )


def _etcd(rest: str, scheme: str) -> Store:
    from .etcd import EtcdStore

    where, _, prefix = rest.partition("/")
    login, _, hosts = where.rpartition("@")
    user, _, password = login.partition(":")
    endpoints = [f"{scheme}://{host}" for host in hosts.split(",")]
    return EtcdStore(
        endpoints,
        unquote(prefix) or "reloadcheck/",
        user=unquote(user) or None,
        password=unquote(password) or None,
    )
