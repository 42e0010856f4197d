"""An engine with a real PostgreSQL pool of one connection, for processes that fork.

Set up by environment variables as in `facts`: SERVERS_CONFIG is the file, SERVERS_EARLY starts the
engine at import.
"""

import json
import os
from collections.abc import Iterator

from psycopg import Connection
from psycopg_pool import ConnectionPool

from reloadcheck import FrozenDict, ReloadCheck, Snapshot

__all__ = ["live", "pool", "told"]

live = ReloadCheck(os.environ["SERVERS_CONFIG"])


@live.resource("database")
def pool(database: FrozenDict) -> Iterator[ConnectionPool[Connection[tuple[int, str]]]]:
    """Build a pool whose connections bear the number of the configuration and the builder's pid."""
    with ConnectionPool[Connection[tuple[int, str]]](
        database["url"],
        min_size=1,
        max_size=1,
        kwargs={"application_name": f"{database['number']} of {os.getpid()}"},
    ) as made:
        made.wait(20)
        yield made


def told(snapshot: Snapshot[FrozenDict]) -> bytes:
    """Say who answers, from which configuration, and over whose connection."""
    with snapshot[pool].connection() as connection:
        row = connection.execute(
            "SELECT pg_backend_pid(), current_setting('application_name')"
        ).fetchone()
    assert row is not None
    said = {
        "pid": os.getpid(),
        "number": snapshot.config["number"],
        "backend": row[0],
        "built": row[1],
    }
    return json.dumps(said).encode() + b"\n"


if "SERVERS_EARLY" in os.environ:
    live.start()
