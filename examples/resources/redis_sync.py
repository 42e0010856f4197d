"""A Redis client. Its `close` leaves a pool that it was given alone, so the pool is closed here.

A plain pool refuses the connection after its last; this one waits for one to come back.
"""

# pyright: reportUnknownMemberType=false
# (the library leaves some of its parameters without types)

from collections.abc import Iterator

from redis import BlockingConnectionPool as Pool
from redis import Redis

from examples.resources.settings import Cache


def cache(part: Cache) -> Iterator[Redis]:
    """Register it with `live.resource("cache")(cache)`."""
    pool = Pool.from_url(part.url, max_connections=part.size, client_name=part.name)
    with Redis.from_pool(pool) as client:  # owns the pool, and closes it
        client.ping()
        yield client
