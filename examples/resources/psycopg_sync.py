"""psycopg's pool. The `with` closes it, once its last user is done.

One connection comes first, because it says at once, and in the server's words, what is wrong.
"""

from collections.abc import Iterator

import psycopg
from psycopg.conninfo import make_conninfo
from psycopg_pool import ConnectionPool as Pool

from examples.resources.settings import Database


def database(part: Database) -> Iterator[Pool]:
    """Register it with `live.resource("database")(database)`."""
    info = make_conninfo(part.url, application_name=part.name, connect_timeout=5)
    psycopg.connect(info).close()
    pool: Pool = Pool(info, min_size=1, max_size=part.size, open=False)
    with pool:
        pool.wait(5.0)
        yield pool
