"""An engine with a real PostgreSQL pool, a secret and a store, and what a worker says of itself.

Set up by environment variables: SERVERS_CONFIG is the file, SERVERS_SECRETS a directory of secrets,
SERVERS_STORE the address of the store's database.
"""

import json
import os
from collections.abc import Iterator
from typing import Any

from psycopg import Connection
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool

from reloadcheck import DirectorySource, FrozenDict, ReloadCheck, Snapshot
from reloadcheck.stores import PostgresStore

__all__ = ["live", "told"]


def numbered(tree: dict[str, Any]) -> FrozenDict:
    """Take a configuration whose number is one."""
    if not isinstance(tree["number"], int):
        raise ValueError("number: is none")
    return FrozenDict(tree)


live = ReloadCheck(
    os.environ["SERVERS_CONFIG"],
    DirectorySource(os.environ["SERVERS_SECRETS"]),
    schema=numbered,
    store=PostgresStore(os.environ["SERVERS_STORE"], content=True),
    app="shop",
)


@live.resource("number", "database", "password")
def pool(
    number: int, database: FrozenDict, password: str
) -> Iterator[ConnectionPool[Connection[tuple[str]]]]:
    """Build a pool whose connections bear the number of the configuration."""
    url = make_conninfo(database["url"], password=password, application_name=str(number))
    with ConnectionPool[Connection[tuple[str]]](
        url, min_size=1, max_size=2, reconnect_timeout=1.0
    ) as made:
        made.wait(2)
        yield made


def told(snapshot: Snapshot[FrozenDict]) -> bytes:
    """Say who answers, from which configuration, over whose connection."""
    with snapshot[pool].connection() as connection:
        row = connection.execute("SELECT current_setting('application_name')").fetchone()
    assert row is not None
    number = snapshot.config["number"]
    said = {"pid": os.getpid(), "number": number, "pool": int(row[0]), "again": number}
    return json.dumps({**said, "end": number, "closed": False}).encode()
