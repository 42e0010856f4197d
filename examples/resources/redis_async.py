"""An async Redis client, which owns its pool and closes both.

A plain pool refuses the connection after its last; this one waits for one to come back.
"""

# pyright: reportUnknownMemberType=false
# (the library leaves some of its parameters without types)

from collections.abc import AsyncIterator

from redis.asyncio import BlockingConnectionPool as Pool
from redis.asyncio import Redis

from examples.resources.settings import Cache


async def cache(part: Cache) -> AsyncIterator[Redis]:
    """Register it with `live.resource("cache")(cache)`."""
    pool = Pool.from_url(part.url, max_connections=part.size, client_name=part.name)
    async with Redis.from_pool(pool) as client:  # owns the pool, and closes it
        await client.ping()
        yield client
