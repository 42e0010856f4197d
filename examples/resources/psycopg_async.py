"""psycopg's async pool. The `async with` closes it, once its last user is done.

One connection comes first, because it says at once, and in the server's words, what is wrong.
"""

from collections.abc import AsyncIterator

from psycopg import AsyncConnection
from psycopg.conninfo import make_conninfo
from psycopg_pool import AsyncConnectionPool as Pool

from examples.resources.settings import Database


async def database(part: Database) -> AsyncIterator[Pool]:
    """Register it with `live.resource("database")(database)`."""
    info = make_conninfo(part.url, application_name=part.name, connect_timeout=5)
    await (await AsyncConnection.connect(info)).close()
    pool: Pool = Pool(info, min_size=1, max_size=part.size, open=False)
    async with pool:
        await pool.wait(5.0)
        yield pool
