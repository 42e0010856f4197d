"""An async Valkey client, which owns its pool and closes both.

A plain pool refuses the connection after its last; this one waits for one to come back.
"""

# pyright: reportUnknownMemberType=false
# (the library leaves some of its parameters without types)

from collections.abc import AsyncIterator

from valkey.asyncio import BlockingConnectionPool as Pool
from valkey.asyncio import Valkey

from examples.resources.settings import Cache


async def cache(part: Cache) -> AsyncIterator[Valkey]:
    """Register it with `live.resource("cache")(cache)`."""
    pool = Pool.from_url(part.url, max_connections=part.size, client_name=part.name)
    async with Valkey.from_pool(pool) as client:  # owns the pool, and closes it
        await client.ping()
        yield client
